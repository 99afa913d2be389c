"""Amazon EventBridge: encodes triggers as PutEvents entries, and decodes events of rules and schedules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.fields import brief
from shared.frozen import dataclass
from shared.json_text import compact, opened
from shared.ports import RunResult
from shared.trace import trace_in
from shared.trigger import RetrainTrigger, derived_id
from shared.wire import sns
from shared.wire.incoming import Incoming, RunEnded, SweepRequest, TriggerEvent
from shared.wire.reading import SWEEP, model_of_provenance, model_to_sweep, text, time

DETAIL_TYPE: Final = "retrain_trigger"
STATUS_CHANGE: Final = ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change")
# Scheduled rules and EventBridge Scheduler send the same event from different sources.
TICKS: Final = (("aws.events", "Scheduled Event"), ("aws.scheduler", "Scheduled Event"))

_RESULTS: Final = {
    "Succeeded": RunResult.SUCCEEDED,
    "Failed": RunResult.FAILED,
    "CompletedWithFailures": RunResult.FAILED,
    "Stopped": RunResult.STOPPED,
}
# The final statuses of an execution.
ENDS: Final = tuple(_RESULTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The event of a schedule.

    Attributes:
        at: when, in UTC; none if the event has no readable time.

    """

    at: datetime | None


def encode(trigger: RetrainTrigger, source: str, bus: str) -> dict[str, object]:
    """Return the PutEvents entry of *trigger*.

    Args:
        trigger: the trigger.
        source: the source of the event.
        bus: name or ARN of the event bus.

    """
    return {
        "Source": source,
        "DetailType": DETAIL_TYPE,
        "Detail": compact(trigger.to_fields()),
        "EventBusName": bus,
        "Time": trigger.requested_at,
    }


def encode_sweep(model_id: str, source: str, bus: str) -> dict[str, object]:
    """Return the PutEvents entry that requests a sweep of *model_id*; the other arguments are those of `encode`."""
    return {"Source": source, "DetailType": SWEEP, "Detail": compact({"model_id": model_id}), "EventBusName": bus}


def decode(event: object, source: str) -> Incoming:
    """Decode an event of a rule, delivered directly or through SNS, or an alarm in any form of CloudWatch.

    Source and type are matched by prefix, as in the rule pattern that ML cube documents. Nothing else in the envelope
    is required: `time` may be missing or invalid, `account` and `resources` may be missing, any field may be added.

    Args:
        event: the event, parsed from JSON.
        source: the prefix of the sources of trigger events.

    Raises:
        UnreadableEventError: it is not an object, or a trigger event in an unknown envelope.
        InvalidTriggerError: it is ours, but its `detail` is not an object, or requests a sweep of an invalid model id.

    """
    carried = sns.carried(opened(event))
    if not isinstance(carried, Mapping):
        raise UnreadableEventError(f"an event must be an object, not {brief(event)}")
    carried = {**carried, "detail": opened(carried.get("detail"))}
    sender, kind = text(carried.get("source")), text(carried.get("detail-type"))
    if sender.startswith(source) and kind.startswith(DETAIL_TYPE):
        return _trigger_event(carried, sender)
    if sender.startswith(source) and kind == SWEEP:
        return SweepRequest(model_id=model_to_sweep(_detail(carried)))
    ended = _ended(carried) if (sender, kind) == STATUS_CHANGE else None
    return ended or _native_event(carried, source)


def decode_tick(event: object) -> Tick | None:
    """Return the tick of a rule with a schedule or of EventBridge Scheduler; none if *event* is not one."""
    if not isinstance(event, Mapping) or (event.get("source"), event.get("detail-type")) not in TICKS:
        return None
    return Tick(at=time(event.get("time")))


def run_result(status: str) -> RunResult:
    """Return the result for the *status* of a pipeline execution; statuses that AWS adds later count as running."""
    return _RESULTS.get(status, RunResult.RUNNING)


def _trigger_event(event: Mapping[str, object], sender: str) -> TriggerEvent:
    event_id = text(event.get("id"))
    return TriggerEvent(
        fields=_detail(event),
        trigger_id=derived_id(sender, event_id) if event_id else "",
        sent_at=time(event.get("time")),
        trace=trace_in(event),
    )


def _native_event(event: Mapping[str, object], source: str) -> Incoming:
    # Not at the top: it would cost each cold start that launches.
    from shared.wire.foreign import foreign, without
    from shared.wire.signals_aws import read_signal

    sender, kind = text(event.get("source")), text(event.get("detail-type"))
    what = sns.described(event) or f"{sender[:100] or 'no source'} / {kind[:100] or 'no detail-type'}"
    signal = None if (sender, kind) == STATUS_CHANGE else read_signal(event)
    return signal or foreign(what, source, DETAIL_TYPE, without(event, "source", "detail-type"))


def _detail(event: Mapping[str, object]) -> Mapping[str, object]:
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        raise InvalidTriggerError("detail", f"must be an object, not {brief(detail)}")
    return detail


def _ended(event: Mapping[str, object]) -> RunEnded | None:
    detail = event.get("detail")
    if not isinstance(detail, Mapping):
        return None
    run_id, status = text(detail.get("pipelineExecutionArn")), text(detail.get("currentPipelineExecutionStatus"))
    if not run_id or not status:
        return None
    result = run_result(status)
    ended_at = time(detail.get("executionEndTime")) or time(event.get("time"))
    return RunEnded(
        run_id=run_id,
        name=text(detail.get("pipelineExecutionDisplayName")),
        model_id=model_of_provenance(text(detail.get("pipelineExecutionDescription"))),
        result=result,
        ended_at=None if result is RunResult.RUNNING else ended_at,
    )
