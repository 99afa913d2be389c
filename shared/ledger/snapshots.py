"""Reading and changing a model's state in the ledger; every new decision is told exactly where it is saved."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from shared.backoff import Backoff
from shared.decision.state import Decided, ModelState
from shared.errors import ContentionError, DamagedStateError
from shared.frozen import dataclass
from shared.ledger.document import read_state, write_state
from shared.ports import Ledger

# How many ids of models are read at a time.
PAGE: Final = 100

log = logging.getLogger("retrain")


class Keeper(Protocol):
    """Whoever may change a model's state: a keeper, or an emitter that takes an approval."""

    @property
    def ledger(self) -> Ledger:
        """Where the state of the models is."""

    @property
    def contention(self) -> Backoff:
        """How long to wait after another writer was faster."""

    @property
    def observe(self) -> Callable[[str, Decided], None]:
        """Is told the model and every decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A model's state as it was loaded.

    Attributes:
        state: the state.
        version: what the ledger wants back to replace it.
        before: what it replaced; none where it was not just written.

    """

    state: ModelState
    version: object
    before: ModelState | None = None


def load(ledger: Ledger, model_id: str) -> Snapshot:
    """Load the state of *model_id*.

    Raises:
        DamagedStateError: the document of this model cannot be read.
        UnavailableError: the ledger is away.

    """
    stored = ledger.load(model_id)
    try:
        return Snapshot(state=read_state(stored.document), version=stored.version)
    except ValueError as error:
        raise DamagedStateError(model_id, str(error)) from error


def save(keeper: Keeper, model_id: str, snapshot: Snapshot, state: ModelState) -> Snapshot | None:
    """Replace *snapshot* by *state* and return the new page; None when somebody else was faster.

    New decisions are logged and counted.

    Raises:
        DamagedStateError: the document of this model cannot be read.
        UnavailableError: the ledger is away.

    """
    stored = keeper.ledger.save(model_id, write_state(state), snapshot.version)
    if stored is None:
        return None
    known = set(snapshot.state.decisions)
    for decided in reversed(state.decisions):
        if decided not in known:
            report(keeper, model_id, decided)
    return Snapshot(state=state, version=stored.version, before=snapshot.state)


def change(
    keeper: Keeper, model_id: str, step: Callable[[ModelState], ModelState], snapshot: Snapshot | None = None
) -> Snapshot:
    """Apply *step* to the state of *model_id* until nobody was faster, and return the page as it is then.

    A *step* that changes nothing costs no write. A *snapshot* that the caller has just written saves the first read.

    Raises:
        ContentionError: somebody else was faster every time.
        UnavailableError: the ledger is away.

    """
    for attempt in range(keeper.contention.attempts):
        keeper.contention.pause(attempt)
        snapshot = snapshot or load(keeper.ledger, model_id)
        state = step(snapshot.state)
        if state == snapshot.state:
            return dataclasses.replace(snapshot, before=None)
        changed = save(keeper, model_id, snapshot, state)
        if changed is not None:
            return changed
        snapshot = None
    raise contention(keeper, model_id)


def stored_models(ledger: Ledger) -> Iterator[str]:
    """Go through the ids of all models that the ledger has.

    Raises:
        UnavailableError: the ledger is away.

    """
    after: str | None = None
    while snapshot := ledger.models(after, PAGE):
        yield from snapshot
        after = snapshot[-1]


def contention(keeper: Keeper, model_id: str) -> ContentionError:
    """Return the error for a model that has too many writers at the same time."""
    attempts = keeper.contention.attempts
    return ContentionError(f"the state of {model_id!r} was changed by others {attempts} times in a row; try again")


def report(keeper: Keeper, model_id: str, decided: Decided) -> None:
    """Log and count one decision."""
    log.info(
        "retrain.decided",
        extra={
            "model_id": model_id,
            "trigger_id": decided.trigger_id,
            "decision": decided.decision,
            "reason": decided.reason,
            "detail": decided.detail,
        },
    )
    keeper.observe(model_id, decided)
