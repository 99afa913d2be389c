"""Loads and changes the state of a model in the ledger; every new decision is logged where it is saved."""

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import field
from typing import Final, Protocol

from shared.backoff import Backoff
from shared.config.model import Configuration
from shared.decision.record import shown
from shared.decision.state import Decided, ModelState
from shared.decision.terms import rules_of
from shared.errors import ContentionError, DamagedStateError
from shared.fields import format_time
from shared.frozen import dataclass
from shared.ledger.bounds import fitted
from shared.ledger.document import read_state
from shared.ledger.index import entry_of
from shared.ports import Ledger, RandomId, Stored

# How many model ids are read in one call.
PAGE_SIZE: Final = 100

log = logging.getLogger("retrain")


class StateWriter(Protocol):
    """The parts that changing a state needs: those of the receiver, or those of the emitter for an approval."""

    @property
    def ledger(self) -> Ledger:
        """Stores the state of the models."""

    @property
    def config(self) -> Configuration:
        """The current configuration, which also determines when a model needs attention."""

    @property
    def cloud(self) -> str:
        """The cloud whose targets count."""

    @property
    def new_id(self) -> RandomId:
        """Generates the ids of saves."""

    @property
    def contention(self) -> Backoff:
        """The attempts, and the waits after another writer was faster."""

    @property
    def observe(self) -> Callable[[str, Decided], None]:
        """Is called with the model id and each decision, for metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a model as it was loaded or saved.

    Attributes:
        state: the state.
        version: the version that the ledger needs to replace it.
        before: the state that it replaced; None if it was loaded.
        document: the document as it was loaded or saved.

    """

    state: ModelState
    version: object
    before: ModelState | None = None
    document: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """An attempt to save a state.

    Attributes:
        before: the state that is to be replaced.
        state: the next state.
        kept: *state*, with as much of its history as a document may hold.
        document: the document of *kept*, which no other attempt has.

    """

    before: ModelState
    state: ModelState
    kept: ModelState
    document: str


def load(ledger: Ledger, model_id: str) -> Snapshot:
    """Load the state of *model_id*.

    Raises:
        DamagedStateError: the document of this model cannot be read.
        UnavailableError: the ledger is unavailable.

    """
    return snapshot_of(model_id, ledger.load(model_id))


def snapshot_of(model_id: str, stored: Stored) -> Snapshot:
    """Return the state of *model_id* in the document that is *stored*.

    Raises:
        DamagedStateError: the document cannot be read.

    """
    try:
        return Snapshot(state=read_state(stored.document), version=stored.version, document=stored.document)
    except ValueError as error:
        raise DamagedStateError(model_id, str(error)) from error


def save(writer: StateWriter, model_id: str, snapshot: Snapshot, state: ModelState) -> Snapshot | None:
    """Replace *snapshot* by *state* and return the new snapshot; None if another writer was faster.

    New decisions are logged and counted.

    Raises:
        DamagedStateError: the document of this model cannot be read.
        UnavailableError: the ledger is unavailable.

    """
    return _save(writer, model_id, snapshot, _attempt(writer, snapshot, state))


def _attempt(writer: StateWriter, snapshot: Snapshot, state: ModelState) -> _Attempt:
    kept, document = fitted(state, writer.new_id())
    return _Attempt(before=snapshot.state, state=state, kept=kept, document=document)


def _save(writer: StateWriter, model_id: str, snapshot: Snapshot, attempt: _Attempt) -> Snapshot | None:
    entry = entry_of(rules_of(writer.config, writer.cloud, model_id), model_id, attempt.kept)
    stored = writer.ledger.save(model_id, attempt.document, snapshot.version, entry)
    return None if stored is None else _saved(writer, model_id, attempt, stored.version)


def _saved(writer: StateWriter, model_id: str, attempt: _Attempt, version: object) -> Snapshot:
    """Log and count the new decisions of an *attempt* that succeeded, and return its snapshot."""
    _report_new(writer, model_id, attempt.before, attempt.state)
    return Snapshot(state=attempt.kept, version=version, before=attempt.before, document=attempt.document)


def change(
    writer: StateWriter, model_id: str, step: Callable[[ModelState], ModelState], snapshot: Snapshot | None = None
) -> Snapshot:
    """Apply *step* to the state of *model_id* until no other writer is faster, and return the resulting snapshot.

    A *step* that changes nothing needs no write. With a *snapshot* that the caller has just loaded, the first attempt
    needs no read. If a client library repeats a save whose response was lost, the second response is a conflict with
    the first: the document is then the one that was saved, with the id of that save, which counts as saved. An equal
    state that another writer saved does not.

    Raises:
        ContentionError: another writer was faster every time.
        UnavailableError: the ledger is unavailable.

    """
    attempted: _Attempt | None = None
    for number in range(writer.contention.attempts):
        writer.contention.pause(number)
        snapshot = snapshot or load(writer.ledger, model_id)
        if attempted is not None and snapshot.document == attempted.document:
            return _saved(writer, model_id, attempted, snapshot.version)
        state = step(snapshot.state)
        if state == snapshot.state:
            return dataclasses.replace(snapshot, before=None)
        attempted = _attempt(writer, snapshot, state)
        changed = _save(writer, model_id, snapshot, attempted)
        if changed is not None:
            return changed
        snapshot = None
    raise contention(writer, model_id)


def contention(writer: StateWriter, model_id: str) -> ContentionError:
    """Return the error for a model that has too many writers at the same time."""
    attempts = writer.contention.attempts
    return ContentionError(f"the state of {model_id!r} was changed by others {attempts} times in a row; try again")


def _report_new(writer: StateWriter, model_id: str, before: ModelState, state: ModelState) -> None:
    """Log and count the decisions of *state* that *before* does not have."""
    known = set(before.decisions)
    for decided in reversed(state.decisions):
        if decided not in known:
            report(writer, model_id, decided)


def report(writer: StateWriter, model_id: str, decided: Decided) -> None:
    """Log and count one decision."""
    log.info("retrain.decided", extra=_fields_of(model_id, decided))
    writer.observe(model_id, decided)


def _fields_of(model_id: str, decided: Decided) -> dict[str, object]:
    """Return the fields of a log line: those of the trigger too, but only links of its evidence."""
    fields: dict[str, object] = {
        "model_id": model_id,
        "trigger_id": decided.trigger_id,
        "decision": decided.decision,
        "reason": decided.reason,
        "detail": decided.detail,
        "origin": decided.origin,
        "why": decided.why,
        "requested_by": decided.requested_by,
        "evidence": list(decided.evidence),
    }
    if (about := decided.about) is not None:
        fields |= {
            "severity": about.severity,
            "requested_at": format_time(about.requested_at),
            "parameters": shown(about.parameters),
            "trace_id": about.trace_id,
        }
    return {name: value for name, value in fields.items() if value or name in ("trigger_id", "detail")}
