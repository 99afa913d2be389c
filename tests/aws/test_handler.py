"""The two Lambda functions in the process of the tests: HTTP, ticks, invocations, events, batches and sweeps."""

import inspect
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulators.aws_client import client
from emulators.eventbridge import EventBridgeStandIn
from emulators.ledger_table import create_ledger_table
from emulators.sagemaker import SageMakerStandIn
from functions.aws import wiring
from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.handler import emit, receive
from functions.aws.launcher import SageMakerLauncher
from functions.aws.queue_launcher import SqsLauncher
from functions.github.launcher import GitHubLauncher
from shared.config.targets import CommandTarget, GitHubTarget, SageMakerTarget, SqsTarget, Target
from shared.errors import ConfigError, RetrainError, UnknownModelError, UnreadableEventError
from shared.training.parts import ReceiverParts
from tests.aws.adapters import BUS, PIPELINE
from tests.contracts.aws_requests import function_url_event, http_api_event
from tests.contracts.messages import HttpRequest
from tests.contracts.on_aws import sqs_batch
from tests.fakes.warm import cold

QUEUE = "https://sqs.eu-west-3.amazonaws.com/123456789012/handed"
CONFIGURATION = f"""
[models.churn]
default = true
schedule = true
target.aws = {{ kind = "sagemaker", pipeline = "{PIPELINE}" }}
[models.fraud]
schedule = "*/5 * * * *"
target.aws = {{ kind = "sagemaker", pipeline = "{PIPELINE}" }}
"""
CONTEXT = SimpleNamespace(aws_request_id="r-1")

TICK = {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z", "detail": {}}


@pytest.fixture
def functions(tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Return the environment of the functions, of whose services none is there."""
    for name in [name for name in os.environ if name.startswith("RETRAIN_")]:
        environment.delenv(name)
    (tmp_path / "retrain.toml").write_text(CONFIGURATION, encoding="utf-8")
    named = {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "RETRAIN_BUS": BUS, "RETRAIN_LEDGER": "states"}
    for name, value in {**named, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}.items():
        environment.setenv(name, value)
    with cold(wiring):
        yield environment


@pytest.fixture
def bus(functions: pytest.MonkeyPatch) -> Iterator[EventBridgeStandIn]:
    """Return the bus to which `emit` sends."""
    with EventBridgeStandIn(buses=frozenset({BUS})) as bridge:
        functions.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bridge.url)
        yield bridge


@pytest.fixture
def training(
    functions: pytest.MonkeyPatch, pipelines: SageMakerStandIn, moto: str, request: pytest.FixtureRequest
) -> SageMakerStandIn:
    """Return SageMaker, beside a ledger of its own for each test."""
    table = f"handler-{abs(hash(request.node.nodeid))}"
    create_ledger_table(client("dynamodb", moto), table)
    for name, value in {
        "RETRAIN_LEDGER": table,
        "AWS_ENDPOINT_URL": moto,
    }.items():
        functions.setenv(name, value)
    return pipelines


def event(trigger_id: str, model_id: str = "churn") -> dict[str, Any]:
    """Return an event of the bus."""
    detail = {"schema": 1, "model_id": model_id, "trigger_id": trigger_id}
    return {"id": f"e-{trigger_id}", "source": "ml3_platform", "detail-type": "retrain_trigger", "detail": detail}


RETRAIN = HttpRequest(method="POST", path="/retrain", content={"trigger_id": "t-1"})


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        (function_url_event(RETRAIN, caller="arn:aws:iam::1:user/ada"), "arn:aws:iam::1:user/ada"),
        (function_url_event(RETRAIN, caller=None), None),
        (http_api_event(RETRAIN, stage="prod", claims={"sub": "u-1", "email": "ada@acme.example"}), "ada@acme.example"),
        (http_api_event(RETRAIN, base64_encoded=True, claims={"sub": "u-1"}), "u-1"),
    ],
)
def test_http_emits_in_the_name_of_the_caller(
    bus: EventBridgeStandIn, request_: dict[str, Any], caller: str | None
) -> None:
    """Function URLs and HTTP APIs authenticate in different ways; what the body says of the caller does not count."""
    answer = emit(request_, CONTEXT)
    assert (answer["statusCode"], json.loads(str(answer["body"]))["trigger_id"]) == (202, "t-1")
    (sent,) = bus.events
    assert sent["detail"].get("requested_by") == caller


@pytest.mark.usefixtures("functions")
def test_http_without_any_service() -> None:
    """Health needs none; a body that is not the base64 that it claims to be is not valid JSON."""
    answer = emit(function_url_event(HttpRequest(method="GET", path="/health")), CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (200, '{"status": "ok"}')
    broken = emit(http_api_event(RETRAIN, base64_encoded=True) | {"body": "?"}, CONTEXT)
    assert (broken["statusCode"], "is not valid JSON" in str(broken["body"])) == (400, True)


def test_other_invocations_emit(bus: EventBridgeStandIn) -> None:
    """A tick emits for the scheduled models; an invocation is a trigger whose id is that of the request."""
    ticked = emit(TICK, CONTEXT)
    assert [each["detail"]["trigger_id"] for each in bus.events] == ["schedule:churn:2026-11-23T09:30:00Z"]
    assert "schedule:churn:2026-11-23T09:30:00Z" in json.dumps(ticked)
    emit({"model_id": "fraud"}, CONTEXT)
    emit({"model_id": "fraud", "trigger_id": "mine"}, CONTEXT)
    assert [each["detail"]["trigger_id"] for each in bus.events[1:]] == ["r-1", "mine"]
    # Lambda's record of an invocation that failed counts as that invocation.
    record = {"timestamp": "x", "requestContext": {"requestId": "r-0", "functionArn": "arn:emit", "condition": "x"}}
    emit({**record, "requestPayload": {"model_id": "fraud"}}, CONTEXT)
    assert bus.events[-1]["detail"]["trigger_id"] == "r-0"
    with pytest.raises(UnreadableEventError, match="an invocation must be a JSON object, not list"):
        emit([], CONTEXT)


@pytest.mark.usefixtures("training")
def test_own_schedules_are_evaluated(bus: EventBridgeStandIn) -> None:
    """The first evaluation remembers the time; nothing is due yet."""
    assert emit({"schedules": True}, CONTEXT) == {"accepted": []}
    assert bus.events == []


def test_an_event_becomes_one_execution(training: SageMakerStandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """A second delivery starts nothing; each decision is counted as a metric in the log, and the sweep looks at it."""
    assert receive(event("t-1"), CONTEXT)["decision"] == "launch"
    assert receive(event("t-1"), CONTEXT)["reason"] == "duplicate"
    assert len(training.executions()) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [(line["decision"], line["reason"], line["model_id"]) for line in lines if "_aws" in line]
    assert counted == [("launch", "launched", "churn"), ("skip", "duplicate", "churn")]
    assert receive({"sweep": True}, CONTEXT) == {"swept": ["churn"]}


def test_a_batch_is_acted_on_together(training: SageMakerStandIn) -> None:
    """Of its messages only those that failed come again; a sweep may be among them."""
    bodies = [json.dumps(event("t-1")), json.dumps({"sweep": True}), json.dumps(event("t-2", "fraud")), "no JSON"]
    answer = receive(sqs_batch(bodies), CONTEXT)
    # Without a queue for rejected events SQS keeps the one that cannot be read.
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-3"}]}
    assert len(training.executions()) == 2


def test_a_queue_in_order_waits_behind_a_failure(training: SageMakerStandIn) -> None:
    """In a FIFO queue the later messages of the same group come again, too, and those of other groups do not."""
    bodies = ["no JSON", json.dumps(event("t-1")), json.dumps(event("t-2", "fraud"))]
    answer = receive(sqs_batch(bodies, groups=["a", "a", "b"]), CONTEXT)
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m-0", "m-1"]
    assert len(training.executions()) == 1


def received(environment: pytest.MonkeyPatch, **variables: str) -> ReceiverParts:
    """Return the parts for deciding, made anew with these variables."""
    for name, value in variables.items():
        environment.setenv(name, value)
    parts: ReceiverParts = inspect.unwrap(wiring.receiver)()
    return parts


def test_the_parts_are_those_of_the_configuration(functions: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Targets have their launchers, letters their queue and people their channels; a target of others is an error."""
    bare = received(functions)
    assert (bare.cloud, bare.dead_letters, bare.notifier, bare.dispatcher) == ("aws", None, None, None)
    topic = "arn:aws:sns:eu-west-3:123456789012:notices"
    more = f'[notify]\nchannels = ["{topic}"]\n[github]\nrepositories = ["acme/churn"]\n'
    more += '[models.churn.after]\nsucceeded = ["github:acme/churn#trained"]\n'
    (tmp_path / "retrain.toml").write_text(CONFIGURATION + more)
    full = received(functions, RETRAIN_DEAD_LETTERS=QUEUE, RETRAIN_GITHUB_TOKEN="ghp_x")
    assert isinstance(full.dead_letters, SqsDeadLetters)
    assert full.notifier is not None
    assert full.dispatcher is not None
    targets: dict[type, Target] = {
        SageMakerLauncher: SageMakerTarget(pipeline=f"arn:aws:sagemaker:eu-central-1:123456789012:pipeline/{PIPELINE}"),
        SqsLauncher: SqsTarget(queue_url=QUEUE),
        GitHubLauncher: GitHubTarget(repository="acme/churn", event_type="retrain"),
    }
    assert [type(full.launcher(target)) for target in targets.values()] == list(targets)
    with pytest.raises(UnknownModelError, match=r"^target.aws.kind: 'command' cannot be launched"):
        full.launcher(CommandTarget(command=("true",)))


def test_a_bus_of_another_account(functions: pytest.MonkeyPatch) -> None:
    """With a role its credentials are fetched before anything is sent; where that fails the trigger is not accepted."""
    functions.setenv("RETRAIN_ROLE_ARN", "arn:aws:iam::210987654321:role/emitter")
    functions.setenv("RETRAIN_EXTERNAL_ID", "x-1")
    with EventBridgeStandIn(buses=frozenset({BUS})) as bridge:
        functions.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", bridge.url)
        with pytest.raises(RetrainError):
            emit({"model_id": "fraud"}, CONTEXT)
        assert bridge.events == []


def test_a_wrong_environment_is_named(functions: pytest.MonkeyPatch) -> None:
    """One error names every variable that a function needs."""
    functions.delenv("RETRAIN_BUS")
    functions.delenv("RETRAIN_LEDGER")
    with pytest.raises(ConfigError, match=r"RETRAIN_BUS: is not set\n  RETRAIN_LEDGER: is not set"):
        emit({}, CONTEXT)
    with pytest.raises(ConfigError, match=r"RETRAIN_LEDGER: is not set"):
        receive(event("t-1"), CONTEXT)
