"""The two functions: `emit` publishes triggers, `receive` acts on them.

`receive` is registered as an HTTP function although it gets CloudEvents. For a CloudEvent function the framework itself
answers 400 to a request that it cannot read (a push without data, a CloudEvent without a source): our code never sees
it, and Pub/Sub redelivers it until it expires. Here it becomes a dead letter with a reason. The registration takes
precedence over FUNCTION_SIGNATURE_TYPE, which Cloud Functions sets for functions with an event trigger
(functions_framework/_function_registry.py, get_func_signature_type).
"""

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus

import flask
import functions_framework

from functions.gcp import wiring
from functions.gcp.entry import FlaskAnswer, http_answer, read_event, read_request
from functions.gcp.responses import acknowledged, answered
from functions.machine import now
from shared.http.messages import problem


@functions_framework.http
def emit(request: flask.Request) -> FlaskAnswer:
    """Answer an HTTP request, for example of Cloud Scheduler."""
    # Not at the top: it would cost each cold start of `receive`.
    from shared.api import respond

    return http_answer(answered(lambda: respond(wiring.emitter(), read_request(request, now()))))


@functions_framework.http
def receive(request: flask.Request) -> FlaskAnswer:
    """Act on an event of Eventarc or a Pub/Sub push, or run the sweep."""
    if request.method != "POST":
        return http_answer(problem(HTTPStatus.METHOD_NOT_ALLOWED, "events are delivered by POST", {"allow": "POST"}))
    return http_answer(acknowledged(lambda: _receive(read_event(request))))


def _receive(event: object) -> Mapping[str, object]:
    from shared.receive import receive as act
    from shared.wire.pubsub import decode, is_sweep

    receiver = wiring.receiver()
    if is_sweep(event):
        from shared.training.sweep import sweep

        return {"swept": sweep(receiver)}
    return asdict(act(receiver, event, lambda event: decode(event, receiver.source)))
