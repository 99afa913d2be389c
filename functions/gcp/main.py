"""The two functions: `emit` asks for trainings, `receive` starts them.

`receive` is registered as an HTTP function, although what it gets are CloudEvents: of a CloudEvent function the
framework itself answers 400 to everything that it cannot read (a push without data, a CloudEvent without a source); our
code never sees it, and Pub/Sub delivers it again until it expires. Here it becomes a dead letter with a reason. The
registration beats FUNCTION_SIGNATURE_TYPE, which Cloud Functions sets for functions with an event trigger
(functions_framework/_function_registry.py, get_func_signature_type).
"""

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

import flask
import functions_framework

import functions.gcp.cold_start  # noqa: F401 - it stops looking for garbage, before the others are imported
from functions.gcp import wiring
from functions.gcp.answers import acknowledged, answered
from functions.gcp.cold_start import then_collected
from functions.gcp.entry import FlaskAnswer, http_answer, read_event, read_request
from functions.machine import now
from shared.http.messages import problem


@functions_framework.http
@then_collected
def emit(request: flask.Request) -> FlaskAnswer:
    """Answer an HTTP request, one of Cloud Scheduler among them."""
    # Only here: an instance of `receive` would pay for it at each cold start.
    from shared.http.routes import respond

    return http_answer(answered(lambda: respond(wiring.emitter(), read_request(request, now()))))


@functions_framework.http
@then_collected
def receive(request: flask.Request) -> FlaskAnswer:
    """Act on an event of Eventarc or a Pub/Sub push, or look after everything that was left undone."""
    if request.method != "POST":
        return http_answer(problem(HTTPStatus.METHOD_NOT_ALLOWED, "an event is delivered by POST", {"allow": "POST"}))
    return http_answer(acknowledged(lambda: _receive(read_event(request))))


def _receive(event: object) -> Mapping[str, object]:
    from shared.receive import receive as act
    from shared.training.sweep import sweep
    from shared.wire.pubsub import decode, is_sweep

    receiver = wiring.receiver()
    if is_sweep(event):
        return {"swept": sweep(receiver)}
    return asdict(act(receiver, event, lambda event: decode(event, receiver.source)))
