"""The sweep: checks every model, so that nothing waits for an event that never arrives."""

import logging
from datetime import timedelta
from typing import Final

from shared.decision.state import ModelState
from shared.errors import RetrainError, UnavailableError
from shared.ledger import snapshots
from shared.parts import ReceiverParts
from shared.training.end import catch_up, refresh_status
from shared.training.follow_up import resume_follow_ups

# A function has 60 s, and the last model that a sweep begins with may need some of them.
SWEEP_TIME_LIMIT: Final = timedelta(seconds=40)

log = logging.getLogger("retrain")


def sweep(receiver: ReceiverParts) -> list[str]:
    """Check every stored model: abandoned claims, trainings that may be over, waiting triggers, follow-ups.

    Follow-ups come last, so that every model is checked even if GitHub is slow. Each sweep begins with a random model,
    so that none is always skipped if there are more models than there is time for.

    Returns:
        The models that were checked.

    Raises:
        UnavailableError: some models could not be checked; all others for which there was time were.

    """
    swept: list[str] = []
    failures: list[str] = []
    left: dict[str, ModelState] = {}
    until = receiver.clock() + SWEEP_TIME_LIMIT
    for model_id in _from_anywhere(list(snapshots.stored_models(receiver.ledger)), receiver.new_id()):
        if receiver.clock() > until:
            log.warning("retrain.sweep_cut_short", extra={"swept": len(swept), "next": model_id})
            break
        try:
            snapshot = snapshots.load(receiver.ledger, model_id)
            if snapshot.state.pending:
                left[model_id] = snapshot.state
            _sweep_one(receiver, model_id, snapshot)
            swept.append(model_id)
        except RetrainError as error:
            log.warning("retrain.sweep_failed", extra={"model_id": model_id, "error": str(error)})
            failures.append(f"{model_id}: {error}")
    for model_id, state in left.items():
        if receiver.clock() <= until:
            resume_follow_ups(receiver, model_id, state)
    if failures:
        raise UnavailableError("The sweep", "check every model", "; ".join(failures[:10]))
    return swept


def sweep_model(receiver: ReceiverParts, model_id: str) -> None:
    """Check one model, as `sweep` does. A permanent error is logged: later sweeps check the model again.

    Raises:
        TransientError: the model could not be checked now.

    """
    try:
        snapshot = snapshots.load(receiver.ledger, model_id)
        _sweep_one(receiver, model_id, snapshot)
        resume_follow_ups(receiver, model_id, snapshot.state)
    except RetrainError as error:
        log.warning("retrain.sweep_failed", extra={"model_id": model_id, "error": str(error)})
        if error.retryable:
            raise


def _from_anywhere(model_ids: list[str], chance: str) -> list[str]:
    """Return *model_ids* rotated by an offset that is derived from *chance*, a random string."""
    start = int.from_bytes(chance.encode()[-6:]) % max(len(model_ids), 1)
    return model_ids[start:] + model_ids[:start]


def _sweep_one(receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot) -> None:
    training = snapshot.state.training
    if not catch_up(receiver, model_id, snapshot) and training is not None and training.run_id is not None:
        refresh_status(receiver, model_id, training, training.run_id)
