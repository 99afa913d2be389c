"""EventBridge: what we send can be read again, and what others send is told apart."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import decode, encode
from shared.wire.incoming import Foreign, TriggerEvent
from tests.core.samples import COMPLETE as TRIGGER

EVENTS = Path(__file__).parents[1] / "events"
SOURCE = "ml3_platform"
NOW = TRIGGER.requested_at


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def delivered(entry: dict[str, Any], **changes: object) -> dict[str, Any]:
    """Return the event that a rule makes of a PutEvents entry."""
    event = {
        "version": "0",
        "id": "0b3f-1",
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "123456789012",
        "time": entry["Time"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-3",
        "resources": [],
        "detail": json.loads(entry["Detail"]),
    }
    return event | changes


def parsed(requested: TriggerEvent) -> RetrainTrigger:
    """Return the trigger in an event."""
    return RetrainTrigger.parse(
        requested.fields, trigger_id=requested.trigger_id, origin="event", requested_at=requested.sent_at or NOW
    )


def test_what_is_sent_is_what_is_received() -> None:
    """A trigger with every field comes out of the bus as it went in."""
    incoming = decode(delivered(encode(TRIGGER, SOURCE, "retraining")), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert parsed(incoming) == TRIGGER


def test_an_entry_has_the_documented_form() -> None:
    """The entry names source, type and bus, its time is that of the request, its detail is compact JSON."""
    entry = encode(TRIGGER, SOURCE, "arn:aws:events:eu-west-3:123456789012:event-bus/retraining")
    detail = entry.pop("Detail")
    assert entry == {
        "Source": "ml3_platform",
        "DetailType": "retrain_trigger",
        "EventBusName": "arn:aws:events:eu-west-3:123456789012:event-bus/retraining",
        "Time": NOW,
    }
    assert isinstance(detail, str)
    assert json.loads(detail) == TRIGGER.to_fields()
    assert ": " not in detail.replace("https://", "")


def test_the_event_of_ml_cubes_documentation_is_ours() -> None:
    """The documented event is a trigger with the id of the event, at the time of the event."""
    assert decode(sample("ml3cube/seed-eventbridge-sample.json"), SOURCE) == TriggerEvent(
        fields={"first_param": "hi", "second_param": "bye"},
        trigger_id="ml3_platform:fcdd87c7-f56e-c722-4f85-4cb6ba85a00a",
        sent_at=datetime(2023, 11, 2, 14, 16, 23, tzinfo=UTC),
    )


def test_what_is_sent_passes_the_rule_of_ml_cubes_documentation() -> None:
    """The rule pattern that ML cube gives its users lets our own events through."""
    pattern = sample("ml3cube/seed-eventbridge-pattern.json")
    event = delivered(encode(TRIGGER, SOURCE, "retraining"))
    for name, wanted in pattern.items():
        assert any(event[name].startswith(one["prefix"]) for one in wanted)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("ml3_platform", "retrain_trigger"),
        ("ml3_platform.eu", "retrain_trigger_v2"),
        ("ml3_platform/x", "retrain_triggers"),
    ],
)
def test_source_and_type_count_by_prefix(source: str, kind: str) -> None:
    """An event whose source and type only begin like ours is ours."""
    event = delivered(encode(TRIGGER, SOURCE, "b"), source=source, **{"detail-type": kind})
    assert isinstance(decode(event, SOURCE), TriggerEvent)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("ml3", "retrain_trigger"),
        ("my.ml3_platform", "retrain_trigger"),
        ("ml3_platform", "retrain"),
        ("ML3_platform", "x"),
    ],
)
def test_other_sources_and_types_are_foreign(source: str, kind: str) -> None:
    """An event whose source or type does not begin like ours is not ours, whatever its detail is."""
    event = delivered(encode(TRIGGER, SOURCE, "b"), source=source, **{"detail-type": kind})
    assert decode(event, SOURCE) == Foreign(what=f"{source} / {kind}")


@pytest.mark.parametrize(
    "name",
    [
        "powertools-codePipelineEvent.json",
        "powertools-eventBridgeEvent.json",
        "powertools-kinesisStreamEvent.json",
        "powertools-sqsEvent.json",
        "samcli-ScheduledEvent.json",
    ],
)
def test_events_of_other_services_are_foreign(name: str) -> None:
    """Whatever readable object arrives, it is foreign if it is not ours."""
    assert isinstance(decode(sample(f"aws/{name}"), SOURCE), Foreign)


def test_a_foreign_event_is_named_for_the_log() -> None:
    """The log gets source and type of a foreign event, however long they are, and nothing of its content."""
    named = decode(sample("aws/powertools-eventBridgeEvent.json"), SOURCE)
    nameless = decode({"source": 5, "detail-type": ["x"], "secret": "s"}, SOURCE)
    endless = decode({"source": "s" * 9999, "detail-type": "d" * 9999}, SOURCE)
    assert named == Foreign(what="aws.ec2 / EC2 Instance State-change Notification")
    assert nameless == Foreign(what="no source / no detail-type")
    assert endless == Foreign(what="s" * 100 + " / " + "d" * 100)


@pytest.mark.parametrize("event", [None, [], "text", 5, [{"source": SOURCE}]])
def test_what_is_not_an_object_is_unreadable(event: object) -> None:
    """Only an object can be an event."""
    with pytest.raises(UnreadableEventError, match="an event must be an object, not "):
        decode(event, SOURCE)


@pytest.mark.parametrize(
    ("detail", "shown"),
    [([1], r"\[1\]"), (None, "None"), ('{"model_id": ', '\'{"model_id"'), (7, "7"), ("[1]", r"\[1\]")],
)
def test_our_event_with_a_detail_that_is_not_an_object_is_rejected(detail: object, shown: str) -> None:
    """Our own event cannot be ignored: a detail that is not an object is a fault of that field."""
    event = delivered(encode(TRIGGER, SOURCE, "b"), detail=detail)
    with pytest.raises(InvalidTriggerError, match=f"^detail: must be an object, not {shown}") as raised:
        decode(event, SOURCE)
    assert raised.value.field == "detail"


@pytest.mark.parametrize("time", [1700000000000, "yesterday", "2026-11-21T03:00:00", "", None, "9999-99-99", {}])
def test_a_time_that_is_none_is_left_out(time: object) -> None:
    """Epoch milliseconds, a time without an offset or nonsense do not make an event unreadable."""
    incoming = decode(delivered(encode(TRIGGER, SOURCE, "b"), time=time), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.sent_at is None


def test_an_envelope_may_lack_everything_else() -> None:
    """Without id, time, account and the rest an event is ours all the same; it only brings no id."""
    event = {"source": SOURCE, "detail-type": "retrain_trigger", "detail": {"model_id": "churn"}, "new-field": {}}
    assert decode(event, SOURCE) == TriggerEvent(fields={"model_id": "churn"}, trigger_id="", sent_at=None)


@pytest.mark.parametrize("event_id", [5, None, "", "\ud800" * 200])
def test_an_id_that_is_not_a_string_is_not_an_id(event_id: object) -> None:
    """An id of another type, or one that cannot be written as UTF-8, gives no trigger id."""
    incoming = decode(delivered(encode(TRIGGER, SOURCE, "b"), id=event_id), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.trigger_id == ""
