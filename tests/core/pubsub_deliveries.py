"""One message, as each of Google's ways delivers it."""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

EVENTS: Final = Path(__file__).parents[1] / "events"
OURS: Final = {"source": "ml3_platform", "event_type": "retrain_trigger"}

Json = dict[str, Any]
Deliver = Callable[[Mapping[str, Any]], Json]
"""Returns the event that delivers a message."""

_TIME: Final = "2026-11-21T03:00:01Z"


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def message_of(content: object, attributes: Mapping[str, str]) -> Json:
    """Return a message as Pub/Sub keeps it, with an object or with bytes as its data."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {
        "data": base64.b64encode(data).decode(),
        "attributes": dict(attributes),
        "messageId": "7",
        "publishTime": _TIME,
    }


def push(message: Mapping[str, Any]) -> Json:
    """Return the body of a push."""
    return {"message": dict(message), "subscription": "projects/acme/subscriptions/receive"}


def push_of_emulator(message: Mapping[str, Any]) -> Json:
    """Return the body of a push as the emulator writes it: both spellings of each name."""
    twice = {"message_id": message["messageId"], "publish_time": message["publishTime"]}
    return push({**message, **twice})


def push_in_snake_case(message: Mapping[str, Any]) -> Json:
    """Return the body of a push in the other spelling."""
    names = {"messageId": "message_id", "publishTime": "publish_time"}
    return push({names.get(name, name): value for name, value in message.items()})


def eventarc(message: Mapping[str, Any]) -> Json:
    """Return the CloudEvent of Eventarc in its structured form."""
    return {
        "specversion": "1.0",
        "id": "7",
        "source": "//pubsub.googleapis.com/projects/acme/topics/triggers",
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "time": _TIME,
        "data": push(message),
    }


def nested(message: Mapping[str, Any]) -> Json:
    """Return the background event of a first generation function, its context nested."""
    context = {"eventId": "7", "timestamp": _TIME, "eventType": "google.pubsub.topic.publish", "resource": {}}
    return {"context": context, "data": _of_background(message)}


def flat(message: Mapping[str, Any]) -> Json:
    """Return the background event of a first generation function, its context flat."""
    kind = "providers/cloud.pubsub/eventTypes/topic.publish"
    return {"eventId": "7", "timestamp": _TIME, "eventType": kind, "resource": "t", "data": _of_background(message)}


def _of_background(message: Mapping[str, Any]) -> Json:
    return {name: message[name] for name in ("data", "attributes")} | {"@type": "PubsubMessage"}


FORMS: Final[Mapping[str, Deliver]] = {
    "push": push,
    "push of the emulator": push_of_emulator,
    "push in snake case": push_in_snake_case,
    "Eventarc": eventarc,
    "nested": nested,
    "flat": flat,
}
