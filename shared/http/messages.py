"""The HTTP API, the same on every cloud: neutral requests in, neutral answers out."""

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from shared.errors import (
    BusError,
    ConflictError,
    PermanentError,
    RetrainError,
    TransientError,
    UnknownModelError,
    UnreadableEventError,
)
from shared.frozen import dataclass

MAX_BODY: Final = 256 * 1024
# Seconds: longer than a throttle of any of the services usually lasts, shorter than people wait.
RETRY_AFTER: Final = "5"
# RFC 9110. Python has these names from 3.13 on, and others before: an answer must not depend on the interpreter.
_TITLES: Final = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
# The first kind that fits decides.
_STATUSES: Final[Mapping[type[RetrainError], HTTPStatus]] = {
    ConflictError: HTTPStatus.CONFLICT,
    UnknownModelError: HTTPStatus.NOT_FOUND,
    UnreadableEventError: HTTPStatus.BAD_REQUEST,
    PermanentError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TransientError: HTTPStatus.SERVICE_UNAVAILABLE,
    BusError: HTTPStatus.SERVICE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request.

    Attributes:
        method: in capitals.
        path: as it was sent, still percent-encoded, without the query.
        query: decoded; of a repeated name the last value.
        headers: by name in small letters.
        body: the bytes.
        caller: who asks, as the platform has authenticated it.
        scheduled_at: for which time the platform's scheduler sent it, where it says so.

    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    body: bytes = field(default=b"", repr=False)
    caller: str | None = None
    scheduled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer.

    Attributes:
        status: the status code.
        body: the body as text.
        headers: by name in small letters.

    """

    status: int
    body: str
    headers: Mapping[str, str]


class HttpError(Exception):
    """An answer that only HTTP knows: no such path, wrong method, too long, wrong content type."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] = _NOTHING) -> None:
        """Answer *status* with *detail* for people, and more *headers*."""
        super().__init__(detail)
        self.status = status
        self.headers = headers


def answer(status: HTTPStatus, content: Mapping[str, object]) -> Response:
    """Answer with JSON."""
    return Response(status=status, body=json.dumps(content), headers={"content-type": "application/json"})


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] = _NOTHING) -> Response:
    """Answer with an RFC 9457 problem document."""
    content = {
        "type": "about:blank",
        "title": _TITLES.get(status, status.phrase),
        "status": status.value,
        "detail": detail,
    }
    kind = {"content-type": "application/problem+json"}
    return Response(status=status, body=json.dumps(content), headers={**kind, **headers})


def problem_of(error: Exception) -> Response | None:
    """Return the answer to an error of the core, or none for one that is not expected here."""
    if isinstance(error, HttpError):
        return problem(error.status, str(error), error.headers)
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        return None
    later = {"retry-after": RETRY_AFTER} if status is HTTPStatus.SERVICE_UNAVAILABLE else _NOTHING
    return problem(status, str(error), later)


def read_json_object(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body of *request*.

    Raises:
        HttpError: the body is too long, or is not declared as JSON.
        UnreadableEventError: it is no JSON object.

    """
    if len(request.body) > MAX_BODY:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has {len(request.body)} bytes; at most {MAX_BODY} are read"
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        told = f"not {kind!r}" if kind else "and there is none"
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the Content-Type must be application/json, {told}")
    try:
        content = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableEventError(f"the body is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise UnreadableEventError(f"the body must be a JSON object, not {type(content).__name__}")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")
