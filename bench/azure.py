"""Azure: `retrain_receive` beside a bare function and the official client, against Azurite and a stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from azure.data.tables import TableClient

from bench.cold_start import Case, Function
from bench.environments import NAIVE, OFFICIAL, PACKAGES, write_configuration
from emulators.arm import ArmStandIn, Component, Identity
from emulators.arm.standin import WORKSPACE
from emulators.storage import azurite, missing

COMPONENT: Final = f"{WORKSPACE}/components/train/versions/1"
TABLE: Final = "retrain"
CONFIGURATION: Final = f"""
[models."model-*".target.azure]
kind = "azureml"
workspace = "{WORKSPACE}"
component = "{COMPONENT}"
experiment = "churn"
"""
# {"alg": "none"}, {"tid": "t", "oid": "o", "aud": "https://ml.azure.com"}: the client reads these fields.
_JWT: Final = "eyJhbGciOiAibm9uZSJ9.eyJ0aWQiOiAidCIsICJvaWQiOiAibyIsICJhdWQiOiAiaHR0cHM6Ly9tbC5henVyZS5jb20ifQ.eA"

_ids: Final = count(1)


@contextmanager
def cases(bundle: Path, folder: Path) -> Iterator[list[Case]]:
    """Start the services, and return the cases in the order ours, bare, official; *folder* takes the configuration.

    Ours gets its tokens from the managed identity; the others need none.

    Raises:
        RuntimeError: Azurite is not installed.

    """
    if lacking := missing():
        raise RuntimeError(lacking)
    config = write_configuration(folder, CONFIGURATION)
    components = {COMPONENT: Component()}
    with azurite() as storage, Identity() as identity, ArmStandIn(components=components, identity=identity) as arm:
        with TableClient.from_connection_string(storage.connection_string, TABLE) as table:
            table.create_table()
        with ArmStandIn(components=components) as unguarded:
            environment = {
                "RETRAIN_CONFIG": str(config),
                "RETRAIN_LEDGER": f"{storage.table}/{TABLE}",
                "RETRAIN_BUS": "http://127.0.0.1:9/api/events",
                "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
                "RETRAIN_ARM_ENDPOINT": arm.url,
                **identity.variables,
            }
            usual = {
                "RETRAIN_ARM_ENDPOINT": unguarded.url,
                "WORKSPACE": WORKSPACE,
                "COMPONENT": COMPONENT,
                "TOKEN": _JWT,
                "HOME": str(folder),
            }
            program = ["on_functions_host", "retrain_receive"]
            ours = Function(name="Azure receive", folder=bundle, program=program, environment=environment)
            bare = Function(
                name="bare Azure function", folder=NAIVE / "azure_bare", program=program, modules=[PACKAGES]
            )
            official = Function(
                name="azure-ai-ml",
                folder=NAIVE / "azure_sdk",
                program=program,
                environment=usual,
                modules=[OFFICIAL],
            )
            yield [
                Case(function=function, event=event, repeats=repeats)
                for function, repeats in ((ours, 200), (bare, 200), (official, 50))
            ]


def event() -> object:
    """Return a new trigger as the Event Grid trigger gets it."""
    number = next(_ids)
    return {
        "id": f"e-{number}",
        "topic": urlsplit(WORKSPACE).path,
        "subject": "ml3_platform",
        "eventType": "retrain_trigger",
        "eventTime": "2026-11-21T12:00:00.1234567Z",
        "data": {"model_id": f"model-{number}", "trigger_id": f"t-{number}"},
        "dataVersion": "1.0",
        "metadataVersion": "1",
    }
