"""What a cloud's wiring puts together, once, for the core to work with."""

from collections.abc import Callable

from shared.backoff import CONTENTION, Backoff
from shared.config.model import Configuration
from shared.config.targets import Target
from shared.decision.state import Decided
from shared.frozen import dataclass
from shared.parameters import ParameterCheck, accept_any
from shared.ports import Clock, DeadLetters, Dispatcher, EventBus, Launcher, Ledger, Notifier, RandomId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverParts:
    """Everything that deciding and launching needs.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`: whose target tables count.
        source: the prefix of the sources whose events are ours.
        config: the configuration.
        ledger: where the state of the models is.
        launcher: makes the launcher of a target, on first use.
        dead_letters: where rejected events go; none: they are raised, so that the platform dead-letters them.
        clock: tells the time.
        new_id: makes the ids of claims.
        observe: is told the model and every decision, to count it.
        notifier: makes the notifier of a channel of the configuration, on first use; none: nobody is told anything.
        contention: how long to wait after another writer of a model's state was faster.
        check: checks parameters against more than the configuration.
        dispatcher: sends follow-ups to GitHub; none: they are given up, to the dead letters.

    """

    cloud: str
    source: str
    config: Configuration
    ledger: Ledger
    launcher: Callable[[Target], Launcher]
    dead_letters: DeadLetters | None
    clock: Clock
    new_id: RandomId
    observe: Callable[[str, Decided], None]
    notifier: Callable[[str], Notifier] | None = None
    dispatcher: Dispatcher | None = None
    contention: Backoff = CONTENTION
    check: ParameterCheck = accept_any


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitterParts:
    """Everything that asking needs.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`: whose target tables count.
        config: the configuration.
        ledger: where the state of the models is, for reading; approvals are written to it.
        bus: where triggers go.
        clock: tells the time.
        new_id: makes trigger ids.
        observe: is told the model and every decision made here: a trigger that a person turned down.
        contention: how long to wait after another writer of a model's state was faster.
        check: checks parameters against more than the configuration.

    """

    cloud: str
    config: Configuration
    ledger: Ledger
    bus: EventBus
    clock: Clock
    new_id: RandomId
    observe: Callable[[str, Decided], None]
    contention: Backoff = CONTENTION
    check: ParameterCheck = accept_any
