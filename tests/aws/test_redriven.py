"""Failed events that are resent: the event is taken from Lambda's record, and none for another function is lost."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.aws.entry import read_request
from functions.aws.redriven import decode_queued, decode_redriven, original
from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.wire.eventbridge import Tick, decode
from shared.wire.incoming import Foreign, RunEnded, Signal, TriggerEvent
from tests.contracts.aws_records import FUNCTION, record

EVENTS = Path(__file__).parents[1] / "events"
SOURCE = "ml3_platform"
TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z"}
REQUEST = {"version": "2.0", "rawPath": "/retrain", "requestContext": {"http": {"method": "POST"}}, "body": "{}"}


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ml3cube/seed-eventbridge-sample.json", TriggerEvent),
        ("aws/awsdocs-sagemaker-pipeline-execution-status-change.json", RunEnded),
        ("aws/drift-detection-CloudWatchAlarm-feature_baseline_drift.json", Signal),
        ("aws/powertools-s3EventBridgeNotificationObjectCreatedEvent.json", Signal),
        ("aws/powertools-cloudWatchAlarmEventSingleMetric.json", Signal),
        ("aws/lambdago-cloudwatch-alarm-sns-payload-single-metric.json", Signal),
        ("aws/powertools-snsEvent.json", Foreign),
        ("aws/powertools-eventBridgeEvent.json", Foreign),
    ],
)
def test_an_event_of_a_rule_is_read_as_it_was_at_first(name: str, kind: type) -> None:
    """In a record, or in one of a second failure, it is what it was, with the same id."""
    event = sample(name)
    first = decode(event, SOURCE)
    assert isinstance(first, kind)
    for decoded in (decode_redriven, decode_queued):
        assert [decoded(sent, SOURCE) for sent in (event, record(event), record(record(event)))] == [first] * 3


@pytest.mark.parametrize(
    "event",
    [TICK, REQUEST, {"model_id": "churn"}, {"at": "2026-11-23T09:30:00Z"}, {}, [], None],
    ids=["tick", "HTTP", "request", "drift check", "nothing", "list", "null"],
)
def test_a_record_of_what_no_rule_delivered_is_rejected(event: object) -> None:
    """An event that another function failed with is not ignored: the error names that function."""
    for sent in (record(event, "emit"), record(record(event, "emit"))):
        with pytest.raises(
            UnreadableEventError, match=r"^this event failed in arn:aws:lambda:.*:function:emit:\$LATEST; resend it"
        ):
            decode_redriven(sent, SOURCE)


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (TICK, "the function `emit`"),
        (TICK | {"source": "aws.events"}, "the function `emit`"),
        ({"at": "2026-11-23T09:30:00Z"}, "the monitor"),
        ({"models": ["churn"], "at": "2026-11-23"}, "the monitor"),
    ],
)
def test_what_a_schedule_could_not_hand_over_is_rejected_from_a_queue(event: object, where: str) -> None:
    """A schedule leaves its input without a record; in a queue of events the error names the right function."""
    with pytest.raises(UnreadableEventError, match=f"; resend it to {where}$"):
        decode_queued(event, SOURCE)


@pytest.mark.parametrize("event", [{}, {"Type": "Notification"}, {"model_id": "churn", "at": "today"}])
def test_what_is_none_of_ours_stays_foreign(event: object) -> None:
    """Whatever else a queue may hold, none of which this stack put there, is ignored as before."""
    assert isinstance(decode_queued(event, SOURCE), Foreign)


def test_our_event_that_is_wrong_is_wrong_in_a_record_too() -> None:
    """The error is that of the event."""
    event = {"source": SOURCE, "detail-type": "retrain_trigger", "detail": 5}
    with pytest.raises(InvalidTriggerError, match="detail: must be an object"):
        decode_redriven(record(event), SOURCE)


@pytest.mark.parametrize("missing", ["timestamp", "requestContext", "requestPayload"])
def test_a_record_that_lacks_something_is_none(missing: str) -> None:
    """Only what has all parts that Lambda writes is opened."""
    whole = record(TICK)
    part = {name: value for name, value in whole.items() if name != missing}
    assert original(part).event is part
    assert (original(whole).event, original(whole).function) == (TICK, f"{FUNCTION}:receive:$LATEST")


def test_emit_reads_its_own_records() -> None:
    """A tick that is sent to `emit` again is the tick of its time, and a request is that request."""
    tick = Tick(at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
    assert read_request(original(record(TICK, "emit")).event) == tick
    asked = {"model_id": "churn", "trigger_id": "t-1"}
    assert read_request(original(record(asked, "emit")).event) == asked


def test_a_record_has_the_id_of_the_first_failed_invocation() -> None:
    """A request that is sent to `emit` again keeps the id of the invocation that may have succeeded."""
    first = record({"model_id": "churn"}, "emit")
    later = record(first, "emit")
    later["requestContext"]["requestId"] = "another"
    assert original(later).request_id == original(first).request_id == "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
    assert original({"model_id": "churn"}).request_id == ""
