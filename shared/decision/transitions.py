"""How a model's state changes: each function takes a state and returns the next one. No clock, no I/O.

Every step may run twice with the same arguments (its save may have happened although the answer was lost): the second
time it changes nothing.
"""

import dataclasses
from datetime import datetime, timedelta
from typing import Final

from shared.config.model import Policy
from shared.decision.policy import Verdict, counts_as_drift, decide_approved, decide_queued, decide_released, streak_at
from shared.decision.state import MAX_REJECTED, MAX_RUNS, Decided, ModelState, Parked, PastRun, Training
from shared.fields import format_time
from shared.ports import Run
from shared.trigger import RetrainTrigger

# The contract keeps function timeouts at 60 s or less: whoever made an older claim is not alive any more.
CLAIM_LEASE: Final = timedelta(seconds=60)
GONE: Final = "gone"
HANDED_OVER: Final = "handed_over"

APPROVED: Final = "approved by "

_MAX_NAME: Final = 300
_MAX_DETAIL: Final = 500
# In scripts whose characters take more than two bytes a detail is shorter: the state has to fit into a ledger's item.
_MAX_DETAIL_BYTES: Final = 900


def decided(
    state: ModelState, trigger: RetrainTrigger, verdict: Verdict, policy: Policy, *, now: datetime, holder: str
) -> ModelState:
    """Apply the *verdict* on an arriving trigger; a launch becomes a claim of *holder*."""
    if counts_as_drift(trigger, verdict):
        state = dataclasses.replace(state, streak=(now, *streak_at(state, policy, now))[: max(policy.consecutive, 1)])
    return _apply(state, trigger, verdict, now=now, holder=holder)


def reclaimed(state: ModelState, token: str, *, now: datetime, holder: str) -> ModelState:
    """Take over a claim that was abandoned; a claim that is fresh, or another one, stays as it is."""
    training = state.training
    if training is None or training.trigger.token != token or not is_abandoned(training, now):
        return state
    return dataclasses.replace(state, training=dataclasses.replace(training, claimed_at=now, holder=holder))


def is_abandoned(training: Training, now: datetime) -> bool:
    """Whether nobody can still be busy starting *training*."""
    return training.run_id is None and now - training.claimed_at >= CLAIM_LEASE


def confirmed(state: ModelState, token: str, run: Run, *, now: datetime) -> ModelState:
    """Record that the claimed training of *token* started as *run*; one handed over frees the model at once."""
    training = _claimed(state, token)
    if training is None:
        return state
    past = PastRun(run_id=run.run_id, trigger_id=training.trigger.trigger_id, started_at=now, url=run.url)
    if run.handed_over:
        past = dataclasses.replace(past, ended_at=now, result=HANDED_OVER)
        return dataclasses.replace(_with_run(state, past), training=None, last_start=now)
    running = dataclasses.replace(training, run_id=run.run_id, url=run.url, started_at=now)
    return dataclasses.replace(_with_run(state, past), training=running, last_start=now)


def refused(state: ModelState, token: str, error: str, *, now: datetime) -> ModelState:
    """Free the model of a claimed training that the service will not run; its trigger may be sent again."""
    training = _claimed(state, token)
    if training is None:
        return state
    free = dataclasses.replace(state, training=None).forgetting(training.trigger.trigger_id)
    return rejected(free, training.trigger.trigger_id, error, now=now, decision=True)


def rejected(state: ModelState, trigger_id: str, error: str, *, now: datetime, decision: bool = False) -> ModelState:
    """List a rejected event; *decision* corrects an earlier one of the same trigger in the history too."""
    line = Decided(at=now, trigger_id=trigger_id, decision="reject", reason="rejected", detail=_detail(error))
    if line in state.rejected and not decision:
        return state
    listed = dataclasses.replace(state, rejected=(line, *state.rejected)[:MAX_REJECTED])
    return listed.noted(line) if decision else listed


def checked(state: ModelState, run_id: str, *, now: datetime) -> ModelState:
    """Record that the service was asked how *run_id* stands."""
    if state.training is None or state.training.run_id != run_id:
        return state
    return dataclasses.replace(state, training=dataclasses.replace(state.training, checked_at=now))


def advanced(state: ModelState, policy: Policy, *, now: datetime, holder: str) -> ModelState:
    """Let go on what may: first the trigger that a person released, then, at a free model, the queued one.

    Each is claimed, parked, or skipped by the rules that still hold for it.
    """
    released = state.waiting
    if released is not None and released.approved_by:
        verdict = _told(released, decide_approved(state, released.trigger, policy, now))
        state = dataclasses.replace(state, waiting=None)
        state = _apply(state, released.trigger, verdict, now=now, holder=holder)
        if verdict.decision == "queue":
            # Who released it goes with it: a person is asked once.
            state = dataclasses.replace(state, queued=dataclasses.replace(released, since=now))
    queued = state.queued
    if state.training is None and queued is not None:
        judge = decide_released if queued.approved_by else decide_queued
        verdict = _told(queued, judge(state, queued.trigger, policy, now))
        state = _apply(dataclasses.replace(state, queued=None), queued.trigger, verdict, now=now, holder=holder)
    return state


def can_advance(state: ModelState) -> bool:
    """Whether `advanced` would change anything."""
    released = state.waiting is not None and bool(state.waiting.approved_by)
    return released or (state.training is None and state.queued is not None)


def approved(state: ModelState, trigger_id: str, by: str, *, now: datetime) -> ModelState:
    """Write down that *by* released the waiting trigger; only the first time counts, and only for this trigger."""
    waiting = state.waiting
    if waiting is None or waiting.trigger.trigger_id != trigger_id or waiting.approved_by:
        return state
    return dataclasses.replace(state, waiting=dataclasses.replace(waiting, approved_by=by, approved_at=now))


def not_approved(state: ModelState, trigger_id: str, by: str, *, now: datetime) -> ModelState:
    """Drop the waiting trigger; naming another one changes nothing."""
    if state.waiting is None or state.waiting.trigger.trigger_id != trigger_id:
        return state
    line = Decided(
        at=now, trigger_id=trigger_id, decision="skip", reason="not_approved", detail=_detail(f"rejected by {by}")
    )
    return dataclasses.replace(state, waiting=None).noted(line)


def _told(parked: Parked, verdict: Verdict) -> Verdict:
    if not parked.approved_by or parked.approved_at is None:
        return verdict
    by = f"{APPROVED}{parked.approved_by[:_MAX_NAME]} at {format_time(parked.approved_at)}"
    return dataclasses.replace(verdict, detail=f"{by}; {verdict.detail}".rstrip("; "))


def _detail(text: str) -> str:
    short = text[:_MAX_DETAIL]
    while len(short.encode("utf-8", "surrogatepass")) > _MAX_DETAIL_BYTES:
        short = short[:-1]
    return short


def _apply(state: ModelState, trigger: RetrainTrigger, verdict: Verdict, *, now: datetime, holder: str) -> ModelState:
    launch = verdict.decision == "launch"
    state = state.remembering(trigger.trigger_id, now, launched=launch)
    if launch:
        claim = Training(trigger=trigger, claimed_at=now, first_claimed_at=now, holder=holder)
        state = dataclasses.replace(state, training=claim, streak=())
    elif verdict.decision == "queue":
        state = _superseded(state, state.queued, trigger, now)
        state = dataclasses.replace(state, queued=Parked(trigger=trigger, since=now))
    elif verdict.decision == "wait":
        state = _superseded(state, state.waiting, trigger, now)
        state = dataclasses.replace(state, waiting=Parked(trigger=trigger, since=now))
    told = dataclasses.asdict(verdict) | {"detail": _detail(verdict.detail)}
    return state.noted(Decided(at=now, trigger_id=trigger.trigger_id, **told))


def _superseded(state: ModelState, before: Parked | None, by: RetrainTrigger, now: datetime) -> ModelState:
    if before is None:
        return state
    detail = f"replaced by {by.trigger_id}"
    old = before.trigger.trigger_id
    return state.noted(Decided(at=now, trigger_id=old, decision="skip", reason="superseded", detail=detail))


def _claimed(state: ModelState, token: str) -> Training | None:
    training = state.training
    return training if training and training.run_id is None and training.trigger.token == token else None


def _with_run(state: ModelState, run: PastRun) -> ModelState:
    return dataclasses.replace(state, runs=(run, *state.runs)[:MAX_RUNS])
