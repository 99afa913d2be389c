"""Reads what Lambda passes to the two functions, and writes HTTP answers in its format."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from shared.errors import UnreadableEventError
from shared.http.messages import Request, Response, read_query
from shared.json_text import parse_json
from shared.trace import trace_in
from shared.wire.eventbridge import Tick, decode_tick
from shared.wire.reading import attribute_values

# In the domain of a function URL, which passes the path on as it was sent. An HTTP API, also behind a domain of one's
# own, passes it on decoded.
FUNCTION_URL: Final = ".lambda-url."


def read_request(event: object) -> Request | Tick | Mapping[str, object]:
    """Return what `emit` was invoked with: an HTTP request, a schedule's tick, or the fields of a trigger.

    HTTP requests come from a function URL or an HTTP API, payload format 2.0; both have `requestContext.http`.

    Raises:
        UnreadableEventError: it is not a JSON object.

    """
    if not isinstance(event, Mapping):
        raise UnreadableEventError(f"an invocation must be a JSON object, not {type(event).__name__}")
    context = event.get("requestContext")
    if isinstance(context, Mapping) and isinstance(context.get("http"), Mapping):
        return _http(event, context)
    return decode_tick(event) or event


def http_answer(response: Response) -> dict[str, object]:
    """Return *response* in the format of a function URL or an HTTP API."""
    return {"statusCode": int(response.status), "headers": dict(response.headers), "body": response.body}


def is_evaluation(event: object) -> bool:
    """Whether `emit` was invoked to evaluate the models' own schedules."""
    return isinstance(event, Mapping) and event.get("schedules") is True


def is_sweep(event: object) -> bool:
    """Whether `receive` was invoked by the sweep's schedule."""
    return isinstance(event, Mapping) and event.get("sweep") is True


def is_batch(event: object) -> bool:
    """Whether `receive` was invoked by a queue's event source mapping."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return isinstance(records, list) and bool(records) and all(_is_message(record) for record in records)


def message_event(body: str) -> object:
    """Return the event in an SQS message; text that is not valid JSON is left for the codec to reject."""
    try:
        return parse_json(body)
    except ValueError:
        return body


def record_event(record: Mapping[str, Any]) -> object:
    """Return the event in a record of a batch; a trace context in the message's attributes becomes one of the event."""
    event, given = message_event(str(record["body"])), record.get("messageAttributes")
    if not given or not isinstance(event, Mapping):
        return event
    return {**trace_in(attribute_values(given, "stringValue")), **event}


def _is_message(record: object) -> bool:
    return isinstance(record, Mapping) and record.get("eventSource") == "aws:sqs"


def _http(event: Mapping[str, object], context: Mapping[str, object]) -> Request:
    http = context["http"]
    assert isinstance(http, Mapping)  # noqa: S101 - the caller checked it
    headers = event.get("headers")
    method, path = str(http.get("method", "")).upper(), str(event.get("rawPath", "/"))
    path = _path(path, str(context.get("stage", "")))
    return Request(
        method=method,
        path=path if FUNCTION_URL in str(context.get("domainName", FUNCTION_URL)) else _encoded(path, method),
        query=read_query(str(event.get("rawQueryString", ""))),
        headers={str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
        body=_body(event),
        caller=_caller(context.get("authorizer")),
    )


def _path(raw: str, stage: str) -> str:
    # An HTTP API with a named stage puts the stage in front of every path.
    return raw.removeprefix(f"/{stage}") if stage and raw.startswith(f"/{stage}/") else raw


def _encoded(path: str, method: str) -> str:
    """Return the *path* of an HTTP API, which has decoded it, encoded again.

    Only the id of a model can contain a slash: of a GET it is the rest of the path, else the verb follows it.
    """
    start, *steps = path.removeprefix("/").split("/")
    if start == "models" and steps:
        verb = [steps.pop()] if method not in ("GET", "HEAD") and len(steps) > 1 else []
        steps = ["/".join(steps), *verb]
    return "/" + "/".join(quote(step, safe="") for step in (start, *steps))


def _body(event: Mapping[str, object]) -> bytes:
    text = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()  # Not valid JSON either, which the API reports itself.


def _caller(authorizer: object) -> str | None:
    """Return the caller that the platform authenticated: an IAM identity, or the subject of a token."""
    if not isinstance(authorizer, Mapping):
        return None
    iam, jwt = authorizer.get("iam"), authorizer.get("jwt")
    claims = jwt.get("claims") if isinstance(jwt, Mapping) else None
    named = [iam.get("userArn")] if isinstance(iam, Mapping) else []
    named += [claims.get("email"), claims.get("sub")] if isinstance(claims, Mapping) else []
    return next((str(name)[:512] for name in named if name), None)
