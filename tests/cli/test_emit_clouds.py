"""`emit` as a program puts a trigger on the bus of each cloud and prints only its id."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest

from emulators.event_grid import EventGridStandIn
from emulators.eventbridge import EventBridgeStandIn
from emulators.google_emulators import pubsub_emulator
from emulators.moto_server import CREDENTIALS
from emulators.pubsub import PubSub
from tests.cli.running import run
from tests.contracts.google_project import emulators_needed
from tests.fakes.warm import cold

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[models."churn"]
default = true
[models."churn".parameters]
epochs = 8
[models."churn".target.aws]
kind = "sagemaker"
pipeline = "churn-training"
[models."churn".target.gcp]
kind = "vertex"
pipeline = "churn.json"
project = "acme"
location = "europe-west4"
root = "gs://acme"
[models."churn".target.azure]
kind = "azureml"
workspace = "/subscriptions/s/workspaces/acme"
component = "/subscriptions/s/workspaces/acme/components/train/versions/1"
"""


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    """Return an environment without credentials and with a configuration for every cloud."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "RETRAIN_CONFIG": str(tmp_path / "retrain.toml")}


def emitted(cloud: str, variables: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run `emit` as a program."""
    command = [sys.executable, "-m", "functions.cli", "emit", "--cloud", cloud, *options]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_eventbridge(configured: dict[str, str]) -> None:
    """On AWS the event is on the bus, and standard output has no log lines."""
    with EventBridgeStandIn(buses=frozenset({"retraining"})) as bridge:
        places = {"AWS_ENDPOINT_URL_EVENTBRIDGE": bridge.url, "RETRAIN_BUS": "retraining", "RETRAIN_LEDGER": "states"}
        done = emitted("aws", configured | CREDENTIALS | places, "--param", "epochs=12")
    assert (done.returncode, done.stderr) == (0, "")
    (event,) = bridge.events
    assert done.stdout == f"{event['detail']['trigger_id']}\n"
    assert event["detail"]["parameters"] == {"epochs": 12}


def emitted_here(
    cloud: str, places: Mapping[str, str], environment: pytest.MonkeyPatch, folder: Path
) -> tuple[int, str, str]:
    """Run `emit` in this process; return its exit code, its results and its errors."""
    for name, value in places.items():
        environment.setenv(name, value)
    with cold(import_module(f"functions.{cloud}.wiring")):
        done = run("emit", "--cloud", cloud, "--id", "t-1", "--config", str(folder / "retrain.toml"))
    return done.code, done.out, done.err


@pytest.mark.usefixtures("configured")
def test_a_missing_bus(environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is one message and the exit code 1; the log of a function is not written."""
    with EventBridgeStandIn(buses=frozenset()) as bridge:
        places = {"AWS_ENDPOINT_URL_EVENTBRIDGE": bridge.url, "RETRAIN_BUS": "retraining", "RETRAIN_LEDGER": "states"}
        code, out, errors = emitted_here("aws", places, environment, tmp_path)
    assert (code, out) == (1, "")
    assert errors == "retraining did not accept 1 trigger(s): t-1: there is no such event bus\n"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("cloud", "missing"),
    [("aws", "botocore"), ("gcp", "google.auth"), ("azure", "azure.identity")],
)
def test_packages_that_are_not_installed(environment: pytest.MonkeyPatch, cloud: str, missing: str) -> None:
    """The message has the command that installs them, and the exit code is 2."""
    environment.setitem(sys.modules, missing, None)  # Python finds no such module then.
    done = run("letters", "list", "--cloud", cloud)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"the packages for --cloud {cloud} are not installed ({missing} is missing);"
        f" install them with: pip install 'retrain-trigger[{cloud}]'\n"
    )


def test_letters_without_a_place(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A deployment that names no place of dead letters is wrong usage."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    done = run("letters", "list", "--cloud", "aws", "--config", str(tmp_path / "retrain.toml"))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("RETRAIN_DEAD_LETTERS and RETRAIN_UNDELIVERED are not set; name the deployment with")


@pytest.mark.xdist_group("cli-gcp")
def test_pubsub(configured: dict[str, str]) -> None:
    """On Google Cloud the message is on the topic."""
    emulators_needed()
    with pubsub_emulator() as address:
        pubsub = PubSub(address=address, project="emitting")
        pubsub.make_topics("triggers")
        pubsub.subscribe("copies", "triggers")
        places = {
            "PUBSUB_EMULATOR_HOST": address,
            "RETRAIN_BUS": pubsub.topic("triggers"),
            "RETRAIN_LEDGER": "projects/emitting/databases/(default)/documents/retrain",
        }
        done = emitted("gcp", configured | places)
        (message,) = pubsub.take("copies")
    assert (done.returncode, done.stderr) == (0, "")
    payload = json.loads(base64.b64decode(message["data"]))["payload"]
    assert done.stdout == f"{payload['trigger_id']}\n"


@pytest.mark.usefixtures("configured")
def test_event_grid(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Azure the event is on the topic."""
    with EventGridStandIn() as topic:
        places = {
            "RETRAIN_BUS": topic.endpoint,
            "RETRAIN_EVENT_GRID_KEY": str(topic.key),
            "RETRAIN_LEDGER": "https://acme.table.core.windows.net/retrain",
        }
        assert emitted_here("azure", places, environment, tmp_path) == (0, "t-1\n", "")
    assert [event["id"] for event in topic.events] == ["t-1"]
