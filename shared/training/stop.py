"""Stops a training where it was started: one that a person cancelled, or one that runs beside another."""

import logging

from shared.decision.state import Training
from shared.decision.steering import is_stop_due, stop_accepted
from shared.errors import RetrainError
from shared.ledger import snapshots
from shared.ledger.snapshots import Snapshot
from shared.training.parts import ReceiverParts
from shared.training.start import launcher_of, terms_of

log = logging.getLogger("retrain")


def stop_if_cancelled(receiver: ReceiverParts, model_id: str, snapshot: Snapshot) -> Snapshot:
    """Request the stop of the running training if a person cancelled it, and return the new snapshot.

    The result is recorded when the service reports the end. If the service does not accept the request, that is logged,
    and the next sweep sends it again; nothing else waits for it.
    """
    training = snapshot.state.training
    if training is None or training.run_id is None or not is_stop_due(training, receiver.clock()):
        return snapshot
    run_id, fields = training.run_id, {"model_id": model_id, "run_id": training.run_id}
    try:
        launcher_of(receiver, terms_of(receiver, model_id, training)).cancel(run_id)
        log.info("retrain.stop_requested", extra=fields)
        now = receiver.clock()
        return snapshots.change(receiver, model_id, lambda state: stop_accepted(state, run_id, now=now), snapshot)
    except RetrainError as error:
        log.warning("retrain.stop_failed", extra={**fields, "error": str(error)})
        return snapshot


def stop_stray(receiver: ReceiverParts, model_id: str, claim: Training, run_id: str) -> None:
    """Request the stop of the run of *claim*, which was started while the model claimed another training.

    Nothing is raised: the run is listed, and the log says that it must be stopped by hand if the request fails.
    """
    fields = {"model_id": model_id, "trigger_id": claim.trigger.trigger_id, "run_id": run_id}
    try:
        launcher_of(receiver, terms_of(receiver, model_id, claim)).cancel(run_id)
        log.error("retrain.stray_run", extra={**fields, "error": "it was requested to stop"})
    except RetrainError as error:
        log.error("retrain.stray_run", extra={**fields, "error": f"it could not be stopped: {error}"})  # noqa: TRY400
