"""The parts that the entry point of a cloud assembles once for the emitter and its HTTP API."""

from collections.abc import Callable

from shared.backoff import BRIEF_CONTENTION, Backoff
from shared.config.model import Configuration
from shared.config.parameters import ParameterCheck, accept_any
from shared.decision.state import Decided
from shared.frozen import dataclass
from shared.ports import Clock, EventBus, Ledger, RandomId


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitterParts:
    """Everything that is needed to emit triggers and to serve the HTTP API.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`: selects the targets in the configuration.
        config: the configuration.
        ledger: stores the state of the models; only approvals and rejections are written here.
        bus: carries the triggers.
        clock: returns the current time.
        new_id: generates trigger ids.
        observe: is called with the model id and each decision made here (a rejected trigger), for metrics.
        contention: the waits after a conflict with another writer of a model's state.
        check: an additional check of parameters, beyond the configuration.

    """

    cloud: str
    config: Configuration
    ledger: Ledger
    bus: EventBus
    clock: Clock
    new_id: RandomId
    observe: Callable[[str, Decided], None]
    contention: Backoff = BRIEF_CONTENTION
    check: ParameterCheck = accept_any
