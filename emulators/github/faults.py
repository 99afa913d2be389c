"""What goes wrong at GitHub when a test says so."""

from collections.abc import Mapping
from enum import StrEnum

from emulators.github.answers import error
from emulators.loopback import Answer


class FaultKind(StrEnum):
    """What goes wrong with a request."""

    PRIMARY_LIMIT = "primary_limit"
    """403, nothing left until `x-ratelimit-reset`; nothing was done."""
    SECONDARY_LIMIT = "secondary_limit"
    """403 with `Retry-After`; nothing was done."""
    UNTOLD_LIMIT = "untold_limit"
    """403 that names the secondary limit in its text only; nothing was done."""
    TOO_MANY = "too_many"
    """429 with `Retry-After`; nothing was done."""
    MAINTENANCE = "maintenance"
    """503 with `Retry-After`; nothing was done."""
    INTERNAL = "internal"
    """500; it may or may not be done, and here it is not."""
    BAD_GATEWAY = "bad_gateway"
    """502, a page of HTML; here the work was done."""
    LOST_ANSWER = "lost_answer"
    """The work is done, and the connection closes without an answer."""
    HANG = "hang"
    """Nothing is done, and the connection stays silent until the stand-in closes, or for two seconds."""


WORKING = frozenset({FaultKind.BAD_GATEWAY, FaultKind.LOST_ANSWER})
"""The kinds whose work is done all the same."""


_LATER = {"Retry-After": "1"}
_NONE_LEFT = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}
_ERRORS: Mapping[FaultKind, tuple[int, str, Mapping[str, str]]] = {
    FaultKind.PRIMARY_LIMIT: (403, "API rate limit exceeded for user ID 1.", _NONE_LEFT),
    FaultKind.SECONDARY_LIMIT: (403, "You have exceeded a secondary rate limit.", _LATER),
    FaultKind.UNTOLD_LIMIT: (403, "You have exceeded a secondary rate limit. Please wait a few minutes.", {}),
    FaultKind.TOO_MANY: (429, "Too many requests", _LATER),
    FaultKind.MAINTENANCE: (503, "Service unavailable", _LATER),
    FaultKind.INTERNAL: (500, "Server Error", {}),
}


def answer_of(kind: FaultKind, headers: Mapping[str, str]) -> Answer | None:
    """Return the answer of a fault; None where the connection closes without one.

    Args:
        kind: the fault.
        headers: headers that it has in place of the usual ones.

    """
    if kind is FaultKind.BAD_GATEWAY:
        return Answer(status=502, body=b"<html>Unicorn!</html>", headers={"Content-Type": "text/html"})
    if kind not in _ERRORS:
        return None
    status, message, usual = _ERRORS[kind]
    return error(status, message, {**usual, **headers})
