"""The faults that a test orders from the stand-in, each consumed by the requests it meets."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emulators.arm.problems import ArmError
from emulators.faults import Order


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
class Fault(Order):
    """An order for a fault.

    Attributes:
        kind: what goes wrong.
        operation: which requests: `PUT job`, `GET job`, or `*` for any.

    """

    kind: FaultKind
    operation: str = "PUT job"

    def error(self) -> ArmError | None:
        """Return the error answer of this kind, or None where there is none."""
        if self.kind not in _ERRORS:
            return None
        status, code, message = _ERRORS[self.kind]
        return ArmError(status, code, message)
