"""Input that only AWS passes to the functions: both kinds of HTTP, ticks, direct invocations, samples of its events."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from emulators.lambda_runtime import LambdaError
from shared.ledger.document import read_state
from tests.contracts.aws_account import BUS
from tests.contracts.aws_requests import CALLER, function_url_event, http_api_event
from tests.contracts.messages import HttpRequest, Json
from tests.contracts.on_aws import Amazon, sqs_batch

pytestmark = pytest.mark.xdist_group("contracts-aws")

EVENTS = Path(__file__).resolve().parents[1] / "events"
RETRAIN = HttpRequest(
    method="POST", path="/retrain", content={"model_id": "churn", "reason": "Qualität", "trigger_id": "t-1"}
)
MODEL = HttpRequest(method="GET", path="/models/any-%C3%BC%2F1?x=%26")
TICK = {"id": "x", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z", "resources": [], "detail": {}}


def sample(name: str) -> Json:
    """Return a recorded event."""
    event: Json = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    return event


def requesters(aws: Amazon) -> list[object]:
    """Take the events off the bus and return their requesters."""
    return [aws.fields(event).get("requested_by") for event in aws.arrived()]


@pytest.mark.parametrize(
    ("event", "requested_by"),
    [
        (function_url_event(RETRAIN), CALLER),
        (function_url_event(RETRAIN, caller=None), None),
        (http_api_event(RETRAIN), None),
        (http_api_event(RETRAIN, base64_encoded=True), None),
        (http_api_event(RETRAIN, stage="prod", claims={"sub": "u-1"}), "u-1"),
        (
            http_api_event(RETRAIN, stage="retrain", claims={"sub": "u-1", "email": "ada@example.com"}),
            "ada@example.com",
        ),
    ],
    ids=["function URL", "open function URL", "HTTP API", "base64", "stage and subject", "stage like a path, e-mail"],
)
def test_both_kinds_of_http_are_the_same_api(aws: Amazon, event: Json, requested_by: str | None) -> None:
    """A function URL and an HTTP API, whatever their stage and encoding, lead to the same trigger."""
    reply = aws.answered(event)
    assert (reply.status, reply.body) == (202, {"trigger_id": "t-1", "model_id": "churn", "status": "accepted"})
    ((arrived),) = aws.arrived()
    fields = aws.fields(arrived)
    assert (fields["reason"], fields.get("requested_by")) == ("Qualität", requested_by)


@pytest.mark.parametrize("stage", ["$default", "prod"])
def test_a_path_and_a_query_are_read_as_they_were_sent(aws: Amazon, stage: str) -> None:
    """A model's id with a slash and an umlaut is one step of the path, behind whatever stage."""
    assert aws.answered(http_api_event(MODEL, stage=stage)).body["model_id"] == "any-ü/1"


@pytest.mark.parametrize("event_of", [function_url_event, http_api_event])
def test_a_model_has_one_name_in_every_path(aws: Amazon, event_of: Callable[[HttpRequest], Json]) -> None:
    """A function URL passes the path on as it was sent, an HTTP API decodes it: the id and the verb are the same."""
    for model_id in ("any-a/b", "any-%2F", "any-%", "any-a/pause"):
        path = f"/models/{quote(model_id, safe='')}"
        paused = aws.answered(event_of(HttpRequest(method="POST", path=f"{path}/pause")))
        assert (paused.status, paused.body) == (200, {"model_id": model_id, "state": "paused"})
        assert aws.answered(event_of(HttpRequest(method="GET", path=path))).body["model_id"] == model_id
    for path, status in (("/models", 200), ("/models/", 404), ("/health/", 404)):
        assert aws.answered(event_of(HttpRequest(method="GET", path=path))).status == status


def test_a_body_that_is_not_the_base64_that_it_claims_to_be(aws: Amazon) -> None:
    """A broken encoding is a body that is not valid JSON."""
    event = http_api_event(RETRAIN, base64_encoded=True) | {"body": "?"}
    assert aws.answered(event).status == 400


def test_an_answer_is_what_lambda_wants(aws: Amazon) -> None:
    """Status, headers and a body of text stand where function URLs and HTTP APIs look for them."""
    answer: Any = aws.account.emit.invoke(function_url_event(HttpRequest(method="GET", path="/health")))
    assert answer == {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"status": "ok"}'}


def test_a_rule_and_the_scheduler_tick_alike(aws: Amazon) -> None:
    """The same scheduled time from either source, once or twice, is the same trigger."""
    accepted = [aws.account.emit.invoke(TICK | {"source": source}) for source in ("aws.events", "aws.scheduler") * 2]
    expected = {"accepted": [{"model_id": "fraud", "trigger_id": "schedule:fraud:2026-11-23T09:30:00Z"}]}
    assert accepted == [expected] * 4
    assert requesters(aws) == [None] * 4


def test_the_sample_of_a_tick_is_a_tick(aws: Amazon) -> None:
    """The event that AWS's own tool makes as sample requests a training of the scheduled model at its time."""
    accepted: Any = aws.account.emit.invoke(sample("aws/samcli-ScheduledEvent.json"))
    assert accepted["accepted"] == [{"model_id": "fraud", "trigger_id": "schedule:fraud:1970-01-01T00:00:00Z"}]


@pytest.mark.parametrize("event", [TICK | {"time": 1763890200000}, {k: v for k, v in TICK.items() if k != "time"}])
def test_a_tick_without_a_time_counts_by_the_minute(aws: Amazon, event: Mapping[str, object]) -> None:
    """A tick without a time counts for the current minute."""
    accepted: Any = aws.account.emit.invoke({**event, "source": "aws.events"})
    moment = datetime.fromisoformat(accepted["accepted"][0]["trigger_id"].removeprefix("schedule:fraud:"))
    assert moment.second == moment.microsecond == 0
    assert timedelta() <= datetime.now(UTC) - moment < timedelta(minutes=2)


def test_a_direct_invocation_requests_a_training(aws: Amazon) -> None:
    """A direct invocation of `emit` with a request's fields returns the trigger that they became."""
    accepted: Any = aws.account.emit.invoke({"model_id": "churn", "parameters": {"epochs": 2}})
    ((asked),) = accepted["accepted"]
    ((event),) = aws.arrived()
    fields = aws.fields(event)
    assert asked == {"model_id": "churn", "trigger_id": fields["trigger_id"]}
    assert (fields["origin"], fields["parameters"]) == ("manual", {"epochs": 2})


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ([], "UnreadableEventError: an invocation must be a JSON object, not list"),
        ({"model_id": "absent"}, "UnknownModelError: model_id: the configuration has no model 'absent'"),
        (
            {"model_id": "churn", "severity": 1},
            "InvalidTriggerError: severity: must be one of low, medium, high, not 1",
        ),
    ],
)
def test_a_wrong_direct_invocation_fails_by_name(aws: Amazon, event: object, error: str) -> None:
    """The invoker sees the error and its text, and nothing is sent."""
    with pytest.raises(LambdaError) as raised:
        aws.account.emit.invoke(event)
    assert str(raised.value).startswith(error)
    assert aws.arrived() == []


def test_an_event_of_the_platform_comes_over_rule_and_queue(aws: Amazon) -> None:
    """The documented event, its names only beginning with ours, goes through rule and queue to the default model."""
    documented = sample("ml3cube/seed-eventbridge-sample.json")
    entry = {
        "Source": "ml3_platform.acme",
        "DetailType": "retrain_trigger_v2",
        "Detail": json.dumps(documented["detail"] | {"epochs": 5}),
        "EventBusName": BUS,
    }
    assert aws.account.events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    aws.drain()
    (execution,) = aws.sagemaker.executions()
    assert execution.parameters["epochs"] == "5"
    assert json.loads(execution.description or "")["origin"] == "event"
    assert aws.letters() == []


def test_a_batch_reports_nothing_when_all_went_well(aws: Amazon) -> None:
    """Ten messages of a batch, nine of them repeats, are one training and an empty report."""
    bodies = [json.dumps(aws.event({"model_id": "churn", "trigger_id": "t-1"}))] * 10
    assert aws.account.receive.invoke(sqs_batch(bodies)) == {"batchItemFailures": []}
    assert aws.trainings() == ["t-1"]


def test_a_batch_is_decided_in_its_order(aws: Amazon) -> None:
    """Ten triggers of one model are one training and nine decisions, and the newest one is kept."""
    names = [f"t-{number}" for number in range(10)]
    bodies = [json.dumps(aws.event({"model_id": "churn", "trigger_id": name})) for name in names]
    assert aws.account.receive.invoke(sqs_batch(bodies)) == {"batchItemFailures": []}
    state = read_state(aws.ledger.load("churn").document)
    assert state.queued is not None
    assert (aws.trainings(), state.queued.trigger.trigger_id) == (["t-0"], "t-9")
    assert [line.reason for line in state.decisions if line.trigger_id == "t-1"] == ["superseded", "queued"]


@pytest.mark.parametrize(
    "name", [path.name for path in sorted(EVENTS.glob("aws/*.json")) if "sqsEvent" not in path.name]
)
def test_samples_of_other_events_start_nothing(aws: Amazon, name: str) -> None:
    """Whatever else a rule may send to `receive` is acknowledged, and neither trains nor becomes a letter."""
    assert aws.deliver(sample(f"aws/{name}")).acknowledged
    assert (aws.trainings(), aws.letters(), aws.ledger.models(None, 10)) == ([], [], [])


def test_a_message_that_is_not_json_is_a_dead_letter(aws: Amazon) -> None:
    """The sample of a queue's batch has plain text in it: it is taken out of the queue and kept."""
    assert aws.account.receive.invoke(sample("aws/powertools-sqsEvent.json")) == {"batchItemFailures": []}
    assert [json.loads(text)["event"] for text in aws.letters()] == ["Test message."]


@pytest.mark.parametrize(
    ("groups", "failed", "trained"),
    [(("g", "g", "h"), ["m-0", "m-1"], ["t-3"]), ((), ["m-0"], ["t-2", "t-3"])],
    ids=["FIFO", "standard"],
)
def test_a_fifo_queue_keeps_its_order_when_a_message_fails(
    aws: Amazon, groups: tuple[str, ...], failed: list[str], trained: list[str]
) -> None:
    """Behind a message that failed, the later ones of its group are not acted on but reported; other groups go on."""
    models = {"t-1": "churn", "t-2": "any-a", "t-3": "any-b"}
    bodies = [json.dumps(aws.event({"model_id": model, "trigger_id": trigger})) for trigger, model in models.items()]
    with aws.turned_away("t-1"):
        report = aws.account.receive.invoke(sqs_batch(bodies, groups))
    assert report == {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}
    assert aws.trainings() == trained
    remaining = [int(name.removeprefix("m-")) for name in failed]
    again = sqs_batch([bodies[place] for place in remaining], [groups[place] for place in remaining] if groups else ())
    assert aws.account.receive.invoke(again) == {"batchItemFailures": []}
    assert aws.trainings() == [*trained, *(trigger for trigger in models if trigger not in trained)]
