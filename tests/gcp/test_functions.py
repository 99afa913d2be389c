"""The two functions under the framework: their answers to deliveries, and the modules that they load."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from emulators.loopback import Answer, LoopbackServer, Request
from functions.gcp import wiring
from shared.trigger import run_name
from tests.contracts.adapters import TRIGGER
from tests.fakes.warm import cold
from tests.gcp.function_probe import answers_of
from tests.gcp.pipeline import written
from tests.gcp.services import refused, said

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[models."churn"]
default = true
schedule = true
[models."churn".target.gcp]
kind = "vertex"
pipeline = "pipelines/churn.json"
project = "acme"
location = "europe-west4"
root = "gs://acme"
[models."churn".parameters]
model_id = "$model_id"
[models."any/*".target.gcp]
kind = "vertex"
pipeline = "pipelines/churn.json"
project = "acme"
location = "europe-west4"
root = "gs://acme"
"""
OURS = {"source": "ml3_platform", "event_type": "retrain_trigger"}
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "7",
    "ce-source": "//pubsub.googleapis.com/projects/acme/topics/triggers",
    "ce-type": PUBLISHED,
    "ce-time": "2026-11-21T03:00:00Z",
    "Content-Type": "application/json",
}
HEAVY = frozenset({"grpc", "requests", "cryptography", "boto3", "botocore", "azure", "apprise"})


class Google:
    """Firestore, Vertex AI, Pub/Sub and the metadata server in one: every call succeeds, and nothing is stored.

    Attributes:
        requests: all that came.

    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        self.requests.append(request)
        answers = {
            "/computeMetadata/": said({"access_token": "secret", "expires_in": 3600}),
            ":commit": said({"writeResults": [{"updateTime": "2026-11-21T03:00:00.000002Z"}]}),
            ":runQuery": said([]),
            ":publish": said({"messageIds": ["1"]}),
            "/pipelineJobs?": said({"name": "x"}),
        }
        return next((answer for part, answer in answers.items() if part in request.path), refused(404, "NOT_FOUND"))

    def asked(self, part: str) -> list[Request]:
        """Return the requests whose path has *part* in it."""
        return [request for request in self.requests if part in request.path]

    def letters(self) -> list[Any]:
        """Return the dead letters."""
        bodies = [json.loads(request.body) for request in self.asked(":publish")]
        return [json.loads(base64.b64decode(message["data"])) for body in bodies for message in body["messages"]]


@pytest.fixture
def google() -> Iterator[tuple[str, Google]]:
    """Return the address of all services, and the services."""
    google = Google()
    with LoopbackServer(google) as server:
        yield server.address, google


@pytest.fixture
def variables(google: tuple[str, Google], tmp_path: Path) -> dict[str, str]:
    """Return the environment of a function."""
    (written(tmp_path) / "retrain.toml").write_text(CONFIGURATION, encoding="utf-8")
    address, _ = google
    return {
        "RETRAIN_CONFIG": str(tmp_path / "retrain.toml"),
        "RETRAIN_LEDGER": "projects/acme/databases/(default)/documents/models",
        "RETRAIN_BUS": "projects/acme/topics/triggers",
        "RETRAIN_DEAD_LETTERS": "projects/acme/topics/dead-letters",
        "RETRAIN_VERTEX_ENDPOINT": f"http://{address}",
        "FIRESTORE_EMULATOR_HOST": address,
        "PUBSUB_EMULATOR_HOST": address,
        "GCE_METADATA_HOST": address,
        "HOME": str(tmp_path),
        # Cloud Functions sets this for a function with an event trigger.
        "FUNCTION_SIGNATURE_TYPE": "cloudevent",
    }


def probed(variables: Mapping[str, str], target: str, *requests: Mapping[str, Any]) -> tuple[list[Any], set[str], str]:
    """Return the answers, the modules that were loaded for them, and the log."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.gcp.function_probe", target, json.dumps(requests)],
        cwd=ROOT,
        env=dict(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stderr)
    return output["answers"], set(output["modules"]), done.stdout


def answered(variables: Mapping[str, str], target: str, *requests: Mapping[str, Any]) -> list[Any]:
    """Return the answers of a function under the framework in this process."""
    before, path = dict(os.environ), sys.path[:]
    kept = {name: value for name, value in before.items() if not name.startswith(("RETRAIN_", "GOOGLE_", "GCE_"))}
    with cold(wiring):
        try:
            os.environ.clear()
            os.environ.update({**kept, **variables})
            return answers_of(target, requests)
        finally:
            # The framework sets variables, and imports the function's file by its folder.
            os.environ.clear()
            os.environ.update(before)
            sys.path[:] = path
            sys.modules.pop("main", None)


def push(content: object, attributes: Mapping[str, str] = OURS) -> dict[str, Any]:
    """Return the body of a push with *content*, or without data."""
    message: dict[str, Any] = {"messageId": "7", "attributes": dict(attributes)}
    if content is not None:
        message["data"] = base64.b64encode(json.dumps(content).encode()).decode()
    return {"message": message, "subscription": "projects/acme/subscriptions/receive"}


def test_a_launch_loads_no_heavy_library(google: tuple[str, Google], variables: dict[str, str]) -> None:
    """Eventarc's request starts a job with our token, although the platform registered a CloudEvent function."""
    event = {"headers": BINARY, "body": json.dumps(push({"model_id": "churn", "trigger_id": "t-1"}))}
    (answer,), modules, log = probed(variables, "receive", event)
    assert (answer["status"], answer["content"]["decision"]) == (200, "launch")
    (job,) = google[1].asked("/pipelineJobs?")
    assert job.path.endswith(f"?pipelineJobId={run_name(TRIGGER.token)}")
    assert job.headers["authorization"] == "Bearer secret"
    assert "authorization" not in google[1].asked("/documents/")[0].headers
    assert {module.partition(".")[0] for module in modules} & HEAVY == set()
    assert not [module for module in modules if module.startswith(("google.auth", "google.cloud.pubsub", "google.api"))]
    assert [json.loads(line)["message"] for line in log.splitlines()] == ["retrain.decided", "retrain.started"]


@pytest.mark.parametrize(
    "delivery",
    [
        {"body": json.dumps(push({"model_id": "churn"}))},
        {
            "headers": {"Content-Type": "application/cloudevents+json"},
            "body": json.dumps({"specversion": "1.0", "type": PUBLISHED, "data": push({"model_id": "churn"})}),
        },
        {"path": "/projects/acme/topics/triggers", "body": json.dumps(push({"model_id": "churn"}))},
    ],
    ids=["push", "structured", "push with a path"],
)
def test_every_way_of_delivery_launches(variables: dict[str, str], delivery: dict[str, Any]) -> None:
    """A push with and without a path, and a CloudEvent in one piece."""
    (answer,) = answered(variables, "receive", delivery)
    assert (answer["status"], answer["content"]["decision"]) == (200, "launch")


def test_a_delivery_that_the_framework_would_refuse_becomes_a_dead_letter(
    google: tuple[str, Google], variables: dict[str, str]
) -> None:
    """A CloudEvent function would answer 400 to all of these, and Pub/Sub would redeliver them for days."""
    without_source = {name: value for name, value in BINARY.items() if name != "ce-source"}
    rejected: list[dict[str, Any]] = [
        {"body": json.dumps(push(None))},
        {"body": "no JSON"},
        {"body": ""},
        {"headers": without_source, "body": "{"},
        {"headers": {"Content-Type": "application/cloudevents+json"}, "body": "[]"},
    ]
    ignored: list[dict[str, Any]] = [
        {"body": "{}"},
        {"body": json.dumps(push(None, {}))},
        {"headers": without_source | {"ce-type": "x"}},
    ]
    answers = answered(variables, "receive", *rejected, *ignored)
    assert [answer["status"] for answer in answers] == [200] * 8
    assert [answer["content"]["decision"] for answer in answers] == ["reject"] * 5 + ["ignore"] * 3
    letters = google[1].letters()
    assert [letter["event"] for letter in letters[:3]] == [push(None), "no JSON", ""]
    assert len(letters) == 5


def test_without_dead_letters_the_platform_keeps_a_rejected_event(
    variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is a 500 with the reason, until the subscription's own dead-letter topic gets the event."""
    event = {"body": json.dumps(push({"model_id": "unknown"}))}
    (answer,) = answered(variables | {"RETRAIN_DEAD_LETTERS": ""}, "receive", event)
    log = capsys.readouterr().out
    assert answer["status"] == 500
    assert answer["content"]["detail"].startswith(
        "UnknownModelError: model_id: the configuration has no model 'unknown'"
    )
    assert [json.loads(line)["severity"] for line in log.splitlines()] == ["INFO", "WARNING"]


def test_a_browser_cannot_deliver(google: tuple[str, Google], variables: dict[str, str]) -> None:
    """Only POST delivers; anything else leaves no dead letter."""
    answers = answered(variables, "receive", {"method": "GET"}, {"method": "HEAD"}, {"method": "PUT", "body": "x"})
    assert [(answer["status"], answer["headers"].get("allow")) for answer in answers] == [(405, "POST")] * 3
    assert google[1].requests == []


def test_the_sweep_checks_stored_models(google: tuple[str, Google], variables: dict[str, str]) -> None:
    """The message of its schedule is recognised by its attribute; as none is indexed yet, it lists all of them, too."""
    (answer,) = answered(variables, "receive", {"body": json.dumps(push(None, {"event_type": "retrain_sweep"}))})
    assert (answer["status"], answer["content"]) == (200, {"swept": []})
    assert len(google[1].asked(":runQuery")) == 2


def test_a_question_loads_no_publisher(variables: dict[str, str]) -> None:
    """Only publishing imports it; a model's name may contain a slash and any letter."""
    ask = [
        {"method": "GET", "path": "/models/any%2F%C3%BC"},
        {"method": "GET", "path": "/models/any%2F%2F"},
        {"method": "GET", "path": "/health"},
    ]
    answers, modules, _ = probed(variables, "emit", *ask)
    assert [answer["status"] for answer in answers] == [200] * 3
    assert [answer["content"]["model_id"] for answer in answers[:2]] == ["any/ü", "any//"]
    assert {module.partition(".")[0] for module in modules} & HEAVY == set()


def test_a_wrong_environment_answers_and_does_not_crash(
    variables: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is acknowledged, the HTTP response has no details, and the log has all of them in one line."""
    wrong = variables | {"RETRAIN_LEDGER": "models", "RETRAIN_BUS": "triggers"}
    (answer,) = answered(wrong, "receive", {"body": json.dumps(push({}))})
    assert answer["status"] == 500
    assert (
        "RETRAIN_LEDGER: must have the form projects/P/databases/D/documents/COLLECTION" in answer["content"]["detail"]
    )
    capsys.readouterr()
    (answer,) = answered(wrong, "emit", {"method": "GET", "path": "/health"})
    log = capsys.readouterr().out
    assert (answer["status"], answer["content"]["detail"]) == (500, "ConfigError; see the log")
    (line,) = [json.loads(line) for line in log.splitlines()]
    assert "RETRAIN_BUS: must have the form projects/P/topics/T, not 'triggers'" in line["error"]
