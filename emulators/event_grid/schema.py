"""The rules that a topic has for published events, and the forms in which it delivers them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from emulators.loopback import Answer, json_answer

Json = dict[str, Any]

# Documentation, "Event Grid event schema": the limits of an array and of each event in it.
SIZE_LIMIT: Final = 1_048_576
REQUIRED: Final = ("id", "subject", "eventType", "eventTime")
_NOT_AS_CONFIGURED: Final = (
    "This resource is configured to receive event in 'EventGridEvent' schema. "
    "The JSON received does not conform to the expected schema. "
)


class RefusedError(Exception):
    """A request that the topic refuses; none of its events was accepted.

    Attributes:
        status: the HTTP status.
        code: the error code.

    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def answer(self, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the HTTP answer, with additional *headers*."""
        error = {"code": self.code, "message": str(self), "details": [{"code": self.code}]}
        return json_answer(self.status, {"error": error}, headers)


def read(body: bytes, topic: str) -> list[Json]:
    """Return the events in the body of a request, with the fields that the topic adds.

    Raises:
        RefusedError: the body is too long or is not an array, or an event lacks a required property.

    """
    if len(body) > SIZE_LIMIT:
        raise RefusedError(413, "RequestEntityTooLarge", f"The maximum size ({SIZE_LIMIT}) has been exceeded.")
    try:
        events = json.loads(body)
    except ValueError:
        raise _nonconforming("The body is not valid JSON.") from None
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise _nonconforming("An array of objects is expected.")
    return [_stamped(event, topic) for event in events]


def _stamped(event: Json, topic: str) -> Json:
    missing = [name for name in REQUIRED if not isinstance(event.get(name), str) or not event[name]]
    if missing:
        raise _nonconforming(f"Required properties are missing or not strings: {', '.join(missing)}.")
    try:
        datetime.fromisoformat(event["eventTime"])
    except ValueError:
        raise _nonconforming(f"eventTime is not a valid date and time: {event['eventTime']!r}.") from None
    if event.get("topic") not in (None, "", topic):
        raise RefusedError(400, "BadRequest", "The topic of an event must be absent, or be this topic.")
    stamps = {"topic": topic, "dataVersion": event.get("dataVersion") or "", "metadataVersion": "1"}
    return {**event, "data": event.get("data"), **stamps}


def _nonconforming(problem: str) -> RefusedError:
    return RefusedError(400, "BadRequest", _NOT_AS_CONFIGURED + problem)


def as_cloud_event(event: Mapping[str, Any]) -> Json:
    """Return an event of the Event Grid schema as a subscription delivers it in the CloudEvents 1.0 schema."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "type": event["eventType"],
        "subject": event["subject"],
        "time": event["eventTime"],
        "data": event["data"],
        "specversion": "1.0",
    }
