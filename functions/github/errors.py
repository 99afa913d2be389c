"""The one place where GitHub's answers become errors of this project."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.errors import RetrainError, TargetRefusedError, UnavailableError
from shared.frozen import dataclass
from shared.json_text import parse_json

ACCEPTED: Final = 204
# Documentation, "Rate limits for the REST API": without a time in the answer, wait for at least one minute.
DEFAULT_PAUSE: Final = 60.0

_UNAUTHORIZED: Final = 401
_LIMITED: Final = frozenset({403, 429})
_NOT_FOUND: Final = 404
# Anything else is repaired by time or by an operator, as on every cloud: limits, 5xx, and missing rights as well.
_REFUSED: Final = frozenset({400, _NOT_FOUND, 410, 413, 422, 451})
_MOVED: Final = frozenset({301, 302, 307, 308})
_HINTS: Final = {
    _UNAUTHORIZED: "the token in RETRAIN_GITHUB_TOKEN is not valid or has expired",
    403: "the token needs the permission Contents, read and write (a classic token: the scope repo)",
    _NOT_FOUND: "the repository does not exist, or the token cannot see it",
}
_LONGEST_LINE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of GitHub.

    Attributes:
        status: the HTTP status.
        headers: by lower-case name.
        message: GitHub's explanation, one line, for people; the token is not in it.

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


def read_answer(status: int, headers: Mapping[str, str], body: bytes, token: str) -> Answer:
    """Read an answer.

    Args:
        status: the HTTP status.
        headers: by lower-case name.
        body: the body, or the beginning of it.
        token: a proxy in between may quote the request: this is replaced in the message.

    """
    message = "" if status == ACCEPTED else _message(body)
    return Answer(status=status, headers=headers, message=message.replace(token, "***") if token else message)


def pause_of(answer: Answer, now: datetime) -> float | None:
    """Return after how many seconds GitHub allows another attempt; none where it does not say that this helps."""
    retry_after = answer.headers.get("retry-after")
    if answer.is_limited or (answer.status == 503 and retry_after):  # noqa: PLR2004 - Service Unavailable
        if retry_after is not None:
            return _seconds(retry_after, DEFAULT_PAUSE)
        if answer.headers.get("x-ratelimit-remaining") == "0":
            reset = _seconds(answer.headers.get("x-ratelimit-reset", ""), now.timestamp() + DEFAULT_PAUSE)
            # The reset is in whole seconds: one more, so that the request does not come a moment too early.
            return max(reset - now.timestamp(), 0.0) + 1
        return DEFAULT_PAUSE
    return None


def error_of(answer: Answer, action: str) -> RetrainError:
    """Return the error for an answer other than `ACCEPTED`.

    Args:
        answer: the answer.
        action: the request, for people: "take ...".

    """
    if answer.status in _MOVED:
        # Only the repositories of the configuration get events, wherever they have moved.
        return TargetRefusedError(f"GitHub will not {action}: {answer.status}, it has moved; configure its new name")
    hint = "" if answer.is_limited else _HINTS.get(answer.status, "")
    reason = f"{answer.status}: {answer.message} ({hint})" if hint else f"{answer.status}: {answer.message}"
    if answer.status in _REFUSED:
        return TargetRefusedError(f"GitHub will not {action}: {reason}")
    return UnavailableError("GitHub", action, reason)


def _message(body: bytes) -> str:
    """Return the explanation in the body of an error, one line."""
    try:
        content = parse_json(body)
    except ValueError:
        content = None
    text = content.get("message") if isinstance(content, dict) else None
    return " ".join(str(text or "").split())[:_LONGEST_LINE] or "no explanation"


def _seconds(text: str, otherwise: float) -> float:
    try:
        # A wrong header must not become a negative or an endless pause.
        return min(max(float(int(text)), 0.0), 1e11)
    except ValueError:
        return otherwise
