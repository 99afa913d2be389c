"""The adapters of Azure for the suite, each of their calls a single attempt through the gate."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, Final

import pytest

from emulators.arm import ArmStandIn, FaultKind, Job
from emulators.arm.events import run_events
from emulators.arm.standin import WORKSPACE
from functions.azure.addresses import Place
from functions.azure.bus import EventGridBus
from functions.azure.dead_letters import BlobDeadLetters
from functions.azure.errors import Persistence
from functions.azure.launcher import AzureMlLauncher
from functions.azure.ledger import TableLedger
from functions.azure.letters import BlobLetters
from shared.backoff import Backoff
from shared.config.targets import AzureMlTarget
from shared.errors import UnavailableError
from shared.ports import LaunchRequest
from shared.training.letters import REJECTED
from shared.trigger import run_name
from shared.wire.eventgrid import decode
from shared.wire.incoming import Incoming
from tests.contracts.azure_account import COMPONENT, Subscribed
from tests.contracts.azure_gate import BLOBS, TABLES, THROTTLED, TOPIC, azure_refusal
from tests.contracts.ports import Ports
from tests.contracts.programs import won_by_processes
from tests.contracts.training_folder import until
from tests.contracts.triggers import WHY

SOURCE: Final = "ml3_platform"
ONCE: Final = Persistence(backoff=Backoff(attempts=1))


class AzurePorts(Ports):
    """A subscription with nothing in it, and a workspace of its own."""

    name: ClassVar[str] = "azure"

    def __init__(self, account: Subscribed, arm: ArmStandIn) -> None:
        """Use an *account*, and an *arm* to which its gate leads."""
        self.account = account
        self.outlets = account.outlets
        self.arm = arm
        settings, clients = account.variables, account.clients
        table, container = (_place(settings[name]) for name in ("RETRAIN_LEDGER", "RETRAIN_DEAD_LETTERS"))
        endpoint = settings["RETRAIN_BUS"]
        self.ledger = TableLedger(clients.table(table), table.name, persistence=ONCE)
        self.bus = EventGridBus(clients.topic(endpoint), endpoint, SOURCE, persistence=ONCE)
        self.launcher = self._launcher(COMPONENT)
        self.refused = self._launcher(f"{WORKSPACE}/components/no-such-component/versions/1")
        self.dead_letters = BlobDeadLetters(clients.container(container), container.name, persistence=ONCE)
        self.letter_box = BlobLetters(clients.container(container), container.name, REJECTED, persistence=ONCE)

    def race(self, rounds: int) -> int:
        """See the base."""
        return won_by_processes(self.account.variables, "azure", rounds)

    def traffic(self) -> list[str]:
        """Return the operations that were called."""
        return list(self.account.gate.calls)

    def decode(self, event: object) -> Incoming:
        """See the base."""
        return decode(event, SOURCE)

    def arrived(self) -> list[object]:
        """See the base."""
        return list(self.account.subscription.take_all())

    def letters(self) -> list[str]:
        """See the base."""
        return self.account.letters()

    def trainings(self) -> list[str]:
        """See the base."""
        return [job.tags["retrain-trigger-id"] for job in self.arm.jobs()]

    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """See the base."""
        return self.ended(trigger_id, well=well)[0]

    def ended(self, trigger_id: str, *, well: bool = True) -> list[dict[str, object]]:
        """Let the training of a trigger end, and return every event that reports it."""
        named = [job.name for job in self.arm.jobs() if job.tags["retrain-trigger-id"] == trigger_id]
        return self.arm.end(named[-1], "Completed" if well else "Failed", "" if well else WHY)

    def stopped(self, trigger_id: str) -> object:
        """See the base."""

        def job() -> Job:
            (found,) = [job for job in self.arm.jobs() if job.tags["retrain-trigger-id"] == trigger_id]
            return found

        until(lambda: job().status == "Canceled")
        return run_events(job(), self.arm.workspace)[0]

    def forget_tokens(self) -> None:
        """Do nothing: a workspace has a name once, for ever."""

    def lose_answer(self, request: LaunchRequest) -> None:
        """Cut the connection when the work is done."""
        self.arm.add_fault(FaultKind.LOST_ANSWER)
        with pytest.raises(UnavailableError):
            self.launcher.start(request, again=False)
        assert run_name(request.token) == self.arm.jobs()[-1].name

    @contextmanager
    def training_away(self) -> Iterator[None]:
        """Throttle every start of a job, and let GitHub be unavailable."""
        with self.account.gate.failing("PUT job", THROTTLED), self.outlets.github_away():
            yield

    def ledger_away(self) -> AbstractContextManager[None]:
        """Close every connection."""
        return self.account.gate.failing(f"{TABLES}.", None)

    def bus_away(self) -> AbstractContextManager[None]:
        """Close every connection."""
        return self.account.gate.failing(f"{TOPIC}.", None)

    def bus_refuses(self) -> AbstractContextManager[None]:
        """Find fault with every request."""
        return self.account.gate.failing(f"{TOPIC}.", azure_refusal(400, "BadRequest"))

    def dead_letters_away(self) -> AbstractContextManager[None]:
        """Fail every letter, in a way that is not worth another attempt."""
        return self.account.gate.failing(f"{BLOBS}.", azure_refusal(403, "AuthorizationFailure"))

    @contextmanager
    def contended(self) -> Iterator[None]:
        """Fail every condition."""
        gate = self.account.gate
        with (
            gate.failing("InsertEntity", azure_refusal(409, "EntityAlreadyExists")),
            gate.failing("UpdateEntity", azure_refusal(412, "UpdateConditionNotSatisfied")),
        ):
            yield

    def _launcher(self, component: str) -> AzureMlLauncher:
        url = self.account.gate.url
        target = AzureMlTarget(workspace=WORKSPACE, component=component)
        return AzureMlLauncher(self.account.clients.resource_manager(url), target, url, persistence=ONCE)


def _place(url: str) -> Place:
    endpoint, _, name = url.rpartition("/")
    return Place(endpoint=endpoint, name=name)
