"""The sweep: checks the models that need attention, so that nothing waits for an event that never arrives."""

import dataclasses
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar

from shared.decision.state import ModelState
from shared.decision.terms import rules_of
from shared.errors import DamagedStateError, RetrainError, UnavailableError
from shared.ledger import snapshots
from shared.ledger.index import IndexRecord, StoredRecord, entry_of, is_own, load_record, save_record
from shared.training.catch_up import can_advance, catch_up, refresh_status
from shared.training.channels import described
from shared.training.follow_up import resume_follow_ups
from shared.training.parts import ReceiverParts
from shared.training.stale import notify_if_stale, watch_new_models
from shared.training.stop import stop_if_cancelled

# A function has 60 s, and the last model that a sweep begins with may need some of them.
SWEEP_TIME_LIMIT: Final = timedelta(seconds=40)
# A sweep has no time for more, and begins with a random one of them.
MOST_DUE: Final = 10_000
# A pass that only repeats what is indexed already reads this many documents in a sweep.
MOST_REPEATED: Final = 500

T = TypeVar("T")

log = logging.getLogger("retrain")


def sweep(receiver: ReceiverParts) -> list[str]:
    """Check the models that need attention: abandoned claims, runs that may be over, waiting triggers, follow-ups.

    These are the models that are due in the index of the ledger. Until every model is in the index, or while it cannot
    be used, the sweeps also go through all stored models, each continuing where the last one stopped; once the index
    is complete, such a pass is repeated daily.

    Follow-ups come last, so that every model is checked even if GitHub is slow. Each sweep begins with a random model,
    so that none is always skipped if there are more models than there is time for. A part of the sweep that fails stops
    no other part.

    Returns:
        The models that were checked.

    Raises:
        UnavailableError: some models or a part could not be checked; all others for which there was time were.

    """
    sweeping = _Sweep(receiver)
    stored = sweeping.part("the record of the index", lambda: load_record(receiver.ledger))
    due = sweeping.part("the models that are due", lambda: receiver.ledger.due(sweeping.began, MOST_DUE))
    sweeping.check_due(due or [])
    if stored is not None and (due is None or stored.record is None or stored.record.is_pass_due(sweeping.began)):
        repeats = due is not None and stored.is_complete
        sweeping.part("the pass through all models", lambda: sweeping.continue_pass(stored, repeats=repeats))
    sweeping.part("models that are seen for the first time", lambda: watch_new_models(receiver))
    sweeping.follow_up()
    if due is not None:
        sweeping.report_queue()
    if sweeping.failures:
        raise UnavailableError("The sweep", "check every model", "; ".join(sweeping.failures[:10]))
    return list(sweeping.checked)


class _Sweep:
    """One sweep.

    Attributes:
        began: when it began.
        checked: the models that were checked, in their order; the values are unused.
        failures: the errors of those that could not be checked.

    """

    def __init__(self, receiver: ReceiverParts) -> None:
        self._receiver = receiver
        self.began = receiver.clock()
        self.checked: dict[str, None] = {}
        self.failures: list[str] = []
        self._left: dict[str, ModelState] = {}
        self._queued: dict[str, datetime] = {}

    def part(self, name: str, work: Callable[[], T]) -> T | None:
        """Return the result of *work*; None if it fails, which is logged."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - no failure of one part may affect the others
            self._failed("part", name, error)
            return None

    def check_due(self, due: list[str]) -> None:
        """Check the models that are *due* in the index."""
        for model_id in _from_anywhere(due, self._receiver.new_id()):
            if self._is_late():
                log.warning("retrain.sweep_cut_short", extra={"swept": len(self.checked), "next": model_id})
                return
            self._check(model_id, indexed=True)

    def continue_pass(self, stored: StoredRecord, *, repeats: bool) -> None:
        """Check and index the models that follow in the pass through all models, and save its place.

        Args:
            stored: the record of the passes.
            repeats: whether the models are indexed already, so that the pass may take its time.

        Raises:
            UnavailableError: the ledger is unavailable.

        """
        now, ledger = self.began, self._receiver.ledger
        before = stored.record or IndexRecord(since=now, began_at=now)
        record, number = before.begun(now), 0
        most = MOST_REPEATED if repeats else None
        while not self._is_late() and (most is None or number < most):
            page = ledger.models(record.after, snapshots.PAGE_SIZE)
            if not page:
                record = record.ended()
                break
            for model_id in page:
                if self._is_late():
                    break
                known = is_own(model_id) or model_id in self.checked
                done = known or self._check(model_id, indexed=False, runs=not repeats)
                record = dataclasses.replace(record, after=model_id, failed=record.failed or not done)
                number += 1
        if record != stored.record:
            save_record(ledger, record, stored.version)

    def follow_up(self) -> None:
        """Resume the follow-ups of the models that were checked."""
        for model_id, state in self._left.items():
            if not self._is_late():
                resume_follow_ups(self._receiver, model_id, state)

    def report_queue(self) -> None:
        """Log how long the oldest trigger has been queued, from which the clouds make a metric; 0 if none is."""
        oldest = min(self._queued, key=lambda model_id: self._queued[model_id], default=None)
        fields: dict[str, object] = {"queued": len(self._queued), "seconds": 0.0}
        if oldest is not None:
            waited = (self._receiver.clock() - self._queued[oldest]).total_seconds()
            fields |= {"seconds": max(waited, 0.0), "model_id": oldest}
        log.info("retrain.queue_age", extra=fields)

    def _is_late(self) -> bool:
        return self._receiver.clock() > self.began + SWEEP_TIME_LIMIT

    def _check(self, model_id: str, *, indexed: bool, runs: bool = False) -> bool:
        """Check a model.

        Args:
            model_id: the model.
            indexed: whether the index says that it is due; otherwise it is indexed now.
            runs: whether to index it also if it does not need attention, so that its runs are found.

        Returns:
            Whether the index has its entry now.

        """
        receiver = self._receiver
        try:
            snapshot = snapshots.load(receiver.ledger, model_id)
            entry = entry_of(rules_of(receiver.config, receiver.cloud, model_id), model_id, snapshot.state)
            is_due = entry.attention is not None and entry.attention <= self.began
            # Ends that the version before has missed are found by the first pass.
            is_due = is_due or (runs and snapshot.state.training is not None)
            belongs = entry.attention is not None or (runs and bool(entry.runs))
            if not is_due if indexed else belongs:
                # The entry is outdated, or may be missing. A writer who is faster writes it, too.
                snapshot = snapshots.save(receiver, model_id, snapshot, snapshot.state) or snapshot
        except Exception as error:  # noqa: BLE001 - no failure of one model may affect the others
            self._failed("model_id", model_id, error)
            # A document that cannot be read or indexed must not keep the index of all others incomplete.
            return isinstance(error, DamagedStateError) or not isinstance(error, RetrainError)
        self.checked[model_id] = None
        queued = snapshot.state.queued
        if queued is not None and not can_advance(receiver, model_id, snapshot.state):
            self._queued[model_id] = queued.since
        if is_due:
            self._carry_on(model_id, snapshot)
        return True

    def _carry_on(self, model_id: str, snapshot: snapshots.Snapshot) -> None:
        if snapshot.state.pending:
            self._left[model_id] = snapshot.state
        try:
            _sweep_one(self._receiver, model_id, snapshot)
        except Exception as error:  # noqa: BLE001 - no failure of one model may affect the others
            del self.checked[model_id]
            self._failed("model_id", model_id, error)

    def _failed(self, what: Literal["model_id", "part"], name: str, error: Exception) -> None:
        is_unexpected = not isinstance(error, RetrainError)
        text = described(error) if is_unexpected else str(error)
        log.warning("retrain.sweep_failed", extra={what: name, "error": text}, exc_info=is_unexpected)
        self.failures.append(f"{name}: {text}")


def sweep_model(receiver: ReceiverParts, model_id: str) -> None:
    """Check one model, as `sweep` does. A permanent error is logged: later sweeps check the model again.

    Raises:
        TransientError: the model could not be checked now.

    """
    try:
        snapshot = snapshots.load(receiver.ledger, model_id)
        try:
            _sweep_one(receiver, model_id, snapshot)
        finally:
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
    snapshot = stop_if_cancelled(receiver, model_id, snapshot)
    training = snapshot.state.training
    try:
        if not catch_up(receiver, model_id, snapshot) and training is not None and training.run_id is not None:
            refresh_status(receiver, model_id, training, training.run_id)
    finally:
        # A model whose training cannot start, because the service is away, becomes stale, too.
        notify_if_stale(receiver, model_id, snapshot)
