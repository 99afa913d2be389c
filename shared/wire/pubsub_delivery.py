"""The forms in which Google delivers a Pub/Sub message: CloudEvent, push, unwrapped push, background event."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.errors import UnreadableEventError
from shared.fields import brief
from shared.frozen import dataclass
from shared.json_text import opened
from shared.trace import TRACE_FIELDS
from shared.wire.reading import header_text, text, time

EVENT_TYPE: Final = "retrain_trigger"
PUBLISHED: Final = "google.cloud.pubsub.topic.v1.messagePublished"
# The events of first generation functions; functions-framework-conformance holds a sample of each.
LEGACY: Final = frozenset({"google.pubsub.topic.publish", "providers/cloud.pubsub/eventTypes/topic.publish"})

# The headers of a push without its wrapper, where the subscription writes metadata (Pub/Sub, "Payload unwrapping").
METADATA: Final = "x-goog-pubsub-"
# The attributes that are used, by header, as headers do not preserve the case of names. All other headers are ignored,
# because one of them contains the caller's token.
_ATTRIBUTES: Final = {
    name.lower(): name
    for name in (
        "source",
        "event_type",
        "eventType",
        "eventTime",
        "bucketId",
        "objectId",
        "objectGeneration",
        *TRACE_FIELDS,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as it was delivered.

    Attributes:
        attributes: its attributes that are text.
        data: its content.
        message_id: its id, the same on every delivery; empty if the event has none.
        sent_at: when it was published, if the event says so.
        subscription: the subscription that delivered it; empty if the event does not name it.

    """

    attributes: Mapping[str, str]
    data: bytes
    message_id: str
    sent_at: datetime | None
    subscription: str


def kind_of(event: Mapping[str, object]) -> str:
    """Return the type of an event in any form; empty if it has none."""
    if "specversion" in event:
        return text(event.get("type"))
    context = event.get("context")
    return text(event.get("eventType")) or (text(context.get("eventType")) if isinstance(context, Mapping) else "")


def wrapped(headers: Mapping[str, str], body: bytes) -> dict[str, object] | None:
    """Return an unwrapped push in the form of a wrapped one; None if *headers* are not those of an unwrapped push.

    Attributes are sent as headers, and the server of the functions (gunicorn) drops headers with an underscore in their
    name. So the attribute `event_type` is lost: a message with a `source` but without a type counts as a trigger event.

    Args:
        headers: the headers with names in lower case.
        body: the data of the message.

    """
    message_id = headers.get(f"{METADATA}message-id")
    if message_id is None:
        return None
    attributes = {_ATTRIBUTES[name]: header_text(value) for name, value in headers.items() if name in _ATTRIBUTES}
    content = opened(body)
    if "source" in attributes and not (isinstance(content, Mapping) and "event_type" in content):
        attributes.setdefault("event_type", EVENT_TYPE)
    message = {
        "data": base64.b64encode(body).decode(),
        "messageId": message_id,
        "publishTime": headers.get(f"{METADATA}publish-time"),
        "attributes": attributes,
    }
    return {"subscription": headers.get(f"{METADATA}subscription-name"), "message": message}


def read_delivery(event: Mapping[str, object]) -> Delivery | None:
    """Return the message that *event* delivers; None for any other kind of event.

    Raises:
        UnreadableEventError: it has the form of a Pub/Sub delivery, but is not valid.

    """
    if "specversion" in event:
        return _of_push(opened(event.get("data")), text(event.get("id"))) if kind_of(event) == PUBLISHED else None
    if kind_of(event):
        return _of_background_event(event) if kind_of(event) in LEGACY else None
    return _of_push(event, "") if "message" in event else None


def _of_push(body: object, event_id: str) -> Delivery:
    message = body.get("message") if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(message, Mapping):
        raise UnreadableEventError(f"a Pub/Sub event must hold a message, not {brief(body)}")
    # The emulator writes both names in both spellings; some samples only have the second.
    return Delivery(
        attributes=_attributes(message),
        data=_data(message),
        message_id=text(message.get("messageId")) or text(message.get("message_id")) or event_id,
        sent_at=time(message.get("publishTime")) or time(message.get("publish_time")),
        subscription=text(body.get("subscription")),
    )


def _of_background_event(event: Mapping[str, object]) -> Delivery:
    inner = event.get("context")
    context, message = inner if isinstance(inner, Mapping) else event, event.get("data")
    if not isinstance(message, Mapping):
        raise UnreadableEventError(f"a Pub/Sub event must hold a message, not {brief(message)}")
    return Delivery(
        attributes=_attributes(message),
        data=_data(message),
        message_id=text(context.get("eventId")),
        sent_at=time(context.get("timestamp")),
        subscription="",
    )


def _attributes(message: Mapping[str, object]) -> Mapping[str, str]:
    given = message.get("attributes")
    return {name: text(value) for name, value in given.items()} if isinstance(given, Mapping) else {}


def _data(message: Mapping[str, object]) -> bytes:
    # A message with attributes only has no data, or an empty one.
    data = message.get("data")
    try:
        if data is not None and not isinstance(data, str):
            raise ValueError(f"it is {brief(data)}")  # noqa: TRY301 - one message for every way to be wrong
        return base64.b64decode(data or "", validate=True)
    except ValueError as error:
        raise UnreadableEventError(f"the data of a Pub/Sub message must be base64: {error}") from error
