"""Events sent again from the queue for undelivered ones: as they were, or in Lambda's record of the failure."""

from collections.abc import Mapping
from typing import Final

from shared.errors import UnreadableEventError
from shared.frozen import dataclass
from shared.wire.eventbridge import decode, decode_tick
from shared.wire.incoming import Incoming

# What the monitor's schedule, or whoever invokes it by hand, hands to the monitor.
_OF_THE_MONITOR: Final = frozenset({"models", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """What a function was invoked with at first.

    Attributes:
        event: the event.
        function: the ARN of the function that failed with it; empty if none did.

    """

    event: object
    function: str = ""


def original(event: object) -> Original:
    """Return what is in *event* if it is Lambda's record of an invocation that failed, or else *event* itself.

    A record that was sent again, and failed again, is in a record of its own.
    """
    function = ""
    while True:
        match event:
            # Developer guide of Lambda, "Capturing records of asynchronous invocations".
            case {"timestamp": _, "requestContext": {"functionArn": arn, "condition": _}, "requestPayload": inner}:
                event, function = inner, str(arn)
            case _:
                return Original(event=event, function=function)


def decode_redriven(event: object, source: str) -> Incoming:
    """Read what a rule delivered, now or long ago.

    The queue holds what each function of the stack failed with. What was meant for another one must not count as none
    of ours, for then it would be acknowledged and lost.

    Args:
        event: an event, or the record that holds it.
        source: the prefix of the sources that are ours.

    Raises:
        PermanentError: it is unreadable, or ours but wrong, or was meant for another function.

    """
    first = original(event)
    if first.function and not _is_from_rule(first.event):
        raise UnreadableEventError(f"no event of a rule, but what {first.function} failed with: send it to that again")
    return decode(first.event, source)


def decode_queued(event: object, source: str) -> Incoming:
    """Read what a queue delivered, as `decode_redriven` does.

    A schedule that cannot hand over puts its input into the queue as it is, without a record.
    """
    if decode_tick(event) is not None:
        raise UnreadableEventError("a schedule's tick in a queue of events: send it to `emit` again")
    if isinstance(event, Mapping) and event and event.keys() <= _OF_THE_MONITOR:
        raise UnreadableEventError("a request for a drift check in a queue of events: send it to the monitor again")
    return decode_redriven(event, source)


def _is_from_rule(event: object) -> bool:
    return isinstance(event, Mapping) and "detail-type" in event and decode_tick(event) is None
