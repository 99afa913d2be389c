"""`/events`: an endpoint for webhook subscriptions of Event Grid, beside the Event Grid trigger.

It gets an event as it was sent. The library of the trigger drops names that it does not know (those in snake case) and
fails on an invalid time before any code of ours runs.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from shared.errors import PermanentError, RetrainError, UnreadableEventError
from shared.http.messages import HttpError, Request, Response, answer, problem, problem_of
from shared.http.origin import check_origin
from shared.json_text import parse_json
from shared.wire.eventgrid import events_of

PATH: Final = "/events"
METHODS: Final = "POST, OPTIONS"
# Documentation, "Event Grid quotas and limits": a delivery has at most 1 MB.
MAX_BODY: Final = 1024 * 1024
VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent"


def respond(request: Request, receive: Callable[[object], object]) -> Response:
    """Answer a delivery, or the handshake before the first delivery.

    Args:
        request: the request, whose path is `PATH`.
        receive: acts on one event; raises the errors of `shared.receive.receive`.

    """
    try:
        check_origin(request)
        match request.method:
            case "OPTIONS":
                return _allow(request)
            case "POST":
                return _take(events_of(_read(request)), receive)
        detail = f"{PATH} takes {METHODS}, not {request.method}"
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"allow": METHODS})
    except (HttpError, RetrainError) as error:
        response = problem_of(error)
        if response is None:
            raise
        return response


def _allow(request: Request) -> Response:
    """Consent to deliveries in the CloudEvents schema (HTTP Web Hooks for Event Delivery, section 4)."""
    origin = request.headers.get("webhook-request-origin")
    if not origin:
        return problem(HTTPStatus.BAD_REQUEST, "the header WebHook-Request-Origin is missing")
    allowed = {"webhook-allowed-origin": origin, "webhook-allowed-rate": "*"}
    return Response(status=HTTPStatus.OK, body="", headers=allowed)


def _take(events: list[object], receive: Callable[[object], object]) -> Response:
    """Act on every event of a delivery, which can only be acknowledged as a whole."""
    code = next(filter(None, map(_validation_code, events)), None)
    if code is not None:
        return answer(HTTPStatus.OK, {"validationResponse": code})
    rejected: PermanentError | None = None
    for event in events:
        try:
            receive(event)
        except PermanentError as error:
            rejected = error
    if rejected is not None:
        # After 400 Event Grid does not repeat the delivery: it dead-letters it.
        return problem(HTTPStatus.BAD_REQUEST, str(rejected))
    return answer(HTTPStatus.OK, {"received": len(events)})


def _validation_code(event: object) -> str | None:
    if not isinstance(event, Mapping) or event.get("eventType") != VALIDATION:
        return None
    data = event.get("data")
    code = data.get("validationCode") if isinstance(data, Mapping) else None
    return code if isinstance(code, str) else None


def _read(request: Request) -> object:
    if len(request.body) > MAX_BODY:
        detail = f"the body has {len(request.body)} bytes; at most {MAX_BODY} are accepted"
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    try:
        return parse_json(request.body)
    except ValueError as error:
        raise UnreadableEventError(f"the body is not valid JSON: {error}") from error
