"""Reads the requests that functions-framework passes to our two functions, and writes HTTP responses for Flask."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from shared.http.messages import MAX_BODY, Request, Response, read_query
from shared.json_text import parse_json
from shared.wire.pubsub_delivery import wrapped
from shared.wire.reading import text, time

if TYPE_CHECKING:
    import flask

# How far the scheduler's clock may be ahead of ours.
CLOCK_SKEW: Final = timedelta(seconds=30)
IAP: Final = "@gcp-sa-iap.iam.gserviceaccount.com"

FlaskAnswer = tuple[str, int, dict[str, str]]


def read_request(request: "flask.Request", now: datetime) -> Request:
    """Read an HTTP request; the scheduler's time counts only if it is not after *now*.

    One byte more than the limit is read of the body, so that the core can report that it is too long.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(
        method=request.method,
        path=_path(request.environ),
        query=read_query(request.environ.get("QUERY_STRING", "")),
        headers=headers,
        body=request.stream.read(MAX_BODY + 1),
        caller=_caller(headers),
        scheduled_at=_scheduled_at(headers.get("x-cloudscheduler-scheduletime"), now),
    )


def read_event(request: "flask.Request") -> object:
    """Read a delivery: a CloudEvent, always returned in its structured form, or a push, always with its wrapper.

    A body that is not valid JSON is returned unchanged, and the codec rejects it.
    """
    content = request.get_data()
    push = wrapped({name.lower(): value for name, value in request.headers.items()}, content)
    if push is not None:
        return push
    body = _json(content)
    if "ce-specversion" not in request.headers:
        return body
    # CloudEvents, HTTP binding 3.1.3.2: values of headers are percent-encoded.
    attributes = {
        name[3:].lower(): unquote(value) for name, value in request.headers.items() if name.lower().startswith("ce-")
    }
    return {**attributes, "data": body}


def http_answer(response: Response) -> FlaskAnswer:
    """Return *response* in the form that Flask expects."""
    return response.body, int(response.status), dict(response.headers)


def _json(body: bytes) -> object:
    try:
        return parse_json(body)
    except ValueError:
        return body


def _path(environ: Mapping[str, object]) -> str:
    """Return the path as it was sent: in WSGI's decoded path a slash in a model's name looks like any other."""
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
    if not raw.startswith("/"):
        # The server does not keep it, or a proxy sent the whole URL. PEP 3333: bytes as Latin-1.
        raw = quote(str(environ.get("PATH_INFO", "")).encode("latin-1"))
    return raw


def _scheduled_at(header: str | None, now: datetime) -> datetime | None:
    """Return the tick's time.

    A job that is run manually may carry the time of its next scheduled run, which would then count as a repeat. Cloud
    Scheduler's documentation promises no time at all for manual runs.
    """
    at = time(header)
    return at if at is not None and at <= now + CLOCK_SKEW else None


def _caller(headers: Mapping[str, str]) -> str | None:
    """Return the caller's name, for people to read; no decision depends on it.

    Cloud Run has verified the token and removed its signature, so that only its claims can be read here. Of two tokens
    it verifies the one in X-Serverless-Authorization. If unauthenticated calls are allowed, it verifies none.
    """
    checked = headers.get("x-serverless-authorization") or headers.get("authorization") or ""
    claims = _claims(checked.partition(" ")[2])
    caller = text(claims.get("email")) or text(claims.get("sub"))
    if caller.endswith(IAP):
        # Identity-Aware Proxy has authenticated the person. From any other caller this header is not trustworthy.
        caller = headers.get("x-goog-authenticated-user-email", "").rpartition(":")[2] or caller
    return caller[:512] or None


def _claims(token: str) -> Mapping[str, object]:
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - header, payload, signature
    try:
        claims = parse_json(base64.urlsafe_b64decode(f"{payload}{'=' * (-len(payload) % 4)}"))
    except ValueError:
        return {}
    return claims if isinstance(claims, Mapping) else {}
