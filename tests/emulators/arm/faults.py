"""The faults that a test orders from the stand-in, each consumed by the requests it meets."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from tests.emulators.arm.problems import ArmError


class FaultKind(StrEnum):
    """What goes wrong with a request. Nothing was done, except where it says so."""

    THROTTLE = "throttle"
    """429 `TooManyRequests` with `Retry-After`."""
    INTERNAL = "internal"
    """500 `InternalServerError`."""
    UNAVAILABLE = "unavailable"
    """503 `ServerTimeout`."""
    REFUSE = "refuse"
    """400 `UserError`."""
    UNAUTHORIZED = "unauthorized"
    """401 `ExpiredAuthenticationToken`."""
    FORBIDDEN = "forbidden"
    """403 `AuthorizationFailed`."""
    HANG = "hang"
    """The connection stays silent for `seconds`, then closes."""
    LOST_ANSWER = "lost_answer"
    """The work is done; after `seconds` the connection closes without an answer."""
    SLOW = "slow"
    """The work is done at once and answered only after `seconds`."""


RETRY_AFTER: Final = "1"
_ERRORS: Final[Mapping[FaultKind, tuple[int, str, str]]] = {
    FaultKind.THROTTLE: (429, "TooManyRequests", "The request was throttled; try again after some time."),
    FaultKind.INTERNAL: (500, "InternalServerError", "An internal server error occurred."),
    FaultKind.UNAVAILABLE: (503, "ServerTimeout", "The server is busy; try again."),
    FaultKind.REFUSE: (400, "UserError", "The pipeline job cannot be run as it is."),
    FaultKind.UNAUTHORIZED: (401, "ExpiredAuthenticationToken", "The access token expiry time is in the past."),
    FaultKind.FORBIDDEN: (403, "AuthorizationFailed", "The client does not have authorization to perform this action."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An order for a fault.

    Attributes:
        kind: what goes wrong.
        operation: which requests: `PUT job`, `GET job`, or `*` for any.
        seconds: how long the silence lasts, for the kinds that have one.
        times: how many requests it hits; a client's own attempts count one by one.

    """

    kind: FaultKind
    operation: str = "PUT job"
    seconds: float = 0.0
    times: int = 1

    def error(self) -> ArmError | None:
        """Return the error answer of this kind, or None where there is none."""
        if self.kind not in _ERRORS:
            return None
        status, code, message = _ERRORS[self.kind]
        return ArmError(status, code, message)


class Faults:
    """The queue of ordered faults. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put an order at the end of the queue."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the first fault that hits a request of this operation, and use it up once."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.operation in {operation, "*"}:
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None
