"""What an error of azure-core tells: the codes of the service, its message, whether trying again may help."""

import json
from collections.abc import Iterator
from typing import Final

from shared.frozen import dataclass

# The answers that azure-core's own retry policy repeats.
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that failed.

    Attributes:
        status: the HTTP status; none where no answer came.
        codes: the error codes, from the outermost to the innermost; never empty.
        message: what is told about it, one line.
        busy: the same call may succeed in a moment.
        wait: how many seconds the service wants to be left alone.

    """

    status: int | None
    codes: tuple[str, ...]
    message: str
    busy: bool
    wait: float = 0

    def __str__(self) -> str:
        return ": ".join(text for text in (self.codes[0], self.message) if text)


def failure_of(error: Exception) -> Failure:
    """Read what azure-core, or MSAL within it, raised."""
    from azure.core.exceptions import HttpResponseError

    # Of a topic that is not there azure-eventgrid tells in an error of its own, which has the answer as its cause only.
    for told in (error, error.__cause__, error.__context__):
        if isinstance(told, HttpResponseError) and told.response is not None:
            return _answered(told.response)
    return _unanswered(error)


def _unanswered(error: Exception) -> Failure:
    """Read an error without an answer: only its kind, since its text may quote a signed address."""
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

    inner = getattr(error, "inner_exception", None)
    told = _line(str(error)) if isinstance(error, ClientAuthenticationError) else ""
    return Failure(
        status=None,
        codes=(type(error).__name__,),
        message=told or ("" if inner is None else type(inner).__name__),
        busy=isinstance(error, ServiceRequestError | ServiceResponseError),
    )


def _answered(response: object) -> Failure:
    status: int = response.status_code  # type: ignore[attr-defined]  # azure-core has two kinds of answers, alike in this
    headers = response.headers  # type: ignore[attr-defined]  # the same
    told = _told(response)
    codes = dict.fromkeys(filter(None, (headers.get("x-ms-error-code"), *_codes(told))))
    return Failure(
        status=status,
        codes=tuple(codes) or (f"HTTP {status}",),
        message=_message(told),
        busy=status in BUSY,
        wait=_wait(headers.get("Retry-After")),
    )


def _told(response: object) -> object:
    try:
        return json.loads(response.text())  # type: ignore[attr-defined]  # the same
    except Exception:  # noqa: BLE001 - an answer that cannot be read must not hide the failure that it tells of
        return None


def _codes(told: object) -> Iterator[str]:
    """Yield every `code` of an error document, from the outermost to the innermost."""
    if isinstance(told, dict):
        if isinstance(told.get("code"), str):
            yield told["code"]
        for item in told.values():
            yield from _codes(item)
    elif isinstance(told, list):
        for item in told:
            yield from _codes(item)


def _message(told: object) -> str:
    """Return the outermost `message`, in which the table service has the text as `value`."""
    if not isinstance(told, dict):
        return ""
    message = told.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(message, str):
        return _line(message)
    return next(filter(None, map(_message, told.values())), "")


def _line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()[:_LONGEST]


def _wait(retry_after: str | None) -> float:
    # HTTP allows a date as well; these services send seconds.
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0
