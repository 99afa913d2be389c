"""Services that answer as a test tells them, and the adapters and requests that are tried on them."""

import dataclasses
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from emulators.loopback import Answer, Request
from functions.gcp.rest import Session
from functions.http_session import CallLimits, Credentials
from shared.backoff import Backoff
from shared.fields import Parameter
from shared.ports import LaunchRequest
from shared.trigger import RetrainTrigger

SOURCE: Final = "ml3_platform"
TRIGGER: Final = RetrainTrigger(
    model_id="churn",
    trigger_id="t-1",
    origin="drift",
    requested_at=datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
    reason="Qualität fällt",
    severity="high",
)
IMPATIENT: Final = CallLimits(connect_timeout=1, read_timeout=0.3)

Told = Answer | None | Callable[[], Answer | None]
"""What a service does with one request: it answers, cuts the connection, or finds out what to do."""


class Service:
    """Answers requests one after another as it was told, the last way for ever.

    Attributes:
        requests: all that came.

    """

    def __init__(self, told: Sequence[Told]) -> None:
        """Answer as *told*."""
        self.requests: list[Request] = []
        self._told = list(told)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer | None:
        """Answer one request."""
        with self._lock:
            told = self._told[min(len(self.requests), len(self._told) - 1)]
            self.requests.append(request)
        return told() if callable(told) else told

    @property
    def calls(self) -> list[str]:
        """What was asked, as method and path."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def content(self, place: int = -1) -> Any:
        """Return the JSON in the body of one request."""
        return json.loads(self.requests[place].body)


class Waiting:
    """Keeps a request waiting until a test is over, longer than anybody waits for its answer."""

    def __init__(self) -> None:
        """Wait for `release`."""
        self._released = threading.Event()

    def __call__(self) -> None:
        """Wait, and then cut the connection."""
        self._released.wait(30)

    def release(self) -> None:
        """Let everybody go on."""
        self._released.set()


def said(content: object, status: int = 200) -> Answer:
    """Return an answer in JSON."""
    return Answer(status=status, body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def refused(status: int, code: str, message: str = "no") -> Answer:
    """Return an error as Google writes it."""
    return said({"error": {"code": status, "message": message, "status": code}}, status)


def session_of(pauses: list[float], credentials: Credentials | None = None) -> Session:
    """Return a session that tries three times, gives silent services up soon, and notes its pauses instead."""
    backoff = Backoff(attempts=3, base=0.2, sleep=pauses.append, chance=lambda: 0.5)
    return Session(credentials, limits=IMPATIENT, backoff=backoff)


def trigger(number: int = 1, **fields: Any) -> RetrainTrigger:
    """Return a trigger with a number in its id."""
    return dataclasses.replace(TRIGGER, **({"trigger_id": f"t-{number}"} | fields))


def request(
    asked: RetrainTrigger = TRIGGER, parameters: Mapping[str, Parameter] = MappingProxyType({})
) -> LaunchRequest:
    """Return a request that was claimed just now."""
    return LaunchRequest(
        trigger=asked,
        token=asked.token,
        parameters=parameters,
        claimed_at=datetime.now(UTC),
        max_run=timedelta(hours=1),
    )
