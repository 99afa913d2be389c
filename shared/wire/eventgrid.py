"""Azure Event Grid: encodes triggers as events, and decodes the events of a subscription in both schemas."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.fields import brief
from shared.json_text import opened
from shared.trace import trace_in
from shared.trigger import RetrainTrigger, derived_id
from shared.wire.eventgrid_runs import ended
from shared.wire.incoming import Incoming, SweepRequest, TriggerEvent
from shared.wire.reading import SWEEP, model_to_sweep, text, time

EVENT_TYPE: Final = "retrain_trigger"
DATA_VERSION: Final = "1.0"

# The names of source and type in CloudEvents and in the Event Grid schema.
_ENVELOPE: Final = frozenset({"source", "subject", "topic", "type", "eventType", "event_type"})


def encode(trigger: RetrainTrigger, source: str) -> dict[str, Any]:
    """Return the event of *trigger*, with the argument names of `azure.eventgrid.EventGridEvent`.

    Args:
        trigger: the trigger.
        source: the source of the event, which is the subject in the Event Grid schema.

    """
    return {
        "id": trigger.trigger_id,
        "subject": source,
        "event_type": EVENT_TYPE,
        "data_version": DATA_VERSION,
        "data": trigger.to_fields(),
        "event_time": trigger.requested_at,
    }


def encode_sweep(model_id: str, source: str) -> dict[str, Any]:
    """Return the event that requests a sweep of *model_id*, without id and time, which the SDK adds; see `encode`."""
    return {"subject": source, "event_type": SWEEP, "data_version": DATA_VERSION, "data": {"model_id": model_id}}


def events_of(body: object) -> list[object]:
    """Return the events in a delivery: an array, or a single CloudEvent."""
    content = opened(body)
    return list(content) if isinstance(content, list) else [body]


def decode(event: object, source: str) -> Incoming:
    """Decode one event of a subscription.

    Source and type are matched by prefix. CloudEvents 1.0 differ from the Event Grid schema (in camel case, or in the
    snake case of ML cube's documentation) by `specversion`. Nothing else in the envelope is required: the id may be
    missing, the time may be missing or invalid, any field may be added.

    Args:
        event: the event, parsed from JSON.
        source: the prefix of the sources of trigger events.

    Raises:
        UnreadableEventError: it is not an object, or a trigger event in an unknown envelope.
        InvalidTriggerError: it is ours, but its `data` is not an object, or requests a sweep of an invalid model id.

    """
    given, event = event, opened(event)
    if not isinstance(event, Mapping):
        raise UnreadableEventError(f"an event must be an object, not {brief(given)}")
    return _decode_cloud(event, source) if "specversion" in event else _decode_grid(event, source)


def _decode_grid(event: Mapping[str, Any], source: str) -> Incoming:
    subject, kind = text(event.get("subject")), text(event.get("eventType", event.get("event_type")))
    sent_at = time(event.get("eventTime", event.get("event_time")))
    topic, event_id = text(event.get("topic")), text(event.get("id"))
    trigger_id = derived_id(topic, subject, kind, event_id) if event_id else ""
    if subject.startswith(source) and kind.startswith(EVENT_TYPE):
        return _trigger_event(event, trigger_id, sent_at)
    if subject.startswith(source) and kind == SWEEP:
        return SweepRequest(model_id=model_to_sweep(_data(event)))
    return _native_event(
        event, source, kind=kind, topic=topic, subject=subject, delivery_id=trigger_id, sent_at=sent_at
    )


def _decode_cloud(event: Mapping[str, Any], source: str) -> Incoming:
    sender, subject = text(event.get("source")), text(event.get("subject"))
    kind, sent_at = text(event.get("type")), time(event.get("time"))
    event_id = text(event.get("id"))
    trigger_id = derived_id(sender, event_id) if event_id else ""
    # If a topic maps its events to CloudEvents, the topic becomes the source, and the subject stays.
    if (sender.startswith(source) or subject.startswith(source)) and kind.startswith(EVENT_TYPE):
        return _trigger_event(event, trigger_id, sent_at)
    if (sender.startswith(source) or subject.startswith(source)) and kind == SWEEP:
        return SweepRequest(model_id=model_to_sweep(_data(event)))
    return _native_event(
        event, source, kind=kind, topic=sender, subject=subject, delivery_id=trigger_id, sent_at=sent_at
    )


def _trigger_event(event: Mapping[str, Any], trigger_id: str, sent_at: datetime | None) -> TriggerEvent:
    return TriggerEvent(fields=_data(event), trigger_id=trigger_id, sent_at=sent_at, trace=trace_in(event))


def _native_event(given: Mapping[str, Any], source: str, **read: Any) -> Incoming:  # noqa: ANN401 - those of GridEvent
    # Not at the top: it would cost each cold start that launches.
    from shared.wire.foreign import foreign
    from shared.wire.signals_azure import GridEvent, read_signal

    event = GridEvent(data=opened(given.get("data")), **read)
    news = ended(event.kind, event.topic, event.subject, event.data, event.sent_at) or read_signal(event)
    about = event.subject or event.topic
    what = f"{about[:100] or 'no subject'} / {event.kind[:100] or 'no type'}"
    is_complete = bool(about and event.kind)
    rest = {name: value for name, value in given.items() if not is_complete or name not in _ENVELOPE}
    return news or foreign(what, source, EVENT_TYPE, rest, _packed_text(given.get("data_base64")))


def _data(event: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the fields of a trigger event: `data` as an object, or as JSON in a string or in Base64."""
    data = event.get("data")
    if data is None and event.get("data_base64") is not None:
        data = _unpacked(event["data_base64"])
    fields = opened(data)
    if not isinstance(fields, Mapping):
        raise InvalidTriggerError("data", f"must be an object, not {brief(fields)}")
    return fields


def _unpacked(packed: object) -> bytes:
    try:
        if not isinstance(packed, str):
            raise TypeError  # noqa: TRY301 - one message for every way to be wrong
        return base64.b64decode(packed, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidTriggerError("data_base64", f"must be Base64, not {brief(packed)}") from error


def _packed_text(packed: object) -> bytes:
    """Return the content of any other event if it is valid Base64; else nothing."""
    try:
        return _unpacked(packed)
    except InvalidTriggerError:
        return b""
