"""Google Pub/Sub: encodes triggers as messages, and decodes deliveries of push subscriptions and Eventarc."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.fields import brief
from shared.frozen import dataclass
from shared.json_text import compact, opened, parse_json
from shared.trace import trace_in
from shared.trigger import RetrainTrigger, derived_id
from shared.wire.incoming import Incoming, SweepRequest, TriggerEvent
from shared.wire.pubsub_delivery import EVENT_TYPE, Delivery, kind_of, read_delivery
from shared.wire.pubsub_runs import read_run_state
from shared.wire.reading import SWEEP, model_to_sweep, text

# The names of sender and type, in the attributes or around the payload.
_SENDER: Final = ("source", "event_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to publish.

    Attributes:
        data: the content, JSON.
        attributes: what a subscription can filter by.

    """

    data: bytes
    attributes: dict[str, str]


def encode(trigger: RetrainTrigger, source: str, topic: str) -> Message:
    """Return the message of *trigger*.

    Args:
        trigger: the trigger.
        source: the source of the event.
        topic: `projects/P/topics/T`.

    """
    attributes = {"model_id": trigger.model_id, "trigger_id": trigger.trigger_id}
    return _message(EVENT_TYPE, source, topic, trigger.to_fields(), attributes)


def encode_sweep(model_id: str, source: str, topic: str) -> Message:
    """Return the message that requests a sweep of *model_id*; the other arguments are those of `encode`."""
    fields = {"model_id": model_id}
    return _message(SWEEP, source, topic, fields, fields)


def _message(
    kind: str, source: str, topic: str, payload: Mapping[str, object], attributes: Mapping[str, str]
) -> Message:
    project, _, name = topic.removeprefix("projects/").partition("/topics/")
    sender = {"source": source, "event_type": kind}
    body = {"project_id": project, "topic_name": name, **sender, "payload": payload}
    return Message(data=compact(body).encode(), attributes={**sender, **attributes})


def decode(event: object, source: str) -> Incoming:
    """Decode a delivery.

    Source and type are matched by prefix. They may be in the attributes of the message, whose data is then the payload,
    or in the data, around the payload.

    Args:
        event: a CloudEvent in its structured form, the body of a push, or a background event, parsed from JSON.
        source: the prefix of the sources of trigger events.

    Raises:
        UnreadableEventError: it is not an object, not JSON although it must be, or a trigger event in an unknown
            envelope.
        InvalidTriggerError: it is a trigger event, but its payload is not an object; or it requests a sweep of an
            invalid model id.

    """
    given, event = event, opened(event)
    if not isinstance(event, Mapping):
        raise UnreadableEventError(f"an event must be an object, not {brief(given)}")
    delivery = read_delivery(event)
    if delivery is None:
        return _native_event(event, source)
    if (wanted := _sweep(delivery, source)) is not None:
        return wanted
    sender = _claim(delivery.attributes, source)
    content = _content(delivery, required=bool(sender))
    whole = _claim(content, source) if isinstance(content, Mapping) else ""
    if sender or whole:
        incoming = _trigger_event(delivery, sender or whole, content, claims_itself=bool(whole))
        return replace(incoming, trace=trace_in(delivery.attributes, content, event))
    ended = read_run_state(content) if isinstance(content, Mapping) else None
    return ended or _native_message(delivery, content, source)


def is_sweep(event: object) -> bool:
    """Return whether *event* requests a sweep of all models, as the schedule does; false if it cannot be read."""
    try:
        event = opened(event)
        delivery = read_delivery(event) if isinstance(event, Mapping) else None
        return delivery is not None and _sweep(delivery, "") == SweepRequest(model_id=None)
    except (UnreadableEventError, InvalidTriggerError):
        return False


def _sweep(delivery: Delivery, source: str) -> SweepRequest | None:
    """Return the sweep that is requested, in the attributes or, as in a push without them, in the data; or None.

    The schedule's message has nothing but the attribute `event_type`.
    """
    given = delivery.attributes
    if given.get("event_type", SWEEP) != SWEEP:
        return None
    body = _object(delivery.data)
    sender = text(given.get("source", body.get("source", source)))
    if given.get("event_type", body.get("event_type")) != SWEEP or not sender.startswith(source):
        return None
    return SweepRequest(model_id=model_to_sweep({**_object(body.get("payload")), **given}))


def _object(value: object) -> Mapping[str, object]:
    content = opened(value)
    return content if isinstance(content, Mapping) else {}


def _claim(fields: Mapping[str, object], source: str) -> str:
    """Return the source in *fields*, if source and type are ours; else an empty text."""
    sender, kind = text(fields.get("source")), text(fields.get("event_type"))
    return sender if sender.startswith(source) and kind.startswith(EVENT_TYPE) else ""


def _content(delivery: Delivery, *, required: bool) -> object:
    """Return the data as JSON; none if they are not JSON and need not be, such as the plain text of another sender.

    Data that begin like an object must be one: cut short, or spoilt, they may be ours, and would be ignored and lost.
    """
    try:
        return opened(parse_json(delivery.data))
    except ValueError as error:
        if required or delivery.data.lstrip().startswith(b"{"):
            raise UnreadableEventError(f"the data of the message are not valid JSON: {error}") from error
        return None


def _trigger_event(delivery: Delivery, sender: str, content: object, *, claims_itself: bool) -> TriggerEvent:
    fields = opened(content.get("payload")) if isinstance(content, Mapping) else content
    if isinstance(content, Mapping) and not isinstance(fields, Mapping) and not claims_itself:
        fields = content
    if not isinstance(fields, Mapping):
        raise InvalidTriggerError("payload", f"must be an object, not {brief(fields)}")
    return TriggerEvent(
        fields=fields,
        trigger_id=derived_id(sender, delivery.message_id) if delivery.message_id else "",
        sent_at=delivery.sent_at,
    )


def _native_event(event: Mapping[str, object], source: str) -> Incoming:
    # Not at the top, here and below: it would cost each cold start that launches.
    from shared.wire import signals_gcp
    from shared.wire.foreign import foreign, without

    what = _described(text(event.get("source")), kind_of(event))
    return signals_gcp.read_event(event) or foreign(what, source, EVENT_TYPE, without(event, "source", "type"))


def _native_message(delivery: Delivery, content: object, source: str) -> Incoming:
    from shared.wire import signals_gcp
    from shared.wire.foreign import foreign, without

    made_id = derived_id("pubsub", delivery.message_id) if delivery.message_id else ""
    signal = signals_gcp.read_message(content, delivery.attributes, delivery_id=made_id, sent_at=delivery.sent_at)
    body = without(content, *_SENDER) if isinstance(content, Mapping) else delivery.data
    what = _named(delivery, content)
    return signal or foreign(what, source, EVENT_TYPE, without(delivery.attributes, *_SENDER), body)


def _named(delivery: Delivery, content: object) -> str:
    fields = content if isinstance(content, Mapping) else {}
    log = text(fields.get("logName"))
    if log:
        return f"log entry of {log[:200]}"
    names = [text(delivery.attributes.get(name)) or text(fields.get(name)) for name in ("source", "event_type")]
    return _described(*names) if any(names) else f"a message of {delivery.subscription[:200] or 'an unknown topic'}"


def _described(sender: str, kind: str) -> str:
    return f"{sender[:100] or 'no source'} / {kind[:100] or 'no type'}"
