"""State changes at the end of a training. No clock, no I/O."""

import dataclasses
from datetime import datetime
from typing import Final

from shared.config.model import Policy
from shared.decision.pending import described, follow_up_recorded
from shared.decision.reasons import GOOD, SUCCESSES, Result
from shared.decision.retries import may_retry, with_retry
from shared.decision.state import ModelState, PastRun, Pending, Training
from shared.decision.transitions import CLAIM_LEASE, GONE, confirmed
from shared.frozen import dataclass
from shared.ports import Run
from shared.trigger import run_name

FAILED: Final[Result] = "failed"
SUCCEEDED: Final[Result] = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a training, as reported by the service or assumed after `max_run`.

    Attributes:
        run_id: the service's id of the run.
        result: how it ended.
        at: when it ended.
        error: what the service says about a failure, one line of at most 500 characters.
        name: the name that this project gave the run; empty if only its id is known.
        actions: the follow-ups of this end.
        holder: the id of the claim on the follow-ups, new for each claim.

    """

    run_id: str
    result: Result
    at: datetime
    error: str = ""
    name: str = ""
    actions: tuple[str, ...] = ()
    holder: str = ""


def ended(state: ModelState, end: End, *, now: datetime, policy: Policy | None = None) -> ModelState:
    """Record the end of a training, free the model and record what follows, in one change and only once.

    The training is retried if *policy*, the current one, allows it; without it (the model is not configured) nothing is
    retried. Else its follow-ups are recorded. Nothing follows a training that was cancelled and did not succeed.

    The end of any other run changes nothing. An end may be reported before the start is confirmed: then the run is
    recognised by its name.
    """
    training = state.training
    if training is None or not _is_of(training, end):
        return _ended_late(state, end)
    run_id, started = training.run_id or end.run_id, training.started_at
    if training.run_id is None:
        # The latest possible start keeps the cooldown: a process that saw it fresh may have started it a lease later.
        started = min(now, training.claimed_at + 2 * CLAIM_LEASE)
        state = confirmed(state, training.trigger.token, Run(run_id=run_id), now=started)
    runs = tuple(_closed(run, end) if run.run_id == run_id else run for run in state.runs)
    entry = Pending(
        run_id=run_id,
        trigger_id=training.trigger.trigger_id,
        token=training.trigger.token,
        result=end.result,
        ended_at=end.at,
        actions=end.actions,
        holder=end.holder,
        claimed_at=now,
    )
    free = _counted(dataclasses.replace(state, training=None, runs=runs), started or training.claimed_at, end)
    if training.cancelled_at is not None and end.result != SUCCEEDED:
        return free
    if policy is not None and end.result == FAILED and may_retry(free, training, policy):
        return with_retry(free, training, described(training, entry), policy, now=now)
    return follow_up_recorded(free, training, entry)


def _is_of(training: Training, end: End) -> bool:
    """Return whether *end* is the end of *training*.

    An event may name the run differently than the start did (a Google project has a name and a number). If the name
    given by this project is also the service's id of the run, the name is sufficient: no other run has it.
    """
    named = run_name(training.trigger.token) == end.name
    if training.run_id is None:
        return named
    return training.run_id == end.run_id or (
        named and training.run_id.rpartition("/")[2] == end.run_id.rpartition("/")[2] == end.name
    )


def _ended_late(state: ModelState, end: End) -> ModelState:
    # The end of a run that counted as gone may still be reported. Its follow-ups were already carried out.
    late = next((run for run in state.runs if run.run_id == end.run_id and run.result == GONE), None)
    if late is None:
        return state
    runs = tuple(_closed(run, end) if run.run_id == end.run_id else run for run in state.runs)
    known = next((run.started_at for run in runs if run.result in GOOD), None)
    return _counted(dataclasses.replace(state, runs=runs, last_good_start=known), late.started_at, end)


def _closed(run: PastRun, end: End) -> PastRun:
    return dataclasses.replace(run, ended_at=end.at, result=end.result, error=end.error)


def _counted(state: ModelState, started_at: datetime, end: End) -> ModelState:
    """Return *state* with the times of the last starts and successes, a training of *started_at* having ended."""
    if end.result in GOOD:
        state = dataclasses.replace(state, last_good_start=max(started_at, state.last_good_start or started_at))
    if end.result in SUCCESSES:
        state = dataclasses.replace(state, last_success=max(end.at, state.last_success or end.at))
    return state
