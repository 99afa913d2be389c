"""The operations that the suite needs of a cloud with entry points, as deployed.

A new cloud is one class of this kind, and one more parameter in `conftest.py`.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import ClassVar

from emulators.github import Dispatched
from shared.errors import RetrainError
from tests.contracts.configuration import RETRAIN
from tests.contracts.messages import Delivery, HttpRequest, Json, Notice, Reply
from tests.contracts.outlets import Outlets
from tests.contracts.ports import Ports


class Cloud(Ports):
    """A cloud with its entry points, as deployed.

    Attributes:
        caller: the caller of the HTTP API, as the platform reports it.
        content_field: how the codec calls what holds the trigger's fields.
        experiment: what the workflows that follow a training of `followed` know as its experiment.
        outlets: where what follows a training goes.
        launch_calls: the service calls of a launch, where the cloud has such; else empty.
        duplicate_calls: the service calls of a duplicate.
        unreachable: errors that nothing can lead to on this cloud, and why.

    """

    caller: ClassVar[str]
    content_field: ClassVar[str]
    experiment: ClassVar[str] = "followed"
    outlets: Outlets
    unreachable: ClassVar[Mapping[type[RetrainError], str]] = MappingProxyType({})
    launch_calls: ClassVar[Sequence[str]] = ()
    duplicate_calls: ClassVar[Sequence[str]] = ()

    @abstractmethod
    def event(self, content: object, **envelope: object) -> object:
        """Return the native event with a trigger's fields in *content*; *envelope* overrides what is around them."""

    @abstractmethod
    def fields(self, event: object) -> Mapping[str, object]:
        """Return the trigger's fields in a native event."""

    @abstractmethod
    def unreadable(self) -> object:
        """Return the least readable thing that the platform can deliver."""

    @abstractmethod
    def deliver(self, event: object) -> Delivery:
        """Deliver an event once to the receiving entry point."""

    @abstractmethod
    def deliver_concurrently(self, events: Sequence[object]) -> list[Delivery]:
        """Deliver each event to a process of its own, all of which work at the same time."""

    @abstractmethod
    def round(self, events: Sequence[object]) -> list[bool]:
        """Let the platform's queue deliver each event once, and return which ones it may forget."""

    @abstractmethod
    def put(self, event: object) -> None:
        """Put an event where the platform delivers it from, again and again until it is acknowledged."""

    @abstractmethod
    def drain(self, seconds: float = 20) -> None:
        """Let the platform deliver until nothing is left.

        Raises:
            TimeoutError: something is.

        """

    @abstractmethod
    def crash(self, event: object, *, started: bool) -> None:
        """Deliver an event to a process that is killed between its claim and its confirmation.

        Args:
            event: what it dies of.
            started: whether the training has started before the process dies.

        """

    @abstractmethod
    def marks(self, trigger_id: str) -> str:
        """Return what is written on the training of a trigger besides its parameters, as text."""

    @abstractmethod
    def sweep(self) -> Delivery:
        """Run the sweep once."""

    @abstractmethod
    def send(self, request: HttpRequest) -> Reply:
        """Send a request to the HTTP API."""

    @abstractmethod
    def tick(self, at: str) -> list[Json]:
        """Let the platform's schedule come due at *at*, and return which triggers were accepted."""

    @abstractmethod
    def evaluate_schedules(self) -> list[Json]:
        """Evaluate the models' own schedules once, and return which triggers were accepted."""

    @abstractmethod
    def turned_away(self, trigger_id: str) -> AbstractContextManager[None]:
        """Let the training service turn the start of this trigger of the first model away, and no other."""

    @abstractmethod
    def contended(self) -> AbstractContextManager[None]:
        """Let another process be faster at every save to the ledger."""

    @abstractmethod
    def bus_refuses(self) -> AbstractContextManager[None]:
        """Let the event bus refuse every trigger permanently."""

    @abstractmethod
    def deliver_without_dead_letters(self, event: object) -> Delivery:
        """Deliver an event to an entry point that has no dead letters of its own."""

    @abstractmethod
    def deliver_misconfigured(self, event: object) -> Delivery:
        """Deliver an event to an entry point whose configuration is wrong."""

    def handed_over(self) -> list[str]:
        """Return the tokens of the trainings that were handed to the target of `handed-over`: GitHub, if not said."""
        return [one.payload["token"] for one in self.outlets.dispatched() if one.event_type == RETRAIN]

    def followed_up(self) -> list[Dispatched]:
        """Return the dispatches to GitHub about ended trainings, oldest first."""
        return [one for one in self.outlets.dispatched() if one.event_type != RETRAIN]

    def github_away(self) -> AbstractContextManager[None]:
        """Let GitHub be unavailable."""
        return self.outlets.github_away()

    def notices(self) -> list[Notice]:
        """Return the notices that have arrived through the channel, oldest first: by Apprise, if not said."""
        return self.outlets.notices()

    def channel_away(self) -> AbstractContextManager[None]:
        """Let the channel be unavailable."""
        return self.outlets.hook_away()

    def logs(self) -> str:
        """Return what `receive` has logged since its process started; empty where that is the process of the tests."""
        return ""
