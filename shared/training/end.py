"""Looking after trainings: abandoned claims, runs that should be over, and the news that one ended."""

import dataclasses
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from shared.decision import transitions
from shared.decision.ending import End, ended
from shared.decision.state import ModelState, Training
from shared.errors import TransientError, UnknownModelError
from shared.ledger import snapshots
from shared.parts import ReceiverParts
from shared.ports import RunResult, RunStatus
from shared.training import follow_up
from shared.training.follow_up import asking, follow, resume
from shared.training.start import finish, is_claimed_by, launch, launcher_of, policy_of
from shared.trigger import RUN_PREFIX, run_name
from shared.wire.incoming import RunEnded

# How often a busy model's training is asked after: a burst of triggers must not become a burst of questions.
CHECK_EVERY: Final = timedelta(seconds=60)

log = logging.getLogger("retrain")


def tend(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot) -> bool:
    """Finish what is left undone at a model before something new is decided; tells whether anything changed.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    training, now = snapshot.state.training, receiver.clock()
    if transitions.can_advance(snapshot.state):
        advance(receiver, model_id, snapshot)
        return True
    if training is None:
        return False
    if transitions.is_abandoned(training, now):
        finish(receiver, model_id, snapshot)
        return True
    last = training.checked_at or training.started_at
    if training.run_id is None or last is None or now - last < CHECK_EVERY:
        return False
    return ask(receiver, model_id, training, training.run_id)


def advance(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot) -> None:
    """Let go on what may go on at a model: a trigger that a person released, the queued one at a free model.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    now, holder, policy = receiver.clock(), receiver.new_id(), policy_of(receiver, model_id)

    def step(state: ModelState) -> ModelState:
        advanced = transitions.advanced(state, policy, now=now, holder=holder)
        return asking(receiver, state, advanced, now=now, holder=holder)

    snapshot = snapshots.change(receiver, model_id, step, snapshot)
    if is_claimed_by(holder, snapshot):
        launch(receiver, model_id, snapshot, again=False)
    follow(receiver, model_id, snapshot, holder)


def ask(receiver: ReceiverParts, model_id: str, training: Training, run_id: str) -> bool:
    """Ask the service how a training stands, and free the model when it is over; tells whether anything changed.

    A training longer than `max_run` counts as gone, unless the service says how it ended.

    Raises:
        TransientError: the training should be over and the service does not answer.

    """
    policy, now = policy_of(receiver, model_id), receiver.clock()
    overdue = training.started_at is not None and now - training.started_at >= policy.max_run
    try:
        status = launcher_of(receiver, model_id).status(run_id)
    except (TransientError, UnknownModelError) as error:
        if overdue and isinstance(error, TransientError):
            raise
        log.warning("retrain.status_unknown", extra={"model_id": model_id, "run_id": run_id, "error": str(error)})
        status = RunStatus(result=RunResult.RUNNING)
    if status.result is not RunResult.RUNNING:
        return record_end(receiver, model_id, End(run_id=run_id, result=status.result, at=status.ended_at or now))
    if overdue:
        log.warning("retrain.run_overdue", extra={"model_id": model_id, "run_id": run_id})
        return record_end(receiver, model_id, End(run_id=run_id, result=transitions.GONE, at=now))
    snapshots.change(receiver, model_id, lambda state: transitions.checked(state, run_id, now=now))
    return True


def record_end(receiver: ReceiverParts, model_id: str, end: End) -> bool:
    """Record *end* and free its model; start what is queued, and then do what follows the training.

    An end that is recorded already changes nothing.

    Returns:
        True: the model's state may have changed.

    Raises:
        TransientError: a service must answer first, and does not.

    """
    now, holder, policy = receiver.clock(), receiver.new_id(), policy_of(receiver, model_id)
    concluded = dataclasses.replace(end, actions=follow_up.actions_after(receiver, model_id, end.result), holder=holder)
    snapshot = snapshots.load(receiver.ledger, model_id)
    if concluded.actions:
        snapshot = follow_up.make_room(receiver, model_id, snapshot)

    def step(state: ModelState) -> ModelState:
        advanced = transitions.advanced(ended(state, concluded, now=now), policy, now=now, holder=holder)
        return follow_up.asking(receiver, state, advanced, now=now, holder=holder)

    log.info("retrain.ended", extra={"model_id": model_id, "run_id": end.run_id, "result": end.result})
    snapshot = snapshots.change(receiver, model_id, step, snapshot)
    try:
        if is_claimed_by(holder, snapshot):
            launch(receiver, model_id, snapshot, again=False)
    except TransientError:
        follow_up.follow(receiver, model_id, snapshot, holder)
        raise
    follow_up.follow(receiver, model_id, snapshot, holder)
    return True


def run_ended(receiver: ReceiverParts, news: RunEnded) -> str | None:
    """Record the end of a run, free its model, start what is queued and do what follows; returns whose run it was.

    However often an end is told, only the first time changes anything; a later one helps to finish the start of the
    queued trigger and what follows, if that was left undone.

    Raises:
        TransientError: deliver the news again.

    """
    if news.result is RunResult.RUNNING or not news.name.startswith(RUN_PREFIX):
        return None
    ended_at = news.ended_at or receiver.clock()
    for model_id in _candidates(receiver, news):
        if not _owns(snapshots.load(receiver.ledger, model_id).state, news):
            continue
        record_end(receiver, model_id, End(run_id=news.run_id, name=news.name, result=news.result, at=ended_at))
        snapshot = snapshots.load(receiver.ledger, model_id)
        if snapshot.state.training is not None and snapshot.state.training.run_id is None:
            finish(receiver, model_id, snapshot)
        resume(receiver, model_id, snapshot.state)
        return model_id
    return None


def _candidates(receiver: ReceiverParts, news: RunEnded) -> Iterator[str]:
    if news.model_id is not None:
        yield news.model_id
    yield from (model_id for model_id in snapshots.stored_models(receiver.ledger) if model_id != news.model_id)


def _owns(state: ModelState, news: RunEnded) -> bool:
    training = state.training
    if training is not None and run_name(training.trigger.token) == news.name:
        return True
    return any(run.run_id == news.run_id for run in state.runs)
