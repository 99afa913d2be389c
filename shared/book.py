"""Reading and changing a model's state in the ledger; every new decision is told exactly where it is saved."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from shared.document import read_state, write_state
from shared.errors import ContentionError
from shared.ports import Ledger
from shared.state import Decided, ModelState

# Far more than any number of writers that one model can have at once; each attempt is a whole turn with the ledger.
ATTEMPTS: Final = 100

log = logging.getLogger("retrain")


class Keeper(Protocol):
    """Whoever may change a model's state: a keeper, or an emitter that takes an approval."""

    @property
    def ledger(self) -> Ledger:
        """Where the state of the models is."""

    @property
    def observe(self) -> Callable[[str, Decided], None]:
        """Is told the model and every decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A model's state as it was loaded.

    Attributes:
        state: the state.
        version: what the ledger wants back to replace it.

    """

    state: ModelState
    version: object


def load(ledger: Ledger, model_id: str) -> Page:
    """Load the state of *model_id*.

    Raises:
        UnavailableError: the ledger is away.

    """
    stored = ledger.load(model_id)
    return Page(state=read_state(stored.document), version=stored.version)


def save(keeper: Keeper, model_id: str, page: Page, state: ModelState) -> bool:
    """Replace *page* by *state*; False when somebody else was faster. New decisions are logged and counted.

    Raises:
        UnavailableError: the ledger is away.

    """
    if not keeper.ledger.save(model_id, write_state(state), page.version):
        return False
    known = set(page.state.decisions)
    for decided in reversed(state.decisions):
        if decided not in known:
            tell(keeper, model_id, decided)
    return True


def change(keeper: Keeper, model_id: str, step: Callable[[ModelState], ModelState]) -> ModelState:
    """Apply *step* to the state of *model_id* until nobody was faster, and return the outcome.

    A *step* that changes nothing costs no write.

    Raises:
        ContentionError: somebody else was faster every time.
        UnavailableError: the ledger is away.

    """
    for _ in range(ATTEMPTS):
        page = load(keeper.ledger, model_id)
        state = step(page.state)
        if state == page.state or save(keeper, model_id, page, state):
            return state
    raise contention(model_id)


def contention(model_id: str) -> ContentionError:
    """Return the error for a model that too many write at once."""
    return ContentionError(f"the state of {model_id!r} changed {ATTEMPTS} times in a row under this call; try again")


def tell(keeper: Keeper, model_id: str, decided: Decided) -> None:
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
