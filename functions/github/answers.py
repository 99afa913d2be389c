"""The one place where the answers of GitHub become errors of this project."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.errors import RetrainError, TargetRefusedError, UnavailableError
from shared.frozen import dataclass

TAKEN: Final = 204
UNAUTHORIZED: Final = 401
NO_CONNECTION: Final = 0
"""The status of an answer that there is not, because nothing was sent."""

# Documentation, "Rate limits for the REST API": without a time in the answer, wait for at least one minute.
UNTOLD_PAUSE: Final = 60.0

_LIMITED: Final = frozenset({403, 429})
_NOT_FOUND: Final = 404
# Anything else is repaired by time or by an operator, as on every cloud: limits, 5xx, and just as well missing rights.
_REFUSED: Final = frozenset({400, _NOT_FOUND, 410, 413, 422, 451})
_MOVED: Final = frozenset({301, 302, 307, 308})
_HINTS: Final = {
    UNAUTHORIZED: "the token in RETRAIN_GITHUB_TOKEN is wrong or has expired",
    403: "the token may not: it needs the permission Contents, read and write (a classic one: the scope repo)",
    _NOT_FOUND: "there is no such repository, or the token may not see it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GitHub said.

    Attributes:
        status: the HTTP status, or `NO_CONNECTION`.
        headers: by lower-case name.
        message: what it says about it, one line, for people; the token is not in it.

    """

    status: int
    headers: Mapping[str, str]
    message: str

    @property
    def is_limited(self) -> bool:
        """Whether a rate limit was met, primary or secondary; the latter may show in the text alone."""
        if self.status == 429:  # noqa: PLR2004 - Too Many Requests
            return True
        return self.status in _LIMITED and (
            "retry-after" in self.headers
            or self.headers.get("x-ratelimit-remaining") == "0"
            or "rate limit" in self.message.lower()
        )


def pause_of(answer: Answer, now: datetime) -> float | None:
    """Return after how many seconds GitHub wants to be asked again; none where it does not say that this helps."""
    told = answer.headers.get("retry-after")
    if answer.is_limited or (answer.status == 503 and told):  # noqa: PLR2004 - Service Unavailable
        if told is not None:
            return _seconds(told, UNTOLD_PAUSE)
        if answer.headers.get("x-ratelimit-remaining") == "0":
            reset = _seconds(answer.headers.get("x-ratelimit-reset", ""), now.timestamp() + UNTOLD_PAUSE)
            # It is told in whole seconds: one more, so as not to come a moment too early.
            return max(reset - now.timestamp(), 0.0) + 1
        return UNTOLD_PAUSE
    return None


def error_of(answer: Answer, action: str) -> RetrainError:
    """Return what an answer other than `TAKEN` means.

    Args:
        answer: the answer.
        action: what was tried, for people: "take ...".

    """
    said = f"{answer.status}: {answer.message}" if answer.status else answer.message
    if answer.status in _MOVED:
        # Nothing but the repositories of the configuration is dispatched to, wherever they have gone.
        return TargetRefusedError(f"GitHub will not {action}: {answer.status}, it has moved; give its new name")
    hint = "" if answer.is_limited else _HINTS.get(answer.status, "")
    told = f"{said} ({hint})" if hint else said
    if answer.status in _REFUSED:
        return TargetRefusedError(f"GitHub will not {action}: {told}")
    return UnavailableError("GitHub", action, told)


def _seconds(text: str, otherwise: float) -> float:
    try:
        # A mistaken header must not become a pause of a negative or an endless time.
        return min(max(float(int(text)), 0.0), 1e11)
    except ValueError:
        return otherwise
