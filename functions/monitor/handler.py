"""The entry on AWS Lambda, in a container image."""

from functions.monitor.request import read_event, today
from functions.monitor.run import run_checks
from functions.monitor.wiring import monitor


def check(event: object, _context: object) -> dict[str, object]:
    """Run the checks of *event*: a tick of a schedule, or `{"models": [...], "at": "..."}`, both optional.

    Raises:
        RetrainError: the event or the configuration is wrong, or something was not done, so Lambda invokes again.

    """
    request, parts = read_event(event), monitor()
    return {"checks": run_checks(parts, request.models, request.at or today(parts.emitter.clock()))}
