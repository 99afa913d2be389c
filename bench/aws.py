"""AWS: `receive` and `emit` of the bundle beside the usual functions with boto3, against moto and a stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

from bench.cold_start import INVOKE, Function
from emulators.aws_client import client
from emulators.moto_server import CREDENTIALS, moto_server
from emulators.sagemaker import Pipeline, SageMakerStandIn

BUS: Final = "retraining"
TABLE: Final = "retrain-state"
PIPELINE: Final = "churn-training"
CONFIGURATION: Final = f"""
[models."model-*".target.aws]
kind = "sagemaker"
pipeline = "{PIPELINE}"
"""

_ids: Final = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """The functions that are compared.

    Attributes:
        receive, emit: those of the bundle.
        naive_receive, naive_emit: the usual ones.

    """

    receive: Function
    emit: Function
    naive_receive: Function
    naive_emit: Function


@contextmanager
def functions(bundle: Path, folder: Path) -> Iterator[Functions]:
    """Start the services, and return the functions for them; *folder* takes their configuration."""
    config = folder / "retrain.toml"
    config.write_text(CONFIGURATION, encoding="ascii")
    with moto_server() as moto, SageMakerStandIn(pipelines={PIPELINE: Pipeline()}) as sagemaker:
        client("dynamodb", moto).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "model_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client("events", moto).create_event_bus(Name=BUS)
        environment = CREDENTIALS | {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url,
            "RETRAIN_CONFIG": str(config),
            "RETRAIN_LEDGER": TABLE,
            "RETRAIN_BUS": BUS,
            "PIPELINE": PIPELINE,
        }
        packages = Path(str(find_spec("boto3").origin)).parents[1]  # type: ignore[union-attr] # it is installed
        naive = Path(__file__).with_name("naive")

        def ours(name: str) -> Function:
            program = [str(INVOKE), "functions.aws.handler", name]
            return Function(name=f"AWS {name}", folder=bundle, program=program, environment=environment)

        def usual(module: str) -> Function:
            program = [str(INVOKE), module, "handler"]
            return Function(
                name=f"naive {module}", folder=naive, program=program, environment=environment, modules=[packages]
            )

        yield Functions(
            receive=ours("receive"),
            emit=ours("emit"),
            naive_receive=usual("aws_receive"),
            naive_emit=usual("aws_emit"),
        )


def delivery() -> dict[str, object]:
    """Return a new trigger as EventBridge delivers it."""
    number = next(_ids)
    return {
        "version": "0",
        "id": f"e-{number}",
        "source": "ml3_platform",
        "detail-type": "retrain_trigger",
        "time": "2026-11-21T12:00:00Z",
        "detail": {"model_id": f"model-{number}", "trigger_id": f"t-{number}"},
    }


def request() -> dict[str, object]:
    """Return what `emit` is invoked with directly."""
    return {"model_id": f"model-{next(_ids)}"}
