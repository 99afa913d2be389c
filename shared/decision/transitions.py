"""State changes: each function takes the state of a model and returns the next one. No clock, no I/O.

Every step may run twice with the same arguments (its save may have succeeded although the response was lost): the
second time it changes nothing.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.config.model import MAX_STARTS
from shared.decision import retries
from shared.decision.policy import Verdict, counts_as_drift, decide_kept, held_back, is_paused, streak_at
from shared.decision.reasons import Reason, Result
from shared.decision.record import MAX_NAME_BYTES, NOTHING, readable
from shared.decision.state import (
    MAX_DETAIL,
    MAX_DETAIL_BYTES,
    MAX_REJECTED,
    MAX_RUNS,
    Decided,
    ModelState,
    Parked,
    PastRun,
    Training,
    decided_about,
)
from shared.decision.terms import Rules
from shared.fields import format_time
from shared.json_text import cut_utf8
from shared.ports import Run
from shared.trigger import RetrainTrigger

# Function timeouts are 60 s or less: the process that made an older claim has ended.
CLAIM_LEASE: Final = timedelta(seconds=60)
# A second hand-over is a second training, so a clock skew of up to five minutes must not make a claim look old.
HAND_OVER_LEASE: Final = timedelta(minutes=6)
GONE: Final[Result] = "gone"
HANDED_OVER: Final[Result] = "handed_over"

APPROVED: Final = "approved by "
# Who ends a pause whose time is over.
SWEEP: Final = "sweep"

_MAX_NAME: Final = 300


def decided(
    state: ModelState, trigger: RetrainTrigger, verdict: Verdict, rules: Rules, *, now: datetime, holder: str
) -> ModelState:
    """Apply the *verdict* on a new trigger; for a launch the training is claimed for *holder*."""
    policy = rules.policy
    if counts_as_drift(trigger, verdict):
        state = dataclasses.replace(state, streak=(now, *streak_at(state, policy, now))[: max(policy.consecutive, 1)])
    return _apply(state, Parked(trigger=trigger, since=now), verdict, rules, now=now, holder=holder)


def reclaimed(state: ModelState, token: str, *, now: datetime, holder: str) -> ModelState:
    """Take over the abandoned claim of *token*; a fresh claim, or one of another token, is not changed."""
    training = state.training
    if training is None or training.trigger.token != token or not is_abandoned(training, now):
        return state
    return dataclasses.replace(state, training=dataclasses.replace(training, claimed_at=now, holder=holder))


def is_abandoned(training: Training, now: datetime) -> bool:
    """Return whether no process can still be starting *training*."""
    return training.run_id is None and now >= abandoned_at(training)


def abandoned_at(training: Training) -> datetime:
    """Return from when on no process can still be starting the claimed *training*."""
    terms = training.terms
    lease = CLAIM_LEASE if terms is None or terms.target.honours_tokens else HAND_OVER_LEASE
    return training.claimed_at + lease


def confirmed(state: ModelState, token: str, run: Run, *, now: datetime) -> ModelState:
    """Record that the claimed training of *token* started as *run*; a hand-over frees the model immediately."""
    training = _claimed(state, token)
    if training is None:
        return state
    listed = _with_run(state, _past_run(training, run, now))
    if run.handed_over:
        return dataclasses.replace(listed, training=None, last_good_start=now, last_success=now)
    running = dataclasses.replace(training, run_id=run.run_id, url=run.url, started_at=now, failure=None)
    return dataclasses.replace(listed, training=running)


def restored(state: ModelState, claim: Training, run: Run, *, now: datetime) -> ModelState:
    """Put *claim* back if it was removed although its training was started as *run*; otherwise nothing changes.

    Two processes may request the same start at the same time. One is refused, which removes the claim; the other is
    not. If the model has claimed another training meanwhile, the run is listed as gone instead: it must be stopped.
    """
    trigger_id, other = claim.trigger.trigger_id, state.training
    is_known = other is not None and other.trigger.token == claim.trigger.token
    if is_known or any(past.trigger_id == trigger_id for past in state.runs):
        return state
    detail = "the service refused a request for this training and accepted another one at the same time"
    line = decided_about(claim.trigger, at=now, decision="launch", reason="launched", detail=detail)
    # The trigger may have been sent again since; it starts now.
    kept = {name: getattr(state, name) for name in ("queued", "retry", "waiting")}
    kept = {name: None for name, parked in kept.items() if parked and parked.trigger.trigger_id == trigger_id}
    state = dataclasses.replace(state, **kept).remembering(trigger_id, launched=True).noted(line)
    if other is None:
        return dataclasses.replace(state, training=dataclasses.replace(claim, failure=None))
    past = _past_run(claim, run, now)
    if past.result is None:
        past = dataclasses.replace(past, ended_at=now, result=GONE)
    return _with_run(state, past)


def is_stray(state: ModelState, run: Run) -> bool:
    """Return whether *run* was started beside the training of the model and must be stopped; see `restored`."""
    is_current = state.training is not None and state.training.run_id == run.run_id
    return not is_current and any(past.run_id == run.run_id and past.result == GONE for past in state.runs)


def is_unconfirmed(state: ModelState, token: str) -> bool:
    """Return whether the training of *token* is claimed, and neither confirmed nor refused yet."""
    return _claimed(state, token) is not None


def _past_run(training: Training, run: Run, now: datetime) -> PastRun:
    past = PastRun(
        run_id=run.run_id,
        trigger_id=training.trigger.trigger_id,
        started_at=now,
        url=run.url,
        attempt=training.attempt,
        base=training.base,
        trigger=training.record,
    )
    return dataclasses.replace(past, ended_at=now, result=HANDED_OVER) if run.handed_over else past


def refused(state: ModelState, token: str, error: str, *, now: datetime, holder: str = "") -> ModelState:
    """Remove the claim on a training that the service refused; its trigger may be sent again.

    If it was a retry, the failure before it is reported by *holder*.
    """
    training = _claimed(state, token)
    if training is None:
        return state
    free = dataclasses.replace(state, training=None).forgetting(training.trigger.trigger_id)
    free = retries.with_failure(free, training.failure, now=now, holder=holder)
    line = decided_about(
        training.trigger, at=now, decision="reject", reason="rejected", detail=error, about=training.record
    )
    return _listed(free, line).noted(line)


def rejected(
    state: ModelState, trigger_id: str, error: str, *, now: datetime, fields: Mapping[str, object] = NOTHING
) -> ModelState:
    """List a rejected event, with what can be read of its *fields*."""
    detail = cut_utf8(error[:MAX_DETAIL], MAX_DETAIL_BYTES)
    line = Decided(
        at=now, trigger_id=trigger_id, decision="reject", reason="rejected", detail=detail, **readable(fields)
    )
    return state if line in state.rejected else _listed(state, line)


def checked(state: ModelState, run_id: str, *, now: datetime) -> ModelState:
    """Record that the status of *run_id* was requested from the service."""
    if state.training is None or state.training.run_id != run_id:
        return state
    return dataclasses.replace(state, training=dataclasses.replace(state.training, checked_at=now))


def advanced(state: ModelState, rules: Rules | None, *, now: datetime, holder: str) -> ModelState:
    """Advance what can go on: end a pause whose time is over, then advance the approved trigger, then the kept one.

    An approved trigger that something holds back becomes the kept one. The kept trigger is claimed, or starts to wait
    for an approval, once nothing holds it back. A retry that is no longer configured is dropped. Without *rules* (the
    model is not configured) no trigger advances.
    """
    if _is_pause_over(state, now):
        state = resumed(state, SWEEP, now=now)
    if rules is None:
        return state
    if state.retry is not None and not retries.is_configured(state.retry, rules.policy):
        state = retries.dropped(state, "cancelled", "retries are no longer configured", now=now, holder=holder)
    released = state.waiting
    if released is not None and released.approved_by:
        state = dataclasses.replace(state, waiting=None)
        launch = decide_kept(state, released, rules.policy, now)
        verdict = _by(released, held_back(state, released, rules.policy, now) or launch)
        state = _apply(state, released, verdict, rules, now=now, holder=holder)
    kept = state.kept
    if kept is not None and held_back(state, kept, rules.policy, now) is None:
        verdict = _by(kept, decide_kept(state, kept, rules.policy, now))
        state = _apply(
            dataclasses.replace(state, queued=None, retry=None), kept, verdict, rules, now=now, holder=holder
        )
    return state


def can_advance(state: ModelState, rules: Rules | None, now: datetime) -> bool:
    """Return whether `advanced` would change anything."""
    if _is_pause_over(state, now):
        return True
    if rules is None:
        return False
    if state.waiting is not None and state.waiting.approved_by:
        return True
    if state.retry is not None and not retries.is_configured(state.retry, rules.policy):
        return True
    return state.kept is not None and held_back(state, state.kept, rules.policy, now) is None


def _is_pause_over(state: ModelState, now: datetime) -> bool:
    return state.paused is not None and not is_paused(state, now)


def resumed(state: ModelState, by: str, *, now: datetime) -> ModelState:
    """End the pause of the model, if it has one."""
    if state.paused is None:
        return state
    return dataclasses.replace(state, paused=None).noted(steered("resumed", by, now=now))


def steered(reason: Reason, by: str, *, now: datetime, trigger_id: str = "", detail: str = "") -> Decided:
    """Return the line of the history that says what *by* did to the model."""
    return Decided(
        at=now,
        trigger_id=trigger_id,
        decision="steer",
        reason=reason,
        detail=cut_utf8(detail[:MAX_DETAIL], MAX_DETAIL_BYTES),
        requested_by=cut_utf8(by, MAX_NAME_BYTES),
    )


def _by(parked: Parked, verdict: Verdict) -> Verdict:
    """Return *verdict* with the name of the person who approved the trigger, if there was one."""
    if not parked.approved_by or parked.approved_at is None:
        return verdict
    did = "requested by " if parked.is_retry else APPROVED
    by = f"{did}{parked.approved_by[:_MAX_NAME]} at {format_time(parked.approved_at)}"
    return dataclasses.replace(verdict, detail=f"{by}; {verdict.detail}".rstrip("; "))


def _apply(
    state: ModelState, parked: Parked, verdict: Verdict, rules: Rules, *, now: datetime, holder: str
) -> ModelState:
    trigger, launch = parked.trigger, verdict.decision == "launch"
    state, about = state.remembering(trigger.trigger_id, launched=launch), None
    retry = state.retry if _takes_the_place(state.retry, verdict) else None
    if retry is not None:
        state = retries.replaced(state, trigger.trigger_id, now=now, holder=holder)
    if launch:
        claim = Training(
            trigger=trigger,
            claimed_at=now,
            first_claimed_at=now,
            holder=holder,
            terms=rules.terms(trigger),
            attempt=parked.attempt,
            base=parked.base,
            failure=parked.failure,
        )
        state, about = dataclasses.replace(state, training=claim, streak=()), claim.record
    elif verdict.decision == "queue":
        before = [parked, *filter(None, [state.queued, retry])]
        state = _superseded(state, state.queued, trigger, now)
        state = dataclasses.replace(
            state, queued=dataclasses.replace(parked, since=now, retry_at=_earliest_retry(before))
        )
    elif verdict.decision == "wait":
        before = [parked, *filter(None, [state.waiting, retry])]
        state = _superseded(state, state.waiting, trigger, now)
        waits = Parked(trigger=trigger, since=now, retry_at=_earliest_retry(before))
        state = dataclasses.replace(state, waiting=waits)
    return state.noted(decided_about(trigger, at=now, about=about, **dataclasses.asdict(verdict)))


def _takes_the_place(retry: Parked | None, verdict: Verdict) -> bool:
    """Return whether a trigger with this *verdict* replaces the pending *retry*.

    A retry that a person requested is only replaced by a trigger that is kept instead of it.
    """
    if retry is None or verdict.decision not in ("launch", "queue", "wait"):
        return False
    return verdict.decision == "queue" or not retry.approved_by


def _earliest_retry(triggers: list[Parked]) -> datetime | None:
    """Return the time of the retry whose place one of *triggers* took: from then on the cooldown does not hold it."""
    return min((parked.retry_at for parked in triggers if parked.retry_at is not None), default=None)


def _superseded(state: ModelState, before: Parked | None, by: RetrainTrigger, now: datetime) -> ModelState:
    if before is None:
        return state
    detail = f"replaced by {by.trigger_id}"
    return state.noted(decided_about(before.trigger, at=now, decision="skip", reason="superseded", detail=detail))


def _listed(state: ModelState, line: Decided) -> ModelState:
    return dataclasses.replace(state, rejected=(line, *state.rejected)[:MAX_REJECTED])


def _claimed(state: ModelState, token: str) -> Training | None:
    training = state.training
    return training if training and training.run_id is None and training.trigger.token == token else None


def _with_run(state: ModelState, run: PastRun) -> ModelState:
    return dataclasses.replace(
        state,
        runs=(run, *state.runs)[:MAX_RUNS],
        last_start=run.started_at,
        starts=(run.started_at, *state.starts)[:MAX_STARTS],
    )
