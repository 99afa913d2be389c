"""Services with scripted answers, and the adapters and requests that are tested with them."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from emulators.loopback import Answer, Request
from functions.gcp.sessions import Session
from functions.http_session import CallLimits, Credentials
from shared.backoff import Backoff

SOURCE: Final = "ml3_platform"
IMPATIENT: Final = CallLimits(connect_timeout=1, read_timeout=0.3)

Reaction = Answer | None | Callable[[], Answer | None]
"""The reaction to a request: an answer, none to cut the connection, or a function that returns either."""


class Service:
    """Answers requests in the order of a script, and repeats the last answer.

    Attributes:
        requests: all that came.

    """

    def __init__(self, script: Sequence[Reaction]) -> None:
        """Follow *script*."""
        self.requests: list[Request] = []
        self._script = list(script)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Answer | None:
        """Answer one request."""
        with self._lock:
            reaction = self._script[min(len(self.requests), len(self._script) - 1)]
            self.requests.append(request)
        return reaction() if callable(reaction) else reaction

    @property
    def calls(self) -> list[str]:
        """The requests, as method and path."""
        return [f"{request.method} {request.path}" for request in self.requests]

    def content(self, place: int = -1) -> Any:
        """Return the JSON in the body of one request."""
        return json.loads(self.requests[place].body)


class Waiting:
    """Keeps a request waiting until a test ends, longer than any client waits."""

    def __init__(self) -> None:
        """Wait for `release`."""
        self._released = threading.Event()

    def __call__(self) -> None:
        """Wait, and then cut the connection."""
        self._released.wait(30)

    def release(self) -> None:
        """End all waiting."""
        self._released.set()


def said(content: object, status: int = 200) -> Answer:
    """Return an answer in JSON."""
    return Answer(status=status, body=json.dumps(content).encode(), headers={"Content-Type": "application/json"})


def refused(status: int, code: str, message: str = "no") -> Answer:
    """Return an error as Google writes it."""
    return said({"error": {"code": status, "message": message, "status": code}}, status)


def session_of(pauses: list[float], credentials: Credentials | None = None) -> Session:
    """Return a session that tries three times, gives up soon, and records its pauses instead of waiting."""
    backoff = Backoff(attempts=3, base=0.2, sleep=pauses.append, chance=lambda: 0.5)
    return Session(credentials, limits=IMPATIENT, backoff=backoff)
