"""Google Cloud: `receive` of the bundle beside a bare function and the official client, against emulators."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from bench.cold_start import Case, Function
from bench.environments import NAIVE, OFFICIAL, PACKAGES, write_configuration
from emulators.google_emulators import firestore_emulator, missing
from emulators.pubsub import push_body
from emulators.vertex import SPECIFICATION, VertexStandIn

PROJECT: Final = "contracts"
LOCATION: Final = "europe-west4"
CONFIGURATION: Final = f"""
[models."model-*".target.gcp]
kind = "vertex"
pipeline = "{SPECIFICATION.name}"
project = "{PROJECT}"
location = "{LOCATION}"
root = "gs://contracts"
"""

_ids: Final = count(1)


@contextmanager
def cases(bundle: Path, folder: Path) -> Iterator[list[Case]]:
    """Start the services, and return the cases in the order ours, bare, official; *folder* takes the configuration.

    Raises:
        RuntimeError: the emulators are not installed.

    """
    if lacking := missing():
        raise RuntimeError(lacking)
    config = write_configuration(folder, CONFIGURATION)
    (folder / SPECIFICATION.name).write_bytes(SPECIFICATION.read_bytes())
    with firestore_emulator() as firestore, VertexStandIn() as vertex:
        environment = {
            "FIRESTORE_EMULATOR_HOST": firestore,
            "RETRAIN_VERTEX_ENDPOINT": vertex.url,
            "RETRAIN_CONFIG": str(config),
            "RETRAIN_LEDGER": f"projects/{PROJECT}/databases/(default)/documents/retraining",
            "RETRAIN_BUS": f"projects/{PROJECT}/topics/triggers",
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "SPECIFICATION": str(SPECIFICATION),
        }

        def case(name: str, place: Path, modules: Path) -> Case:
            program = ["on_framework", "receive"]
            function = Function(name=name, folder=place, program=program, environment=environment, modules=[modules])
            return Case(function=function, event=push)

        yield [
            case("Google receive", bundle, PACKAGES),
            case("bare functions-framework", NAIVE / "gcp_bare", PACKAGES),
            case("google-cloud-aiplatform", NAIVE / "gcp_sdk", OFFICIAL),
        ]


def push() -> object:
    """Return a new trigger as a push subscription delivers it."""
    number = next(_ids)
    body = {
        "source": "ml3_platform",
        "event_type": "retrain_trigger",
        "payload": {"model_id": f"model-{number}", "trigger_id": f"t-{number}"},
    }
    message = {
        "data": base64.b64encode(json.dumps(body).encode()).decode(),
        "messageId": f"e-{number}",
        "publishTime": "2026-11-21T12:00:00Z",
        "attributes": {},
    }
    return push_body(f"projects/{PROJECT}/subscriptions/receive", message)
