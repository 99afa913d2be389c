"""What functions-framework hands to our two functions, read; and HTTP answers in Flask's form."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, unquote

from shared.http.messages import MAX_BODY, Request, Response
from shared.wire.reading import text, time

if TYPE_CHECKING:
    import flask

# The clock of the scheduler may be ahead of ours.
CLOCK_SKEW: Final = timedelta(seconds=30)
IAP: Final = "@gcp-sa-iap.iam.gserviceaccount.com"

FlaskAnswer = tuple[str, int, dict[str, str]]


def read_request(request: "flask.Request", now: datetime) -> Request:
    """Read an HTTP request; *now* judges the scheduler's time.

    One byte more than is taken is read of a body, so that the core can say that it is too long.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(
        method=request.method,
        path=_path(request.environ),
        query=dict(parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True)),
        headers=headers,
        body=request.stream.read(MAX_BODY + 1),
        caller=_caller(headers),
        scheduled_at=_scheduled_at(headers.get("x-cloudscheduler-scheduletime"), now),
    )


def read_event(request: "flask.Request") -> object:
    """Read a delivery: a CloudEvent in its structured form, whichever form it came in, or the body of a push.

    What is no JSON is returned as it is, for the codec to refuse.
    """
    body = _json(request.get_data())
    if "ce-specversion" not in request.headers:
        return body
    # CloudEvents, HTTP binding 3.1.3.2: values of headers are percent-encoded.
    told = {
        name[3:].lower(): unquote(value) for name, value in request.headers.items() if name.lower().startswith("ce-")
    }
    return {**told, "data": body}


def http_answer(response: Response) -> FlaskAnswer:
    """Return *response* as Flask wants it."""
    return response.body, int(response.status), dict(response.headers)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def _path(environ: Mapping[str, object]) -> str:
    """Return the path as it was sent: WSGI has decoded its own, so that a model's slash looks like any other."""
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").partition("?")[0]
    if not raw.startswith("/"):
        # A server that keeps none, or a proxy's request with the whole address in it. PEP 3333: bytes as Latin-1.
        raw = quote(str(environ.get("PATH_INFO", "")).encode("latin-1"))
    return raw


def _scheduled_at(told: str | None, now: datetime) -> datetime | None:
    """Return the tick's time.

    A run that a person starts by hand may carry the time of the next one: taken for that, it would leave nothing to
    do when that comes. Cloud Scheduler's documentation promises no time at all then.
    """
    at = time(told)
    return at if at is not None and at <= now + CLOCK_SKEW else None


def _caller(headers: Mapping[str, str]) -> str | None:
    """Return who asks, for people to read; nothing is decided by it.

    Cloud Run has checked the token, and takes its signature off, so that only what it says can be read here. Of two
    tokens Cloud Run checks the one in X-Serverless-Authorization. Where it is told to let everybody in, it checks none.
    """
    checked = headers.get("x-serverless-authorization") or headers.get("authorization") or ""
    claims = _claims(checked.partition(" ")[2])
    caller = text(claims.get("email")) or text(claims.get("sub"))
    if caller.endswith(IAP):
        # Identity-Aware Proxy has asked for the person itself; from anybody else the header would be a mere claim.
        caller = headers.get("x-goog-authenticated-user-email", "").rpartition(":")[2] or caller
    return caller[:512] or None


def _claims(token: str) -> Mapping[str, object]:
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - header, payload, signature
    try:
        claims = json.loads(base64.urlsafe_b64decode(f"{payload}{'=' * (-len(payload) % 4)}"))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, Mapping) else {}
