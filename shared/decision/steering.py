"""The verbs of people: approve, reject, pause, resume, cancel, retry. No clock, no I/O.

Each verb is one step of the state, recorded in the history with who did it. A repeat changes nothing. Only the receiver
calls training services: a step that needs one records the wish.
"""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.decision import retries
from shared.decision.reasons import Reason
from shared.decision.record import Cut
from shared.decision.state import Decided, ModelState, Parked, PastRun, Paused, Training, decided_about
from shared.decision.transitions import HANDED_OVER, steered
from shared.errors import ConflictError
from shared.fields import Parameter, brief
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger

Cancellation = Literal["dropped", "stopping", "handed_over", "undecided", "over"]
"""The result of a request to cancel a trigger; the last three mean that it cannot be cancelled."""

# A service may accept a request to stop a run and lose it.
STOP_AGAIN_AFTER: Final = timedelta(minutes=10)
# The detail of a trigger that a person dropped. A retry that is no longer configured has another one.
_CANCELLED: Final = "cancelled by "


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """The result of a request to retry a training.

    Attributes:
        state: the next state.
        trigger_id: the trigger of the new attempt, or of the one that has not ended yet.

    """

    state: ModelState
    trigger_id: str


def approved(state: ModelState, trigger_id: str, by: str, *, now: datetime) -> ModelState:
    """Record that *by* approved the waiting trigger; only the first approval of exactly this trigger counts."""
    waiting = state.waiting
    if waiting is None or waiting.trigger.trigger_id != trigger_id or waiting.approved_by:
        return state
    released = dataclasses.replace(waiting, approved_by=by, approved_at=now)
    return dataclasses.replace(state, waiting=released).noted(steered("approved", by, now=now, trigger_id=trigger_id))


def not_approved(state: ModelState, trigger_id: str, by: str, *, now: datetime) -> ModelState:
    """Drop the waiting trigger, unless it was approved or is not *trigger_id*."""
    waiting = state.waiting
    if waiting is None or waiting.trigger.trigger_id != trigger_id or waiting.approved_by:
        return state
    left = dataclasses.replace(state, waiting=None).noted(steered("rejected", by, now=now, trigger_id=trigger_id))
    return left.noted(_skipped(waiting, "not_approved", f"rejected by {by}", now))


def paused(state: ModelState, by: str, *, now: datetime, until: datetime | None = None, reason: str = "") -> ModelState:
    """Pause the model; a second pause replaces *until* and *reason*."""
    before = state.paused
    if before is not None and before.until is not None and before.until <= now:
        before = None
    if before is not None and (before.until, before.reason) == (until, reason):
        return state
    pause = Paused(since=before.since if before else now, by=by, until=until, reason=reason)
    return dataclasses.replace(state, paused=pause).noted(steered("paused", by, now=now, detail=reason))


def cancelled(state: ModelState, trigger_id: str, by: str, *, now: datetime) -> ModelState:
    """Drop *trigger_id* if it is kept, waits or is to be retried; record the wish to stop it if it is claimed or runs.

    A pending retry is also named by the attempt that failed before it. Dropping it reports that failure.
    """
    training, line = state.training, steered("cancelled", by, now=now, trigger_id=trigger_id)
    if training is not None and training.trigger.trigger_id == trigger_id:
        if training.cancelled_at is not None or _is_handed_over(training):
            return state
        stopping = dataclasses.replace(training, cancelled_by=by, cancelled_at=now)
        return dataclasses.replace(state, training=stopping).noted(line)
    detail = f"{_CANCELLED}{by}"
    if state.queued is not None and state.queued.trigger.trigger_id == trigger_id:
        left = dataclasses.replace(state, queued=None).noted(line)
        return left.noted(_skipped(state.queued, "cancelled", detail, now))
    if state.waiting is not None and state.waiting.trigger.trigger_id == trigger_id:
        left = dataclasses.replace(state, waiting=None).noted(line)
        return left.noted(_skipped(state.waiting, "cancelled", detail, now))
    if state.retry is not None and trigger_id in (state.retry.trigger.trigger_id, _failed_before(state, state.retry)):
        return retries.dropped(state.noted(line), "cancelled", detail, now=now, holder="")
    return state


def cancellation(state: ModelState, trigger_id: str) -> Cancellation:
    """Return what a request to cancel *trigger_id* led to, after `cancelled`; a repeat gets the first answer."""
    training = state.training
    if training is not None and training.trigger.trigger_id == trigger_id:
        return "handed_over" if training.cancelled_at is None else "stopping"
    found = _cancellation_in(state, trigger_id)
    if found is not None:
        return found
    if any(run.trigger_id == trigger_id and run.result == HANDED_OVER for run in state.runs):
        return "handed_over"
    if state.has_seen(trigger_id) or any(line.trigger_id == trigger_id for line in state.decisions):
        return "over"
    return "undecided"


def is_stop_due(training: Training, now: datetime) -> bool:
    """Return whether the service must be requested to stop *training*."""
    if training.cancelled_at is None or training.run_id is None:
        return False
    return training.stopped_at is None or now - training.stopped_at >= STOP_AGAIN_AFTER


def stop_accepted(state: ModelState, run_id: str, *, now: datetime) -> ModelState:
    """Record that the service accepted the request to stop *run_id*."""
    if state.training is None or state.training.run_id != run_id:
        return state
    return dataclasses.replace(state, training=dataclasses.replace(state.training, stopped_at=now))


def retried(
    state: ModelState, model_id: str, trigger_id: str, by: str, *, now: datetime, needs_evidence: bool = False
) -> Retried | None:
    """Start the training of *trigger_id* again, or release its pending retry; None if the runs do not list it.

    While an attempt of the same training is claimed, running, kept or waiting, nothing changes, except that a pending
    retry starts as soon as pause, budget and the running training allow it.

    Args:
        state: the state of the model.
        model_id: the model.
        trigger_id: any attempt of the training.
        by: the person who requests the retry.
        now: the time.
        needs_evidence: whether a configured parameter is filled from the evidence.

    Raises:
        ConflictError: the model keeps another trigger, or the history does not have what the training needs.

    """
    first_id = _first_id(state, trigger_id)
    if first_id is None:
        return None
    line = steered("retried", by, now=now, trigger_id=trigger_id)
    retry = state.retry
    if retry is not None and retry.first_id == first_id:
        if retry.approved_by:
            return Retried(state=state, trigger_id=retry.trigger.trigger_id)
        released = dataclasses.replace(retry, approved_by=by, approved_at=now, retry_at=min(retry.retry_at or now, now))
        freed = dataclasses.replace(state, retry=released).noted(line)
        return Retried(state=freed, trigger_id=retry.trigger.trigger_id)
    for active in (state.training, state.queued, state.waiting):
        if active is not None and active.first_id == first_id:
            return Retried(state=state, trigger_id=active.trigger.trigger_id)
    if state.kept is not None:
        raise ConflictError(f"trigger_id: the model keeps {brief(state.kept.trigger.trigger_id)}; cancel that first")
    run = next(run for run in state.runs if run.trigger_id == trigger_id)
    attempt = 1 + max(one.attempt for one in state.runs if one.first_id == first_id)
    trigger = _trigger_of(run, model_id, retries.attempt_id(state, first_id), needs_evidence=needs_evidence)
    parked = Parked(
        trigger=trigger, since=now, approved_by=by, approved_at=now, attempt=attempt, base=first_id, retry_at=now
    )
    known = state.remembering(trigger.trigger_id, launched=False).noted(line)
    kept = decided_about(
        trigger, at=now, decision="queue", reason="queued", detail=f"attempt {attempt}, requested by {by}"
    )
    return Retried(state=dataclasses.replace(known, retry=parked).noted(kept), trigger_id=trigger.trigger_id)


def needs_receiver(state: ModelState) -> bool:
    """Return whether the receiver may have something to do for what a person did."""
    training, waiting = state.training, state.waiting
    if training is not None and training.cancelled_at is not None and training.stopped_at is None:
        return True
    if waiting is not None and waiting.approved_by:
        return True
    return state.paused is None and training is None and state.kept is not None


def _skipped(parked: Parked, reason: Reason, detail: str, now: datetime) -> Decided:
    return decided_about(parked.trigger, at=now, decision="skip", reason=reason, detail=detail)


def _is_handed_over(training: Training) -> bool:
    return training.terms is not None and training.terms.target.hands_over


def _cancellation_in(state: ModelState, trigger_id: str) -> Cancellation | None:
    """Return the answer to an earlier request to cancel *trigger_id*, from the decisions."""
    for place, line in enumerate(state.decisions):
        if line.trigger_id != trigger_id:
            continue
        if _is_dropped(line):
            return "dropped"
        if (line.decision, line.reason) == ("steer", "cancelled"):
            # The same step records the trigger that it drops, in the next line.
            effect = state.decisions[place - 1] if place else line
            return "dropped" if _is_dropped(effect) and effect.at == line.at else "stopping"
    first_id = next((run.first_id for run in state.runs if run.trigger_id == trigger_id), None)
    if first_id is None:
        return None
    dropped = [line.trigger_id for line in state.decisions if _is_dropped(line)]
    return "dropped" if any(retries.is_attempt_of(first_id, one) for one in dropped) else None


def _is_dropped(line: Decided) -> bool:
    """Return whether *line* records that a person dropped its trigger."""
    return (line.decision, line.reason) == ("skip", "cancelled") and line.detail.startswith(_CANCELLED)


def _failed_before(state: ModelState, retry: Parked) -> str | None:
    """Return the trigger of the attempt before *retry*."""
    if retry.failure is not None:
        return retry.failure.trigger_id
    return next((run.trigger_id for run in state.runs if run.first_id == retry.first_id), None)


def _first_id(state: ModelState, trigger_id: str) -> str | None:
    """Return the first attempt of the training to which *trigger_id* belongs; None if it is not known."""
    return next((first_id for first_id, known in _attempts(state) if known == trigger_id), None)


def _attempts(state: ModelState) -> Iterator[tuple[str, str]]:
    for active in (state.training, state.queued, state.retry, state.waiting):
        if active is not None:
            yield active.first_id, active.trigger.trigger_id
    for run in state.runs:
        yield run.first_id, run.trigger_id


def _trigger_of(run: PastRun, model_id: str, trigger_id: str, *, needs_evidence: bool) -> RetrainTrigger:
    """Return the trigger that starts the training of *run* again.

    Raises:
        ConflictError: the history does not have all that it needs.

    """
    record = run.trigger
    if record is None or record.requested is None or (record.requested and isinstance(record.parameters, Cut)):
        raise ConflictError(f"trigger_id: the history has not kept all parameters of {brief(run.trigger_id)}")
    if needs_evidence and isinstance(record.evidence, Cut):
        raise ConflictError(f"trigger_id: the history has not kept the whole evidence of {brief(run.trigger_id)}")
    parameters: dict[str, Parameter] = {}
    if not isinstance(record.parameters, Cut):
        for name in record.requested:
            value = record.parameters[name]
            if isinstance(value, str | int | float | bool):
                parameters[name] = value
    return RetrainTrigger(
        model_id=model_id,
        trigger_id=trigger_id,
        origin=record.origin,
        requested_at=record.requested_at,
        reason=record.reason,
        severity=record.severity,
        parameters=parameters,
        requested_by=record.requested_by,
        evidence={} if isinstance(record.evidence, Cut) else record.evidence,
    )
