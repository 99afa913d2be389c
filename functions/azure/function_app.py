"""The five Azure functions; the Makefile puts this file beside `host.json`, where the Functions host expects it.

Each function imports its dependencies when it runs: the host imports this file just to list the functions, and
importing everything would double the time for that.
"""

import logging
import os

import azure.functions as func

log = logging.getLogger("retrain")
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

# Mondays 09:30 UTC; the first field is seconds. The worker sets the app settings before it imports this file.
SCHEDULE = os.environ.get("RETRAIN_SCHEDULE") or "0 30 9 * * 1"
EVERY_FIVE_MINUTES = "0 */5 * * * *"


@app.route(route="{*path}", methods=list(func.HttpMethod))
def retrain_http(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the HTTP API, and webhook subscriptions of Event Grid at `/events`."""
    from functions.azure import entry, webhook, wiring
    from shared.api import respond

    # App Service authentication accepts cookies.
    authenticated = wiring.callers_are_authenticated()
    request = entry.read_request(req, authenticated=authenticated)
    if request.path == webhook.PATH:
        return entry.http_answer(webhook.respond(request, _receive))
    return entry.http_answer(respond(wiring.emitter(), request, cookies=authenticated))


@app.timer_trigger(arg_name="timer", schedule=SCHEDULE, run_on_startup=False, use_monitor=True)
def retrain_schedule(timer: func.TimerRequest) -> None:
    """Emit a trigger for every scheduled model."""
    from functions.azure import entry, wiring
    from shared.emit import emit_scheduled

    emitter = wiring.emitter()
    emit_scheduled(emitter, entry.tick_time(timer, emitter.clock()))


@app.timer_trigger(arg_name="timer", schedule=EVERY_FIVE_MINUTES, run_on_startup=False, use_monitor=True)
def retrain_schedules(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by this name
    """Emit a trigger for every model of whose own schedule a time has come."""
    from functions.azure import wiring
    from shared.schedules import emit_own_schedules

    emit_own_schedules(wiring.emitter())


@app.timer_trigger(arg_name="timer", schedule=EVERY_FIVE_MINUTES, run_on_startup=False, use_monitor=True)
def retrain_sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it by this name
    """Finish the work that was left undone."""
    from functions.azure import wiring
    from shared.training.sweep import sweep

    # A timer has no answer, so only the log shows what was done.
    log.info("retrain.swept", extra={"models": sweep(wiring.receiver())})


@app.event_grid_trigger(arg_name="event")
def retrain_receive(event: func.EventGridEvent) -> None:
    """Act on an event; after an error Event Grid delivers it again."""
    from functions.azure import entry

    _receive(entry.event_of(event))


def _receive(event: object) -> object:
    from dataclasses import asdict

    from functions.azure import wiring
    from shared.receive import receive
    from shared.wire.eventgrid import decode

    receiver = wiring.receiver()
    outcome = receive(receiver, event, lambda event: decode(event, receiver.source))
    log.info("retrain.received", extra=asdict(outcome))
    return outcome
