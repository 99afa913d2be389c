"""Event Grid: what we send can be read again, in both schemas, and what others send is told apart."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidTriggerError, PermanentError, UnreadableEventError
from shared.trigger import MAX_TRIGGER_ID, RetrainTrigger
from shared.wire.eventgrid import decode, encode, events_of
from shared.wire.incoming import Foreign, RunEnded, Signal, TriggerEvent
from tests.core.samples import COMPLETE as TRIGGER

EVENTS = Path(__file__).parents[1] / "events"
SOURCE = "ml3_platform"
TOPIC = "/subscriptions/s/resourceGroups/r/providers/Microsoft.EventGrid/topics/retraining"
NOW = TRIGGER.requested_at
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = ["id", "topic", "subject", "eventType", "event_type", "eventTime", "data", "data_base64", "type", "source"]


def sample(name: str) -> Any:
    """Return the content of a recorded delivery."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def delivered(trigger: RetrainTrigger = TRIGGER, **changes: object) -> dict[str, Any]:
    """Return the event that a subscription with the Event Grid schema delivers for a trigger."""
    sent = encode(trigger, SOURCE)
    event = {
        "id": sent["id"],
        "topic": TOPIC,
        "subject": sent["subject"],
        "eventType": sent["event_type"],
        "eventTime": "2026-11-21T03:00:00.0000000Z",
        "data": json.loads(json.dumps(sent["data"])),
        "dataVersion": sent["data_version"],
        "metadataVersion": "1",
    }
    return {name: value for name, value in (event | changes).items() if value is not ...}


def as_cloud_event(**changes: object) -> dict[str, Any]:
    """Return the event that a subscription with the CloudEvents schema delivers for a trigger, its topic as source."""
    event = delivered()
    mapped = {
        "specversion": "1.0",
        "id": event["id"],
        "source": TOPIC,
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event["data"],
    }
    return {name: value for name, value in (mapped | changes).items() if value is not ...}


def parsed(requested: object) -> RetrainTrigger:
    """Return the trigger in an event."""
    assert isinstance(requested, TriggerEvent)
    return RetrainTrigger.parse(
        requested.fields, trigger_id=requested.trigger_id, origin="event", requested_at=requested.sent_at or NOW
    )


def test_an_event_has_the_documented_form() -> None:
    """The event carries our own id and the source as its subject; its data are the trigger's fields."""
    assert encode(TRIGGER, SOURCE) == {
        "id": "t-1",
        "subject": "ml3_platform",
        "event_type": "retrain_trigger",
        "data_version": "1.0",
        "data": TRIGGER.to_fields(),
        "event_time": NOW,
    }


@pytest.mark.parametrize("event", [delivered(), as_cloud_event()], ids=["Event Grid", "CloudEvents"])
def test_what_is_sent_is_what_is_received(event: dict[str, Any]) -> None:
    """A trigger with every field comes out of the topic as it went in, in whichever schema."""
    incoming = decode(event, SOURCE)
    assert parsed(incoming) == TRIGGER
    assert isinstance(incoming, TriggerEvent)
    assert incoming.sent_at == NOW


def test_the_event_of_ml_cubes_documentation_is_ours() -> None:
    """The documented event is a trigger, in the words of its documentation and as it looks on the wire."""
    literal = decode(sample("ml3cube/seed-eventgrid-literal.json"), SOURCE)
    wire = decode(events_of(sample("ml3cube/derived-eventgrid-wire.json"))[0], SOURCE)
    assert literal == TriggerEvent(fields={"model_id": "id of the model on ml cube platform"})
    assert wire == TriggerEvent(
        fields={"model_id": "id"},
        trigger_id=":ml3_platform:retrain_trigger:c1f97a79-b15c-4c4d-886f-f6dfca5a368e",
        sent_at=datetime(2026, 11, 21, 1, 0, 27, 115826, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("ml3_platform", "retrain_trigger"),
        ("ml3_platform/eu", "retrain_trigger_v2"),
        ("ml3_platforms", "retrain_triggers"),
    ],
)
def test_source_and_type_count_by_prefix(subject: str, kind: str) -> None:
    """An event whose source and type only begin like ours is ours, be the source the subject or the source."""
    events = [
        delivered(subject=subject, eventType=kind),
        delivered(subject=subject, eventType=..., event_type=kind),
        as_cloud_event(subject=subject, type=kind),
        as_cloud_event(subject=..., source=subject, type=kind),
    ]
    assert [type(decode(event, SOURCE)) for event in events] == [TriggerEvent] * 4


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("ml3", "retrain_trigger"),
        ("x/ml3_platform", "retrain_trigger"),
        ("ml3_platform", "retrain"),
        ("ML3_platform", "x"),
    ],
)
def test_other_sources_and_types_are_foreign(subject: str, kind: str) -> None:
    """An event whose source or type does not begin like ours is not ours, whatever its data are."""
    assert decode(delivered(subject=subject, eventType=kind), SOURCE) == Foreign(what=f"{subject} / {kind}")
    assert decode(as_cloud_event(subject=subject, type=kind), SOURCE) == Foreign(what=f"{subject} / {kind}")


@pytest.mark.parametrize(
    "name",
    [
        "docs-SubscriptionValidation.json",
        "docs-cloudevents-ModelDeployed.json",
        "docs-cloudevents-RunCompleted.json",
        "docs-eventgridschema-BlobDeleted.json",
        "docs-eventgridschema-BlobTierChanged-single-object.json",
        "docs-eventgridschema-ModelRegistered.json",
        "gosdk-RunStatusChanged.json",
        "pysdk-cloud_custom_dict.json",
    ],
)
def test_events_of_others_are_foreign(name: str) -> None:
    """Runs that are not ours, deleted blobs, handshakes and unknown types are told apart from triggers."""
    assert [type(decode(event, SOURCE)) for event in events_of(sample(f"azure/{name}"))] == [Foreign]


def test_a_foreign_event_is_named_for_the_log() -> None:
    """The log gets subject and type of a foreign event, however long they are, and nothing of its content."""
    named = decode(events_of(sample("azure/docs-eventgridschema-ModelRegistered.json"))[0], SOURCE)
    assert named == Foreign(
        what="models/sklearn_regression_model:20 / Microsoft.MachineLearningServices.ModelRegistered"
    )
    assert decode({"subject": 5, "eventType": ["x"], "data": "s"}, SOURCE) == Foreign(what="no subject / no type")
    endless = decode({"subject": "s" * 9999, "eventType": "d" * 9999}, SOURCE)
    assert endless == Foreign(what="s" * 100 + " / " + "d" * 100)


@pytest.mark.parametrize("event", [None, [], "text", 5, [delivered()]])
def test_what_is_not_an_object_is_unreadable(event: object) -> None:
    """Only an object can be an event."""
    with pytest.raises(UnreadableEventError, match="an event must be an object, not "):
        decode(event, SOURCE)


def test_a_delivery_is_an_array_or_a_bare_event() -> None:
    """Event Grid sends arrays, of CloudEvents a bare object too; what is neither is left for the codec to refuse."""
    assert events_of([1, {}]) == [1, {}]
    assert events_of({"id": "e"}) == [{"id": "e"}]
    assert events_of([]) == []
    assert events_of("text") == ["text"]


@pytest.mark.parametrize(
    "data",
    [{"model_id": "churn"}, '{"model_id": "churn"}', b'{"model_id": "churn"}'],
    ids=["object", "text", "bytes"],
)
def test_data_may_be_an_object_or_json(data: object) -> None:
    """The fields are read from an object and from JSON of one."""
    for event in (delivered(data=data), as_cloud_event(data=data)):
        incoming = decode(event, SOURCE)
        assert isinstance(incoming, TriggerEvent)
        assert incoming.fields == {"model_id": "churn"}


def test_data_may_be_packed() -> None:
    """A CloudEvent whose data are binary holds them in Base64."""
    packed = base64.b64encode(b'{"model_id": "churn"}').decode()
    incoming = decode(as_cloud_event(data=..., data_base64=packed), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.fields == {"model_id": "churn"}


@pytest.mark.parametrize("event", [delivered(data=...), delivered(data=None), as_cloud_event(data=...)])
def test_an_event_without_data_is_rejected(event: dict[str, Any]) -> None:
    """Missing data means missing fields: a request for the default model has an empty object."""
    with pytest.raises(InvalidTriggerError, match=r"^data: must be an object, not None$"):
        decode(event, SOURCE)
    assert isinstance(decode(event | {"data": {}}, SOURCE), TriggerEvent)


@pytest.mark.parametrize(
    ("data", "shown"),
    [([1], r"\[1\]"), ("[1]", r"\[1\]"), ("no JSON", "'no JSON'"), (7, "7"), ("[" * 100_000, r"'\[\[")],
)
def test_our_event_with_data_that_are_no_object_is_rejected(data: object, shown: str) -> None:
    """Our own event cannot be ignored: data that are not an object are a fault of that field."""
    with pytest.raises(InvalidTriggerError, match=f"^data: must be an object, not {shown}") as raised:
        decode(delivered(data=data), SOURCE)
    assert raised.value.field == "data"


@pytest.mark.parametrize("packed", ["no Base64!", 5, ["e30="], "é"])
def test_packed_data_that_are_none_are_rejected(packed: object) -> None:
    """A value that is not valid Base64 is a fault of that field."""
    with pytest.raises(InvalidTriggerError, match=r"^data_base64: must be Base64, not "):
        decode(as_cloud_event(data=..., data_base64=packed), SOURCE)


@pytest.mark.parametrize("time", [1700000000000, "yesterday", "2026-11-21T03:00:00", "", None, "9999-99-99", {}])
def test_a_time_that_is_none_is_left_out(time: object) -> None:
    """Epoch milliseconds, a time without an offset or nonsense do not make an event unreadable."""
    for event in (delivered(eventTime=time), as_cloud_event(time=time)):
        incoming = decode(event, SOURCE)
        assert isinstance(incoming, TriggerEvent)
        assert incoming.sent_at is None


def test_the_derived_id_distinguishes_every_event() -> None:
    """Samples of different types share one id: topic, subject and type belong to it, of a CloudEvent its source."""
    bare = delivered(data={"model_id": "churn"})
    changes: list[dict[str, Any]] = [
        {},
        {"topic": "/other"},
        {"subject": "ml3_platform/x"},
        {"eventType": "retrain_trigger_v2"},
        {"id": "t-2"},
    ]
    ids = [
        incoming.trigger_id for change in changes if isinstance(incoming := decode(bare | change, SOURCE), TriggerEvent)
    ]
    assert len(set(ids)) == 5
    assert all(len(each) <= MAX_TRIGGER_ID for each in ids)
    cloud = decode(as_cloud_event(source="ml3_platform", id="e-1"), SOURCE)
    assert isinstance(cloud, TriggerEvent)
    assert cloud.trigger_id == "ml3_platform:e-1"


@pytest.mark.parametrize("event_id", [..., 5, None, "", "\ud800" * 200])
def test_an_id_that_is_not_a_string_is_not_an_id(event_id: object) -> None:
    """A missing id, one of another type, or one that cannot be written as UTF-8, gives no trigger id."""
    for event in (delivered(id=event_id), as_cloud_event(id=event_id)):
        incoming = decode(event, SOURCE)
        assert isinstance(incoming, TriggerEvent)
        assert incoming.trigger_id == ""


def test_an_envelope_may_lack_everything_else() -> None:
    """Without id, topic, time and version an event is ours all the same; it only brings no id."""
    event = {"subject": SOURCE, "eventType": "retrain_trigger", "data": {"model_id": "churn"}, "new-field": {}}
    assert decode(event, SOURCE) == TriggerEvent(fields={"model_id": "churn"}, trigger_id="", sent_at=None)


@given(st.dictionaries(st.sampled_from([*NAMES, "specversion"]), JSON))
def test_no_event_is_beyond_reading(event: dict[str, object]) -> None:
    """Whatever an envelope contains, it is recognised or rejected; no other error comes out."""
    try:
        incoming = decode(event, SOURCE)
    except PermanentError:
        return
    assert isinstance(incoming, TriggerEvent | RunEnded | Signal | Foreign)


@given(st.dictionaries(st.text(), JSON))
def test_any_fields_come_out_as_they_went_in(fields: dict[str, object]) -> None:
    """Object, text and packed text are three spellings of the same fields."""
    text = json.dumps(fields)
    packed = base64.b64encode(text.encode()).decode()
    spellings = [
        delivered(data=json.loads(text)),
        delivered(data=text),
        as_cloud_event(data=..., data_base64=packed),
    ]
    found = [decode(event, SOURCE) for event in spellings]
    assert {json.dumps(each.fields) for each in found if isinstance(each, TriggerEvent)} == {text}
