"""The parts that the entry point of a cloud assembles once for the receiver."""

from collections.abc import Callable

from shared.backoff import CONTENTION, Backoff
from shared.config.model import Configuration
from shared.config.parameters import ParameterCheck, accept_any
from shared.config.targets import Target
from shared.decision.state import Decided
from shared.frozen import dataclass
from shared.ports import Clock, DeadLetters, Dispatcher, Launcher, Ledger, Notifier, RandomId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverParts:
    """Everything that is needed to decide on triggers and to start trainings.

    Attributes:
        cloud: `aws`, `gcp`, `azure` or `local`: selects the targets in the configuration.
        source: the prefix that the source of a trigger event must have.
        config: the configuration.
        ledger: stores the state of the models.
        launcher: returns the launcher of a target, created on first use.
        dead_letters: stores rejected events; None: the error is raised, so that the platform dead-letters the event.
        clock: returns the current time.
        new_id: generates the ids of claims.
        observe: is called with the model id and each decision, for metrics.
        notifier: returns the notifier of a channel, created on first use; None: no notifications are sent.
        contention: the waits after a conflict with another writer of a model's state.
        check: an additional check of parameters, beyond the configuration.
        environment: the name of the deployment, for the commands in messages; empty if it has none.
        dispatcher: sends follow-ups to GitHub; None: they are given up and become dead letters.

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
    environment: str = ""
