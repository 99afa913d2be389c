"""The input of an entry point, and its output."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the delivery of one event ended.

    Attributes:
        acknowledged: whether the platform may forget the event.
        outcome: what the entry point answered, as JSON; empty where it raised.
        error: the type and the text of what it raised; empty where it answered.

    """

    acknowledged: bool
    outcome: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def verdict(self) -> tuple[str, str]:
        """Decision and reason; the error where there was one."""
        if not self.acknowledged:
            return "not acknowledged", self.error
        return self.outcome["decision"], self.outcome["reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice, as it has arrived: its title, and which trigger it is about."""

    title: str
    trigger_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request to the HTTP API.

    Attributes:
        method: in capitals.
        path: percent-encoded, with its query.
        content: the body: JSON, or bytes as they are; none: no body.
        headers: by name; a body is sent as `application/json` unless they say otherwise.

    """

    method: str
    path: str
    content: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of the HTTP API: status, body as JSON or else as text, headers by name in small letters."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], text: str) -> Self:
        """Return an answer with the body *text*, read as its content type says."""
        is_json = text and headers.get("content-type", "").endswith("json")
        return cls(status=status, body=json.loads(text) if is_json else text, headers=headers)


def bus_event(content: object) -> Json:
    """Return a trigger event in the form of EventBridge, which the bus of this machine has, too."""
    return {
        "version": "0",
        "id": "e-1",
        "detail-type": "retrain_trigger",
        "source": "ml3_platform",
        "time": "2026-11-21T12:00:00Z",
        "detail": content,
    }


def detail_of(event: object) -> Json:
    """Return the fields of a trigger in an event of that form."""
    assert isinstance(event, dict)
    detail: Json = event["detail"]
    return detail
