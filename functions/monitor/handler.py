"""The entry on AWS Lambda, in a container image."""

from functions.monitor.request import read_event, today
from functions.monitor.run import run_checks
from functions.monitor.wiring import monitor


def check(event: object, _context: object) -> dict[str, object]:
    """Check what *event* asks for: a tick of a schedule, or `{"models": [...], "at": "..."}`, both optional.

    Raises:
        RetrainError: the event or the configuration is wrong, or something was left undone: the service tries again.

    """
    asked, parts = read_event(event), monitor()
    return {"checks": run_checks(parts, asked.models, asked.at or today(parts.emitter.clock()))}
