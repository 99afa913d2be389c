"""Events of ours in an envelope: SNS, JSON in a string, a push without wrapper; and in one that is not known."""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from functions.aws.entry import record_event
from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.receive import Decode
from shared.training.admission import trigger_of
from shared.trigger import derived_id
from shared.wire.incoming import Foreign, Signal, TriggerEvent
from shared.wire.pubsub_delivery import wrapped
from tests.core.native import ALARM, BLOB, GCS_OBJECT, S3_OBJECT, SOURCE, aws, azure, gcp, message, sample
from tests.core.samples import NOW, configured, model_text

FIELDS: Final = {"model_id": "churn"}
RULE: Final = {
    "version": "0",
    "id": "e-1",
    "source": SOURCE,
    "detail-type": "retrain_trigger",
    "time": "2026-11-20T12:00:00Z",
    "detail": FIELDS,
}
GRID: Final = {
    "id": "e-1",
    "topic": "/t",
    "subject": SOURCE,
    "eventType": "retrain_trigger",
    "data": FIELDS,
}
CLOUD: Final = {
    "specversion": "1.0",
    "id": "e-1",
    "source": SOURCE,
    "type": "retrain_trigger",
    "data": FIELDS,
}
WHOLE: Final = {
    "project_id": "acme",
    "topic_name": "retraining",
    "source": SOURCE,
    "event_type": "retrain_trigger",
    "payload": FIELDS,
}
TOPIC: Final = "arn:aws:sns:eu-west-3:111122223333:retraining"


def notification(content: object, **fields: object) -> dict[str, Any]:
    """Return an SNS notification of *content*, as an SQS queue gets it without raw delivery."""
    text = content if isinstance(content, str) else json.dumps(content)
    times = {"Timestamp": "2026-11-20T12:00:01.000Z", "SignatureVersion": "1"}
    return {"Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": text, **times, **fields}


def invocation(content: object) -> dict[str, Any]:
    """Return the event by which SNS invokes a function with a notification of *content*."""
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": f"{TOPIC}:1"}
    return {"Records": [{**record, "Sns": notification(content)}]}


@pytest.mark.parametrize(
    "event",
    [
        notification(RULE),
        invocation(RULE),
        json.dumps(notification(RULE)),
        notification(json.dumps(json.dumps(RULE))),
        notification(notification(RULE)),
        invocation(notification(RULE)),
    ],
    ids=["in a queue", "to a function", "encoded twice", "message encoded twice", "topic to topic", "both"],
)
def test_an_event_by_way_of_a_topic_is_that_event(event: object) -> None:
    """Its id, its time and its fields are those that it has without the topic."""
    assert aws(event) == aws(RULE)


def test_an_event_without_an_id_has_that_of_its_notification() -> None:
    """SNS repeats the message id when it delivers again, so the trigger has the same id each time."""
    bare = {name: RULE[name] for name in ("source", "detail-type", "detail")}
    read = aws(notification(bare))
    assert read == aws(invocation(bare))
    assert (read.trigger_id, read.sent_at.isoformat()) == (f"{SOURCE}:m-1", "2026-11-20T12:00:01+00:00")
    assert aws(notification(bare, MessageId="m-2")).trigger_id == f"{SOURCE}:m-2"


@pytest.mark.parametrize("text", ["example message", "", "7", '"text"', '{"message": "hello"}'])
def test_a_notification_of_another_sender_is_foreign(text: str) -> None:
    """A topic may carry messages for people, and events of other applications."""
    for event in (notification(text), invocation(text)):
        assert isinstance(aws(event), Foreign)


def test_a_notification_of_a_spoilt_object_is_unreadable() -> None:
    """A message that begins like an object, and is not one, may be ours."""
    with pytest.raises(UnreadableEventError, match=f"the message of a notification of {TOPIC} is not valid JSON"):
        aws(notification(json.dumps(RULE)[:-1]))


@pytest.mark.parametrize("encode", [json.dumps, lambda value: json.dumps(json.dumps(value))], ids=["once", "twice"])
@pytest.mark.parametrize(
    ("event", "name", "decode"), [(RULE, "detail", aws), (GRID, "data", azure), (CLOUD, "data", azure)]
)
def test_content_that_is_json_in_a_string_is_opened(
    encode: Callable[[object], str], event: dict[str, object], name: str, decode: Decode
) -> None:
    """A client that encodes once too often requests the same training."""
    assert decode({**event, name: encode(FIELDS)}) == decode(event)
    assert decode(encode(event)) == decode(event)


@pytest.mark.parametrize("name", ["data", "payload"])
def test_a_message_that_is_json_in_a_string_is_opened(name: str) -> None:
    """A Pub/Sub message encoded twice, or only its payload, is the same trigger."""
    body = json.dumps(WHOLE) if name == "data" else WHOLE | {"payload": json.dumps(FIELDS)}
    assert gcp(message(body)) == gcp(message(WHOLE))
    assert gcp(json.dumps(message(WHOLE))) == gcp(message(WHOLE))


def test_a_payload_alone_in_a_string_is_opened() -> None:
    """With source and type in the attributes the data are the payload, which may be encoded twice as well."""
    ours = {"source": SOURCE, "event_type": "retrain_trigger"}
    assert gcp(message(json.dumps(FIELDS), **ours)) == gcp(message(FIELDS, **ours))


HEADERS: Final = {
    "x-goog-pubsub-subscription-name": "projects/acme/subscriptions/s",
    "x-goog-pubsub-message-id": "11",
    "x-goog-pubsub-publish-time": "2026-11-20T12:00:00Z",
    "authorization": "Bearer secret",
    "content-type": "application/x-www-form-urlencoded",
}


def unwrapped(body: object, **headers: str) -> Any:
    """Read a push without its wrapper."""
    push = wrapped(HEADERS | headers, b"" if body is None else json.dumps(body).encode())
    assert "secret" not in json.dumps(push)
    return gcp(push)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (WHOLE, {}),
        (FIELDS, {"source": SOURCE, "event_type": "retrain_trigger"}),
        # The server of the functions drops names with an underscore.
        (FIELDS, {"source": SOURCE}),
        (WHOLE, {"source": SOURCE}),
    ],
    ids=["whole", "payload", "type lost", "whole with a source"],
)
def test_a_push_without_its_wrapper_is_a_trigger(body: object, headers: dict[str, str]) -> None:
    """Id and time are those of the message, whose metadata are headers."""
    incoming = unwrapped(body, **headers)
    assert isinstance(incoming, TriggerEvent)
    assert (dict(incoming.fields), incoming.trigger_id) == (FIELDS, f"{SOURCE}:11")
    assert str(incoming.sent_at) == "2026-11-20 12:00:00+00:00"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (FIELDS, {}),
        (FIELDS, {"source": "another"}),
        (FIELDS, {"source": SOURCE, "event_type": "other"}),
        (WHOLE | {"event_type": "retrain_other"}, {"source": SOURCE}),
        (None, {}),
    ],
)
def test_another_push_without_its_wrapper_is_foreign(body: object, headers: dict[str, str]) -> None:
    """Without our source, or with another type wherever it is written, nothing is requested."""
    assert isinstance(unwrapped(body, **headers), Foreign)


def test_a_new_object_without_a_wrapper_is_a_signal() -> None:
    """A header keeps neither the case of an attribute's name nor, before it is decoded, its letters."""
    named = {"bucketid": "data", "objectid": "ü 1.csv".encode().decode("latin-1"), "objectgeneration": "5"}
    read = unwrapped(None, eventtype="OBJECT_FINALIZE", **named)
    attributes = {"bucketId": "data", "objectId": "ü 1.csv", "objectGeneration": "5"}
    whole = gcp(message(None, eventType="OBJECT_FINALIZE", **attributes))
    assert (read.subject, read.trigger_id) == (whole.subject, whole.trigger_id)


@pytest.mark.parametrize(
    ("name", "decode", "place"),
    [(ALARM, aws, "detail"), (S3_OBJECT, aws, "detail"), (GCS_OBJECT, gcp, "data"), (BLOB, azure, "data")],
)
def test_a_signal_whose_content_is_json_in_a_string_is_that_signal(name: str, decode: Decode, place: str) -> None:
    """Native events are opened like ours."""
    event = sample(name)
    event = event[0] if isinstance(event, list) else event
    read = decode({**event, place: json.dumps(event[place])})
    assert isinstance(read, Signal)
    assert read == decode(event)


def test_other_requests_are_no_push_without_a_wrapper() -> None:
    """Only the id of a message makes one."""
    assert wrapped({"source": SOURCE}, b"{}") is None


HIDDEN: Final[dict[str, tuple[object, Decode]]] = {
    "in a field": ({"event": RULE}, aws),
    "in a list": ([RULE], aws),
    "in the detail of another event": ({"source": "acme", "detail-type": "forwarded", "detail": RULE}, aws),
    "in a text": ({"Records": [{"eventSource": "aws:kafka", "value": json.dumps(RULE)}]}, aws),
    "in misspelt names": ({"source": SOURCE, "detailType": "retrain_trigger", "detail": FIELDS}, aws),
    "in a letter": ({"at": "2026-11-20T12:00:00Z", "cloud": "aws", "reason": "rejected", "event": RULE}, aws),
    "in a message": (message({"event": WHOLE}), gcp),
    "in a message's list": (message([WHOLE]), gcp),
    "in a text of a message": (message(f"forwarded: {json.dumps(WHOLE)}"), gcp),
    "in misspelt attributes": (message(FIELDS, source=SOURCE, type="retrain_trigger"), gcp),
    "in a push without wrapper or metadata": (WHOLE, gcp),
    "in another event": ({**CLOUD, "source": "//acme", "type": "acme.sent", "data": WHOLE}, gcp),
    "in the data of another event": ({**GRID, "subject": "acme", "eventType": "acme.sent", "data": GRID}, azure),
    "in the type of no sender": ({"eventType": "retrain_trigger", "sender": SOURCE, "data": FIELDS}, azure),
    "in Base64": (
        {
            "specversion": "1.0",
            "id": "1",
            "source": "acme",
            "type": "sent",
            "data_base64": base64.b64encode(json.dumps(CLOUD).encode()).decode(),
        },
        azure,
    ),
}


@pytest.mark.parametrize(("event", "decode"), HIDDEN.values(), ids=HIDDEN)
def test_our_event_in_an_unknown_envelope_is_never_ignored(event: object, decode: Decode) -> None:
    """Wherever both prefixes are, the event is rejected, so that it is kept for a person."""
    with pytest.raises(UnreadableEventError):
        decode(event)


@pytest.mark.parametrize(
    ("event", "decode"),
    [
        (RULE | {"source": f"acme.{SOURCE}"}, aws),
        (RULE | {"detail-type": "other", "detail": {"note": "retrain_trigger"}}, aws),
        (GRID | {"topic": f"/topics/{SOURCE}-retrain_trigger", "subject": "acme", "eventType": "sent"}, azure),
        (message(FIELDS, source=f"acme.{SOURCE}", event_type="retrain_trigger"), gcp),
        (message("text") | {"subscription": f"projects/acme/subscriptions/{SOURCE}-retrain_trigger"}, gcp),
    ],
    ids=["source", "type", "topic", "attributes", "subscription"],
)
def test_an_event_that_names_another_sender_stays_foreign(event: object, decode: Decode) -> None:
    """A readable sender and type that are not ours, or a topic with our name, are not an envelope around an event."""
    assert isinstance(decode(event), Foreign)


@pytest.mark.parametrize(("event", "decode"), [(RULE, aws), (GRID, azure), (CLOUD, azure)])
def test_a_string_that_holds_no_object_is_named(event: dict[str, object], decode: Decode) -> None:
    """Content cut short is a fault of that field, not of the envelope."""
    name = "detail" if "detail" in event else "data"
    with pytest.raises(InvalidTriggerError, match=f"^{name}: must be an object, not '{{\"model"):
        decode({**event, name: '{"model_id": '})


TRACE: Final = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "acme=1"}
ATTRIBUTES: Final = {"source": SOURCE, "event_type": "retrain_trigger"}
PUBLISHED: Final = {"specversion": "1.0", "id": "e-1", "type": "google.cloud.pubsub.topic.v1.messagePublished"}


@pytest.mark.parametrize(
    ("event", "decode"),
    [
        (RULE | TRACE, aws),
        (RULE | {"detail": FIELDS | TRACE}, aws),
        (RULE | {"detail": FIELDS | TRACE} | {"traceparent": TRACE["traceparent"].replace("-01", "-00")}, aws),
        (RULE | {"detail": FIELDS | {"traceparent": "?"}} | TRACE, aws),
        (
            notification(RULE, MessageAttributes={name: {"Type": "String", "Value": TRACE[name]} for name in TRACE}),
            aws,
        ),
        (
            record_event(
                {"body": json.dumps(RULE), "messageAttributes": {n: {"stringValue": TRACE[n]} for n in TRACE}}
            ),
            aws,
        ),
        (message(FIELDS, **ATTRIBUTES, **TRACE), gcp),
        (message(FIELDS, **ATTRIBUTES, **{f"googclient_{name}": value for name, value in TRACE.items()}), gcp),
        (message(WHOLE | TRACE), gcp),
        (PUBLISHED | TRACE | {"data": message(WHOLE)}, gcp),
        (wrapped({"x-goog-pubsub-message-id": "1", "source": SOURCE, **TRACE}, json.dumps(FIELDS).encode()), gcp),
        (CLOUD | TRACE, azure),
        (GRID | {"data": FIELDS | TRACE}, azure),
    ],
)
def test_the_trace_context_of_an_envelope_is_that_of_the_trigger(event: object, decode: Decode) -> None:
    """A valid one in the content precedes it."""
    incoming = decode(event)
    assert isinstance(incoming, TriggerEvent)
    read = trigger_of(configured(model_text()), "local", incoming, NOW)
    assert {"traceparent": read.traceparent, "tracestate": read.tracestate} == TRACE


def test_the_id_of_a_message_is_the_same_with_and_without_its_wrapper() -> None:
    """Two subscriptions of one topic, one of them without wrapper, make one trigger."""
    assert unwrapped(WHOLE).trigger_id == derived_id(SOURCE, "11")
