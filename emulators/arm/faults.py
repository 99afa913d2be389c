"""The faults of Azure Resource Manager that a test can order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emulators.arm.problems import ArmError
from emulators.faults import KindOrder
from emulators.loopback import Answer


class FaultKind(StrEnum):
    """Ways for a request to fail. Nothing was done unless stated."""

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
    """The work is done immediately, and the answer sent only after `seconds`."""


_ERRORS: Final[Mapping[FaultKind, tuple[int, str, str]]] = {
    FaultKind.THROTTLE: (429, "TooManyRequests", "The request was throttled; try again after some time."),
    FaultKind.INTERNAL: (500, "InternalServerError", "An internal server error occurred."),
    FaultKind.UNAVAILABLE: (503, "ServerTimeout", "The server is busy; try again."),
    FaultKind.REFUSE: (400, "UserError", "The pipeline job cannot be run as it is."),
    FaultKind.UNAUTHORIZED: (401, "ExpiredAuthenticationToken", "The access token expiry time is in the past."),
    FaultKind.FORBIDDEN: (403, "AuthorizationFailed", "The client does not have authorization to perform this action."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(KindOrder):
    """An order for a fault; `operation` is `PUT job`, `GET job`, `cancel job`, or `*` for any."""

    kind: FaultKind
    operation: str = "PUT job"

    @property
    def works_first(self) -> bool:
        """Whether the work is done before the silence."""
        return self.kind in {FaultKind.LOST_ANSWER, FaultKind.SLOW}

    def refusal(self) -> Answer | None:
        """Return the error answer of this kind; None for the kinds that stay silent."""
        return ArmError(*_ERRORS[self.kind]).answer() if self.kind in _ERRORS else None
