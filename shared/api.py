"""The door for people and programs: the routes of the HTTP API and their handlers."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from shared import emit
from shared.errors import InvalidTriggerError, RetrainError
from shared.fields import read_model_id
from shared.http import verbs
from shared.http.listing import list_models
from shared.http.messages import HttpError, Request, Response, answer, check_size, problem_of, read_json_object
from shared.http.origin import check_content_type, check_origin
from shared.http.parts import EmitterParts
from shared.http.views import details, phase
from shared.ledger.snapshots import load
from shared.trace import trace_in
from shared.trigger import MAX_TEXT
from shared.wire.reading import header_text

Route = Callable[[EmitterParts, Request, str], Response]

# The description of this API, at the same place in the repository, in a bundle and in the installed package.
DESCRIPTION: Final = Path(__file__).parents[1] / "docs" / "openapi.yaml"


def respond(
    emitter: EmitterParts, request: Request, *, own_origins: Collection[str] = (), cookies: bool = False
) -> Response:
    """Return the response to *request*; errors of the core become problem documents.

    Args:
        emitter: the parts for emitting triggers.
        request: the request.
        own_origins: further origins of the API besides that of `[console]` `url`; see `check_origin`.
        cookies: whether the platform authenticates callers by cookies; see `check_content_type`.

    """
    # A platform's name of the caller may be longer than the field of a trigger; that is not the caller's mistake.
    named = dataclasses.replace(request, caller=request.caller[:MAX_TEXT] if request.caller else None)
    try:
        check_origin(named, (*own_origins, emitter.config.console_origin))
        check_content_type(named, cookies=cookies)
        check_size(named)
        route, model_id = _find(named)
        return route(emitter, named, model_id)
    except (HttpError, RetrainError) as error:
        response = problem_of(error)
        if response is None:
            raise
        return response


def _find(request: Request) -> tuple[Route, str]:
    steps = request.path.removeprefix("/").split("/")
    model_id = _decoded(steps[1]) if steps[0] == "models" and len(steps) > 1 else ""
    pattern = "/" + "/".join("{model_id}" if place == 1 and model_id else step for place, step in enumerate(steps))
    methods = ROUTES.get(pattern)
    if methods is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"{request.path} does not exist; the paths are {', '.join(ROUTES)}")
    # The servers of all clouds leave the body out of the response to a HEAD request.
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        allowed = ", ".join([*methods, *(["HEAD"] if "GET" in methods else [])])
        detail = f"{request.path} accepts {allowed}, not {request.method}"
        raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"allow": allowed})
    # A pattern of the configuration also matches strings that are not a valid model id, which no ledger accepts.
    return methods[method], read_model_id(model_id) if model_id else ""


def _decoded(step: str) -> str:
    try:
        return unquote(step, errors="strict")
    except UnicodeDecodeError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{step[:200]!r} in the path is not percent-encoded UTF-8") from error


def _retrain(emitter: EmitterParts, request: Request, _model_id: str) -> Response:
    rehearsal = _flag(request, "dry_run")
    fields = read_json_object(request)
    fields = {**fields, **trace_in(fields, request.headers)}
    trigger = emit.read_request(emitter, _with_key(request, fields), caller=request.caller)
    if rehearsal:
        verdict = emit.rehearse(emitter, trigger)
        return answer(HTTPStatus.OK, {"decision": verdict.decision, "reason": verdict.reason})
    emit.publish(emitter, [trigger])
    accepted = {"trigger_id": trigger.trigger_id, "model_id": trigger.model_id, "status": "accepted"}
    return answer(HTTPStatus.ACCEPTED, accepted)


def _tick(emitter: EmitterParts, request: Request, _model_id: str) -> Response:
    return answer(HTTPStatus.ACCEPTED, emit.accepted_triggers(emit.emit_scheduled(emitter, request.scheduled_at)))


def _schedules(emitter: EmitterParts, _request: Request, _model_id: str) -> Response:
    # Imported here, as only the schedules of the platform need it.
    from shared.schedules import emit_own_schedules

    return answer(HTTPStatus.ACCEPTED, emit.accepted_triggers(emit_own_schedules(emitter)))


def _models(emitter: EmitterParts, request: Request, _model_id: str) -> Response:
    return answer(HTTPStatus.OK, list_models(emitter, request.query))


def _model(emitter: EmitterParts, _request: Request, model_id: str) -> Response:
    model = emitter.config.find(model_id)
    state = load(emitter.ledger, model_id).state
    return answer(HTTPStatus.OK, details(model_id, model, emitter.cloud, state, emitter.clock()))


def _approve(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    done = verbs.approve(emitter, model_id, read_json_object(request), request.caller)
    return _steered(emitter, model_id, done, status="approved")


def _reject(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    done = verbs.reject(emitter, model_id, read_json_object(request), request.caller)
    return _steered(emitter, model_id, done, status="rejected")


def _pause(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    return _steered(emitter, model_id, verbs.pause(emitter, model_id, _optional_object(request), request.caller))


def _resume(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    return _steered(emitter, model_id, verbs.resume(emitter, model_id, _optional_object(request), request.caller))


def _cancel(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    return _steered(emitter, model_id, verbs.cancel(emitter, model_id, read_json_object(request), request.caller))


def _retry(emitter: EmitterParts, request: Request, model_id: str) -> Response:
    attempt = verbs.retry(emitter, model_id, read_json_object(request), request.caller)
    content = {"trigger_id": attempt.trigger_id, "model_id": model_id, "status": "accepted"}
    return answer(HTTPStatus.ACCEPTED, content)


def _steered(emitter: EmitterParts, model_id: str, done: verbs.Steered, **more: str) -> Response:
    named = {"trigger_id": done.trigger_id} if done.trigger_id else {}
    state = phase(emitter.config.find(model_id), done.state, emitter.clock())
    status = HTTPStatus.ACCEPTED if done.is_later else HTTPStatus.OK
    return answer(status, {"model_id": model_id, **named, "state": state, **more})


def _optional_object(request: Request) -> Mapping[str, object]:
    return read_json_object(request) if request.body else {}


def _console(emitter: EmitterParts, request: Request, _model_id: str) -> Response:
    # Only for a person at a browser: the page would cost every cold start of other requests.
    from shared.http.console import page

    return page.respond(emitter.cloud, request, partial(respond, emitter))


def _health(_emitter: EmitterParts, _request: Request, _model_id: str) -> Response:
    return answer(HTTPStatus.OK, {"status": "ok"})


def _describe(_emitter: EmitterParts, _request: Request, _model_id: str) -> Response:
    # Read for each of its few requests, so that no other request pays for it.
    text = DESCRIPTION.read_text(encoding="utf-8")
    return Response(status=HTTPStatus.OK, body=text, headers={"content-type": "application/yaml"})


def _flag(request: Request, name: str) -> bool:
    value = request.query.get(name, "false").lower()
    if value not in ("true", "false"):
        raise InvalidTriggerError(name, f"must be true or false, not {value!r}")
    return value == "true"


def _with_key(request: Request, fields: Mapping[str, object]) -> Mapping[str, object]:
    key, named = request.headers.get("idempotency-key"), fields.get("trigger_id")
    key = None if key is None else header_text(key)
    if key is not None and named is not None and key != named:
        raise InvalidTriggerError("trigger_id", "the body and the header Idempotency-Key name different ids")
    return fields if key is None else {**fields, "trigger_id": key}


ROUTES: Final[Mapping[str, Mapping[str, Route]]] = {
    "/retrain": {"POST": _retrain},
    "/tick": {"POST": _tick},
    "/schedules": {"POST": _schedules},
    "/models": {"GET": _models},
    "/models/{model_id}": {"GET": _model},
    "/models/{model_id}/approve": {"POST": _approve},
    "/models/{model_id}/reject": {"POST": _reject},
    "/models/{model_id}/pause": {"POST": _pause},
    "/models/{model_id}/resume": {"POST": _resume},
    "/models/{model_id}/cancel": {"POST": _cancel},
    "/models/{model_id}/retry": {"POST": _retry},
    "/openapi.yaml": {"GET": _describe},
    "/health": {"GET": _health},
    "/": {"GET": _console},
}
