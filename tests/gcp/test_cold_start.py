"""The cost of a cold start in modules: our function compared with one that does nothing, under the same framework."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from emulators.google_emulators import firestore_emulator
from emulators.vertex import VertexStandIn
from shared.config.file import compile_configuration
from tests.contracts.bundles import built_bundle
from tests.contracts.google_project import emulators_needed, pipeline_specification
from tests.contracts.google_requests import a_push

# One worker for all tests that use the emulators.
pytestmark = [pytest.mark.deep, pytest.mark.xdist_group("contracts-gcp")]

PROBE = Path(__file__).with_name("cold_start_probe.py")
# The framework alone imports 340. A launch imports 111 more: 27 of urllib3, 20 of functions, 64 of the core. Its
# CPU time is then about 1.34 times that of the framework alone (`make bench`); each further module adds about 0.3 ms,
# 0.002 of that. Two more are allowed for other versions of Python.
MOST_MODULES = 113
BARE = """
import functions_framework


@functions_framework.http
def receive(request):
    return {"decision": "none"}
"""
CONFIGURATION = """
[models."any-*".target.gcp]
kind = "vertex"
pipeline = "pipeline.json"
project = "contracts"
location = "europe-west4"
root = "gs://contracts"
"""
# Clients that are much larger than a launch needs, and everything of other clouds.
UNUSED = ("grpc", "google.cloud", "google.api_core", "google.protobuf", "google.auth", "requests", "apprise", "tomllib")
FOREIGN = ("boto3", "botocore", "azure", "aws_lambda_powertools", "functions.aws", "functions.azure", "functions.local")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a function that does nothing."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "main.py").write_text(BARE, encoding="ascii")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Return the variables of a function that can launch."""
    emulators_needed()
    folder = tmp_path_factory.mktemp("cold")
    (folder / "retrain.toml").write_text(CONFIGURATION, encoding="ascii")
    assert compile_configuration(folder / "retrain.toml")
    (folder / "pipeline.json").write_text(json.dumps(pipeline_specification()), encoding="ascii")
    with firestore_emulator() as firestore, VertexStandIn() as vertex:
        yield {
            # As in an image there is bytecode; the first run of each, which writes it, does not count.
            "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            "FIRESTORE_EMULATOR_HOST": firestore,
            "RETRAIN_VERTEX_ENDPOINT": vertex.url,
            "RETRAIN_LEDGER": "projects/cold/databases/(default)/documents/retraining",
            "RETRAIN_CONFIG": str(folder / "retrain.toml"),
        }


def message(number: int) -> bytes:
    """Return the trigger of that number, in the body of a push."""
    payload = {"model_id": f"any-{number}", "trigger_id": f"t-{number}"}
    event = {"source": "ml3_platform", "event_type": "retrain_trigger", "payload": payload}
    return json.dumps(a_push(json.dumps(event).encode())).encode()


def loaded(bundle: Path, environment: Mapping[str, str], number: int) -> set[str]:
    """Return the modules that a process has imported by the end of its first request."""
    command = [sys.executable, str(PROBE), "receive", message(number).decode()]
    variables = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=bundle, env=variables, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr)["modules"])


def test_a_launch_loads_no_client_that_it_does_not_need(bare: Path, environment: Mapping[str, str]) -> None:
    """Until the training is started few modules are imported, and none of gRPC, Google's clients or another cloud."""
    own = loaded(built_bundle("gcp"), environment, 1) - loaded(bare, {}, 0)
    assert "functions.gcp.launcher" in own
    assert len(own) <= MOST_MODULES
    for name in (*UNUSED, *FOREIGN):
        assert not [module for module in own if module == name or module.startswith(f"{name}.")]
