"""Events resent from the queue of undelivered events: unchanged, or in Lambda's record of the failure."""

from collections.abc import Mapping
from typing import Final

from functions.aws.entry import is_evaluation
from shared.errors import UnreadableEventError
from shared.frozen import dataclass
from shared.wire.eventbridge import decode, decode_tick
from shared.wire.incoming import Incoming
from shared.wire.reading import text
from shared.wire.sns import is_notification

# The fields of an invocation of the monitor, by its schedule or by hand.
_MONITOR_FIELDS: Final = frozenset({"models", "at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The event that a function was invoked with originally.

    Attributes:
        event: the event.
        function: the ARN of the function that failed with it; empty if it comes from no failed invocation.
        request_id: the id of the failed invocation; empty if there was none.

    """

    event: object
    function: str = ""
    request_id: str = ""


def original(event: object) -> Original:
    """Return the event in *event* if that is Lambda's record of a failed invocation, else *event* itself.

    A record that was resent and failed again is contained in another record.
    """
    function = request_id = ""
    while True:
        match event:
            # Developer guide of Lambda, "Capturing records of asynchronous invocations".
            case {
                "timestamp": _,
                "requestContext": {"functionArn": arn, "condition": _, **context},
                "requestPayload": inner,
            }:
                event, function, request_id = inner, str(arn), text(context.get("requestId"))
            case _:
                return Original(event=event, function=function, request_id=request_id)


def decode_redriven(event: object, source: str) -> Incoming:
    """Decode an event that a rule, a topic or an alarm delivers, now or when it was undelivered earlier.

    The queue holds the events that any function of the stack failed with. One that was meant for another function must
    not be ignored, because it would then be acknowledged and lost.

    Args:
        event: an event, or the record that contains it.
        source: the prefix of the sources that are ours.

    Raises:
        PermanentError: it cannot be read, is ours but wrong, or was meant for another function.

    """
    first = original(event)
    if first.function and not _is_for_receiver(first.event):
        raise UnreadableEventError(f"this event failed in {first.function}; resend it to that function")
    return decode(first.event, source)


def decode_queued(event: object, source: str) -> Incoming:
    """Decode an event that a queue delivers, as `decode_redriven` does.

    A schedule that cannot invoke its function puts its input into the queue unchanged, without a record.
    """
    if decode_tick(event) is not None or is_evaluation(event):
        raise UnreadableEventError("this is a tick of a schedule; resend it to the function `emit`")
    if isinstance(event, Mapping) and event and event.keys() <= _MONITOR_FIELDS:
        raise UnreadableEventError("this is a request for a drift check; resend it to the monitor")
    return decode_redriven(event, source)


def _is_for_receiver(event: object) -> bool:
    # Not at the top: it would cost each cold start that launches.
    from shared.wire.signals_aws import is_alarm_action

    from_rule = isinstance(event, Mapping) and "detail-type" in event and decode_tick(event) is None
    return from_rule or is_notification(event) or is_alarm_action(event)
