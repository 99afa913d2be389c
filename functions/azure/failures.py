"""Reads an error of azure-core: the codes of the service, its message, whether another attempt may succeed."""

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
        status: the HTTP status; none if there was no answer.
        codes: the error codes, from the outermost to the innermost; never empty.
        message: the message, one line.
        busy: whether the same call may succeed in a moment.
        wait: how many seconds the service requests to wait.

    """

    status: int | None
    codes: tuple[str, ...]
    message: str
    busy: bool
    wait: float = 0

    def __str__(self) -> str:
        return ": ".join(text for text in (self.codes[0], self.message) if text)


def failure_of(error: Exception) -> Failure:
    """Read an error that azure-core, or MSAL within it, raised."""
    from azure.core.exceptions import HttpResponseError

    # For a missing topic azure-eventgrid raises an error of its own, which has the answer only as its cause.
    for link in (error, error.__cause__, error.__context__):
        if isinstance(link, HttpResponseError) and link.response is not None:
            return _answered(link.response)
    return _unanswered(error)


def _unanswered(error: Exception) -> Failure:
    """Read an error without an answer: only its type, since its text may quote a signed address."""
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

    inner = getattr(error, "inner_exception", None)
    text = _line(str(error)) if isinstance(error, ClientAuthenticationError) else ""
    return Failure(
        status=None,
        codes=(type(error).__name__,),
        message=text or ("" if inner is None else type(inner).__name__),
        busy=isinstance(error, ServiceRequestError | ServiceResponseError),
    )


def _answered(response: object) -> Failure:
    status: int = response.status_code  # type: ignore[attr-defined]  # azure-core has two kinds of answers, alike in this
    headers = response.headers  # type: ignore[attr-defined]  # the same
    document = _document(response)
    codes = dict.fromkeys(filter(None, (headers.get("x-ms-error-code"), *_codes(document))))
    return Failure(
        status=status,
        codes=tuple(codes) or (f"HTTP {status}",),
        message=_message(document),
        busy=status in BUSY,
        wait=_wait(headers.get("Retry-After")),
    )


def _document(response: object) -> object:
    try:
        return json.loads(response.text())  # type: ignore[attr-defined]  # the same
    except Exception:  # noqa: BLE001 - an answer that cannot be read must not hide the failure that it reports
        return None


def _codes(document: object) -> Iterator[str]:
    """Yield every `code` of an error document, from the outermost to the innermost."""
    if isinstance(document, dict):
        if isinstance(document.get("code"), str):
            yield document["code"]
        for item in document.values():
            yield from _codes(item)
    elif isinstance(document, list):
        for item in document:
            yield from _codes(item)


def _message(document: object) -> str:
    """Return the outermost `message`; the table service has its text in `value`."""
    if not isinstance(document, dict):
        return ""
    message = document.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(message, str):
        return _line(message)
    return next(filter(None, map(_message, document.values())), "")


def _line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()[:_LONGEST]


def _wait(retry_after: str | None) -> float:
    # HTTP allows a date, too; these services send seconds.
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0
