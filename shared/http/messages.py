"""Requests and responses of the HTTP API, independent of the cloud."""

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

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
# Seconds: longer than throttling by any of the services usually lasts, shorter than people are willing to wait.
RETRY_AFTER: Final = "5"
# RFC 9110. Python has other names before 3.13; responses must not depend on the interpreter.
_TITLES: Final = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
# The first class that matches decides.
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
        method: in upper case.
        path: as it was sent, still percent-encoded, without the query.
        query: decoded; the values of a repeated name joined by commas (see `read_query`).
        headers: with names in lower case.
        body: the bytes.
        caller: the caller as authenticated by the platform; None if it does not authenticate.
        scheduled_at: the scheduled time if a scheduler of the platform sent the request and includes it.

    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    body: bytes = field(default=b"", repr=False)
    caller: str | None = None
    scheduled_at: datetime | None = None


def read_query(text: str) -> dict[str, str]:
    """Decode a query; the values of a repeated name are joined by commas, as API Gateway does."""
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response.

    Attributes:
        status: the status code.
        body: the body as text.
        headers: with names in lower case.

    """

    status: int
    body: str
    headers: Mapping[str, str]


class HttpError(Exception):
    """An error of HTTP itself: unknown path, wrong method, body too large, wrong content type."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] = _NOTHING) -> None:
        """Respond with *status*, with *detail* for people, and with additional *headers*."""
        super().__init__(detail)
        self.status = status
        self.headers = headers


def answer(status: HTTPStatus, content: Mapping[str, object]) -> Response:
    """Return a response with the JSON object *content*."""
    return Response(status=status, body=json.dumps(content), headers={"content-type": "application/json"})


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] = _NOTHING) -> Response:
    """Return a response with an RFC 9457 problem document."""
    content = {
        "type": "about:blank",
        "title": _TITLES.get(status, status.phrase),
        "status": status.value,
        "detail": detail,
    }
    kind = {"content-type": "application/problem+json"}
    return Response(status=status, body=json.dumps(content), headers={**kind, **headers})


def problem_of(error: Exception) -> Response | None:
    """Return the response for an error of the core or of HTTP; None for any other error."""
    if isinstance(error, HttpError):
        return problem(error.status, str(error), error.headers)
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        return None
    later = {"retry-after": RETRY_AFTER} if status is HTTPStatus.SERVICE_UNAVAILABLE else _NOTHING
    return problem(status, str(error), later)


def check_size(request: Request) -> None:
    """Refuse *request* if its body is too large, also on a path that reads none: 413.

    Raises:
        HttpError: it is too large.

    """
    if len(request.body) > MAX_BODY:
        detail = f"the body has {len(request.body)} bytes; at most {MAX_BODY} are accepted"
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def read_json_object(request: Request) -> Mapping[str, object]:
    """Return the JSON object in the body of *request*.

    Raises:
        HttpError: the content type is not JSON.
        UnreadableEventError: the body is not a valid JSON object.

    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        found = f"not {kind!r}" if kind else "but is missing"
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the Content-Type must be application/json, {found}")
    try:
        content = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableEventError(f"the body is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise UnreadableEventError(f"the body must be a JSON object, not {type(content).__name__}")
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a valid JSON number")
