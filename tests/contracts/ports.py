"""The operations that the suite needs of a cloud's adapters, and of the services behind them."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import ClassVar, Final

from shared.ports import DeadLetters, EventBus, Launcher, LaunchRequest, Ledger
from shared.training.letters import LetterBox
from shared.wire.incoming import Incoming

CONTENDERS: Final = 16


class Ports(ABC):
    """A cloud's adapters, on real services that a test may look into and disturb.

    Attributes:
        name: as in the configuration.
        ledger: with nothing in it.
        bus: only a test takes events off it.
        launcher: of a target that works; its trainings last until `end`.
        refused: of a target that the training service refuses.
        dead_letters: with nothing in it.
        letter_box: the same place, as the command reads it.

    """

    name: ClassVar[str]
    ledger: Ledger
    bus: EventBus
    launcher: Launcher
    refused: Launcher
    dead_letters: DeadLetters
    letter_box: LetterBox

    @abstractmethod
    def race(self, rounds: int) -> int:
        """Let `CONTENDERS` processes replace one document *rounds* times, and count all saves that were taken."""

    @abstractmethod
    def traffic(self) -> list[str]:
        """Return the requests of the adapters to the services, in a form of the cloud's own."""

    @abstractmethod
    def decode(self, event: object) -> Incoming:
        """Read a native event by the cloud's codec."""

    @abstractmethod
    def arrived(self) -> list[object]:
        """Take all events off the bus, as their receiver would get them."""

    @abstractmethod
    def letters(self) -> list[str]:
        """Return the texts of all dead letters."""

    @abstractmethod
    def trainings(self) -> list[str]:
        """Return the trigger ids of all trainings that the service really started, in the order of their starts."""

    @abstractmethod
    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """Let the training of a trigger end, well or not, and return the native event that reports it."""

    @abstractmethod
    def stopped(self, trigger_id: str) -> object:
        """Wait until the cancelled training of a trigger has stopped, and return the native event that reports it."""

    @abstractmethod
    def forget_tokens(self) -> None:
        """Let the training service forget its idempotency tokens, where it has any."""

    @abstractmethod
    def lose_answer(self, request: LaunchRequest) -> None:
        """Start the training of *request* in such a way that the starter never hears of it."""

    @abstractmethod
    def training_away(self) -> AbstractContextManager[None]:
        """Let the training service turn every start away, as it does when it is throttled."""

    @abstractmethod
    def ledger_away(self) -> AbstractContextManager[None]:
        """Let the ledger be unreachable."""

    @abstractmethod
    def bus_away(self) -> AbstractContextManager[None]:
        """Let the event bus be unreachable for emitters."""

    @abstractmethod
    def dead_letters_away(self) -> AbstractContextManager[None]:
        """Let the place of the dead letters be unreachable."""
