"""AWS: `receive` and `emit` of the bundle beside the usual functions with boto3, against moto and a stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from bench.cold_start import Case, Function
from bench.environments import NAIVE, PACKAGES, write_configuration
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


@contextmanager
def cases(bundle: Path, folder: Path) -> Iterator[list[Case]]:
    """Start the services, and return `receive` and the usual one, then `emit` and the usual one.

    *folder* takes the configuration.
    """
    config = write_configuration(folder, CONFIGURATION)
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

        def ours(name: str) -> Function:
            program = ["on_lambda", "functions.aws.handler", name]
            return Function(name=f"AWS {name}", folder=bundle, program=program, environment=environment)

        def usual(name: str) -> Function:
            program = ["on_lambda", "handler", "handler"]
            return Function(
                name=f"boto3 {name}",
                folder=NAIVE / f"aws_{name}",
                program=program,
                environment=environment,
                modules=[PACKAGES],
            )

        yield [
            Case(function=ours("receive"), event=delivery),
            Case(function=usual("receive"), event=delivery),
            Case(function=ours("emit"), event=request),
            Case(function=usual("emit"), event=request),
        ]


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
