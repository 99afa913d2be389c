"""Unfinished work of a model, which comes before anything new: what the clock or a crash has left to do.

Waiting triggers are advanced, abandoned claims are finished, and running trainings are queried.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from shared.decision import transitions
from shared.decision.attention import CHECK_EVERY, gone_at
from shared.decision.ending import End
from shared.decision.record import one_line
from shared.decision.state import ModelState, Training
from shared.decision.terms import rules_of
from shared.errors import RetrainError, UnavailableError
from shared.ledger import snapshots
from shared.ports import RunResult, RunStatus
from shared.training.end import RESULTS, record_end
from shared.training.parts import ReceiverParts
from shared.training.start import launcher_of, terms_of
from shared.training.transition import finish, transition

# A run whose status could not be queried for this long after `max_run` counts as gone.
GIVE_UP_AFTER: Final = timedelta(days=1)

log = logging.getLogger("retrain")


def catch_up(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot) -> bool:
    """Finish the unfinished work of a model before a new decision, and return whether anything changed.

    Raises:
        TransientError: a service that must respond first is unavailable.

    """
    training, now = snapshot.state.training, receiver.clock()
    if advance(receiver, model_id, snapshot):
        return True
    if training is None:
        return False
    if transitions.is_abandoned(training, now):
        finish(receiver, model_id, snapshot)
        return True
    if training.run_id is None or not _is_check_due(receiver, model_id, training, now):
        return False
    refresh_status(receiver, model_id, training, training.run_id)
    return True


def is_left_undone(receiver: ReceiverParts, model_id: str, state: ModelState) -> bool:
    """Return whether `catch_up` has work to do."""
    training, now = state.training, receiver.clock()
    if can_advance(receiver, model_id, state):
        return True
    if training is None:
        return False
    return transitions.is_abandoned(training, now) or _is_check_due(receiver, model_id, training, now)


def advance(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot) -> bool:
    """Advance the waiting triggers: an approved one, and the queued one of a free model.

    Returns:
        Whether one of them could go on; if not, no service is called.

    Raises:
        TransientError: a service that must respond first is unavailable.

    """
    if not can_advance(receiver, model_id, snapshot.state):
        return False
    transition(receiver, model_id, lambda state, _now, _holder: state, snapshot)
    return True


def can_advance(receiver: ReceiverParts, model_id: str, state: ModelState) -> bool:
    """Return whether `advance` has work to do."""
    return transitions.can_advance(state, rules_of(receiver.config, receiver.cloud, model_id), receiver.clock())


def refresh_status(receiver: ReceiverParts, model_id: str, training: Training, run_id: str) -> None:
    """Query the status of a training from its service, and record its end if it is over.

    A training that exceeds `max_run` counts as gone, unless the service reports how it ended.

    Raises:
        TransientError: `max_run` is exceeded and the service is unavailable; a day later the training counts as gone.

    """
    now = receiver.clock()
    overdue = _overdue(receiver, model_id, training, now)
    try:
        terms = terms_of(receiver, model_id, training)
        status = launcher_of(receiver, terms).status(run_id)
    except RetrainError as error:
        if timedelta() <= overdue < GIVE_UP_AFTER:
            raise UnavailableError("The training service", f"report the status of {run_id}", str(error)) from error
        log.warning("retrain.status_unknown", extra={"model_id": model_id, "run_id": run_id, "error": str(error)})
        status = RunStatus(result=RunResult.RUNNING)
    result = RESULTS.get(status.result)
    if result is not None:
        end = End(run_id=run_id, result=result, at=status.ended_at or now, error=one_line(status.error))
    elif overdue >= timedelta():
        log.warning("retrain.run_overdue", extra={"model_id": model_id, "run_id": run_id})
        end = End(run_id=run_id, result=transitions.GONE, at=now)
    else:
        snapshots.change(receiver, model_id, lambda state: transitions.checked(state, run_id, now=now))
        return
    record_end(receiver, model_id, end)


def _is_check_due(receiver: ReceiverParts, model_id: str, training: Training, now: datetime) -> bool:
    last = training.checked_at or training.started_at
    if training.run_id is None or last is None:
        return False
    return now - last >= CHECK_EVERY or _overdue(receiver, model_id, training, now) >= timedelta()


def _overdue(receiver: ReceiverParts, model_id: str, training: Training, now: datetime) -> timedelta:
    """Return by how much *training* exceeds `max_run`; negative while it may run."""
    if training.started_at is None:
        return -timedelta.resolution
    return now - gone_at(training, rules_of(receiver.config, receiver.cloud, model_id))
