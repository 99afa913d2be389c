"""The cost of a cold start: our function compared with one that does nothing, under the same framework."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path

import pytest

from emulators.framework import FrameworkFunction
from emulators.google_emulators import firestore_emulator
from emulators.vertex import VertexStandIn
from tests.contracts.bundles import built_bundle
from tests.contracts.google_project import emulators_needed, pipeline_specification
from tests.contracts.google_requests import a_push
from tests.contracts.messages import HttpRequest
from tests.contracts.socket_client import send_request

# One worker for all tests that use the emulators.
pytestmark = [pytest.mark.deep, pytest.mark.xdist_group("contracts-gcp")]

PROBE = Path(__file__).with_name("cold_start_probe.py")
# On an idle machine eight starts are enough; a busy one gets more.
FEWEST, MOST = 8, 40
LIMIT = 1.35
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
UNUSED = ("grpc", "google.cloud", "google.api_core", "google.protobuf", "google.auth", "requests", "apprise")
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


def cpu_time(process_group: int) -> float:
    """Return the CPU time that all threads of a group of processes have taken so far, in seconds."""
    taken = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # proc(5): the name, which may contain blanks, is in parentheses; the group is the third field after it.
            if int(stat.read_text().rpartition(")")[2].split()[2]) == process_group:
                taken += sum(int(file.read_text().split()[0]) for file in stat.parent.glob("task/*/schedstat"))
    return taken / 1e9


def started(bundle: Path, environment: Mapping[str, str], number: int) -> float:
    """Start `receive` as it is deployed, let it act on a trigger, and return the CPU seconds until it has answered."""
    with FrameworkFunction(bundle=bundle, target="receive", environment=environment, threads=1) as function:
        reply = send_request(function.port, HttpRequest(method="POST", path="/", content=message(number)))
        assert reply.body["decision"] == ("launch" if "RETRAIN_LEDGER" in environment else "none")
        return cpu_time(function.process_group)


def loaded(bundle: Path, environment: Mapping[str, str], number: int) -> set[str]:
    """Return the modules that a process has imported by the end of its first request."""
    command = [sys.executable, str(PROBE), "receive", message(number).decode()]
    variables = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=bundle, env=variables, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr)["modules"])


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="only Linux reports the CPU time of a process")
def test_a_cold_start_costs_little_more_than_the_framework(bare: Path, environment: Mapping[str, str]) -> None:
    """From the start of the process to the first launch it takes at most 1.35 times the framework's CPU time."""
    nothing = {"PYTHONPYCACHEPREFIX": environment["PYTHONPYCACHEPREFIX"]}
    least_bare = least_ours = inf
    for run in range(MOST + 1):
        each = started(bare, nothing, run), started(built_bundle("gcp"), environment, run)
        # The first run of each writes the bytecode. Of the others the minimum counts, since other load only adds time.
        if run:
            least_bare, least_ours = min(least_bare, each[0]), min(least_ours, each[1])
        if run >= FEWEST and least_ours <= LIMIT * least_bare:
            break
    assert least_ours <= LIMIT * least_bare, f"{least_ours / least_bare:.2f}"


def test_a_launch_loads_no_client_that_it_does_not_need(bare: Path, environment: Mapping[str, str]) -> None:
    """Until the training is started nothing of gRPC, of Google's client libraries or of another cloud is imported."""
    own = loaded(built_bundle("gcp"), environment, MOST + 1) - loaded(bare, {}, 0)
    assert "functions.gcp.launcher" in own
    for name in (*UNUSED, *FOREIGN):
        assert not [module for module in own if module == name or module.startswith(f"{name}.")]
