"""The faults of GitHub that a test can order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from emulators.faults import KindOrder
from emulators.github.answers import error
from emulators.loopback import Answer


class FaultKind(StrEnum):
    """Ways for a request to fail."""

    PRIMARY_LIMIT = "primary_limit"
    """403, no request left until `x-ratelimit-reset`; nothing was done."""
    SECONDARY_LIMIT = "secondary_limit"
    """403 with `Retry-After`; nothing was done."""
    UNNAMED_LIMIT = "unnamed_limit"
    """403 that mentions the secondary limit only in its message; nothing was done."""
    TOO_MANY = "too_many"
    """429 with `Retry-After`; nothing was done."""
    MAINTENANCE = "maintenance"
    """503 with `Retry-After`; nothing was done."""
    INTERNAL = "internal"
    """500; the work may or may not have been done, and here it was not."""
    BAD_GATEWAY = "bad_gateway"
    """502 with an HTML page; here the work was done."""
    LOST_ANSWER = "lost_answer"
    """The work is done, and the connection closes without an answer."""
    HANG = "hang"
    """Nothing is done, and the connection stays silent for two seconds, or until the stand-in closes."""


WORKING = frozenset({FaultKind.BAD_GATEWAY, FaultKind.LOST_ANSWER})
"""The kinds of faults where the work is done nevertheless."""

_LATER = {"Retry-After": "1"}
_NONE_LEFT = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}
_ERRORS: Mapping[FaultKind, tuple[int, str, Mapping[str, str]]] = {
    FaultKind.PRIMARY_LIMIT: (403, "API rate limit exceeded for user ID 1.", _NONE_LEFT),
    FaultKind.SECONDARY_LIMIT: (403, "You have exceeded a secondary rate limit.", _LATER),
    FaultKind.UNNAMED_LIMIT: (403, "You have exceeded a secondary rate limit. Please wait a few minutes.", {}),
    FaultKind.TOO_MANY: (429, "Too many requests", _LATER),
    FaultKind.MAINTENANCE: (503, "Service unavailable", _LATER),
    FaultKind.INTERNAL: (500, "Server Error", {}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(KindOrder):
    """An order for a fault.

    Attributes:
        headers: headers of the answer in place of its usual ones.

    """

    kind: FaultKind
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def works_first(self) -> bool:
        """Whether the work is done nevertheless."""
        return self.kind in WORKING

    def refusal(self) -> Answer | None:
        """Return the answer of this kind; None if the connection closes without one."""
        if self.kind is FaultKind.BAD_GATEWAY:
            return Answer(status=502, body=b"<html>Unicorn!</html>", headers={"Content-Type": "text/html"})
        if self.kind not in _ERRORS:
            return None
        status, message, usual = _ERRORS[self.kind]
        return error(status, message, {**usual, **self.headers})
