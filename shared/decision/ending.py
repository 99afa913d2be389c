"""How the end of a training changes a model's state. No clock, no I/O."""

import dataclasses
from datetime import datetime

from shared.decision.pending import promised
from shared.decision.reasons import Result
from shared.decision.state import ModelState, Pending, Training
from shared.decision.transitions import CLAIM_LEASE, GONE, confirmed
from shared.frozen import dataclass
from shared.ports import Run
from shared.trigger import run_name


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a training, as it was told.

    Attributes:
        run_id: how the service calls the run.
        result: how it ended.
        at: when.
        name: the name that we gave it; empty where the run is known by its id.
        actions: what follows such an end.
        holder: who does that: an id that is made anew each time.

    """

    run_id: str
    result: Result
    at: datetime
    name: str = ""
    actions: tuple[str, ...] = ()
    holder: str = ""


def ended(state: ModelState, end: End, *, now: datetime) -> ModelState:
    """Record that a training is over, free the model and write down what follows, all at once and only once.

    A run that is not the model's changes nothing. The end may be told before the start was confirmed: then the run is
    known by its name.
    """
    training = state.training
    if training is None or not _is_of(training, end):
        return _ended_late(state, end)
    run_id = training.run_id or end.run_id
    if training.run_id is None:
        # The latest possible time keeps the cooldown: who found the claim still fresh may have started it a lease on.
        started = min(now, training.claimed_at + 2 * CLAIM_LEASE)
        state = confirmed(state, training.trigger.token, Run(run_id=run_id), now=started)
    runs = tuple(
        dataclasses.replace(run, ended_at=end.at, result=end.result) if run.run_id == run_id else run
        for run in state.runs
    )
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
    return promised(dataclasses.replace(state, training=None, runs=runs), training, entry)


def _is_of(training: Training, end: End) -> bool:
    """Tell whether *end* is that of *training*.

    An event may spell the run otherwise than the start did (Google's projects have a name and a number). Where the name
    that we gave is the service's own id of the run, that is enough: there is no other run of this name.
    """
    named = run_name(training.trigger.token) == end.name
    if training.run_id is None:
        return named
    return training.run_id == end.run_id or (
        named and training.run_id.rpartition("/")[2] == end.run_id.rpartition("/")[2] == end.name
    )


def _ended_late(state: ModelState, end: End) -> ModelState:
    # A run that counted as gone may still tell how it ended. What follows has followed then.
    runs = tuple(
        dataclasses.replace(run, ended_at=end.at, result=end.result)
        if run.run_id == end.run_id and run.result == GONE
        else run
        for run in state.runs
    )
    return dataclasses.replace(state, runs=runs)
