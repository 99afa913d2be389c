"""Channels to people and GitHub repositories in memory."""

from shared.errors import TargetRefusedError
from shared.notice import Notice
from shared.ports import Dispatch
from tests.fakes.faults import Gate, perform
from tests.fakes.memory import Gated


class Channels:
    """Every notice that was sent to people.

    Attributes:
        sent: the channel and the notice, oldest first.
        closed: channels that take nothing any more.

    """

    def __init__(self) -> None:
        """Begin without any notice."""
        self.sent: list[tuple[str, Notice]] = []
        self.closed: set[str] = set()

    def take(self, channel: str, notice: Notice) -> None:
        """Take *notice* from *channel*.

        Raises:
            TargetRefusedError: the channel is closed.

        """
        if channel in self.closed:
            raise TargetRefusedError("The channel is closed")
        self.sent.append((channel, notice))


class MemoryNotifier(Gated):
    """A `shared.ports.Notifier`."""

    def __init__(self, channels: Channels, channel: str, gate: Gate = perform) -> None:
        """Send through *channel*."""
        super().__init__(gate)
        self._channels = channels
        self._channel = channel

    def send(self, notice: Notice) -> None:
        """Send *notice*; see the port."""
        self._gate("send", lambda: self._channels.take(self._channel, notice))


class Repositories:
    """Everything that GitHub was sent.

    Attributes:
        dispatched: what it took, oldest first.
        refused: what it refused.
        refusing: refuse everything.

    """

    def __init__(self) -> None:
        """Have taken nothing yet."""
        self.dispatched: list[Dispatch] = []
        self.refused: list[Dispatch] = []
        self.refusing = False

    def take(self, dispatch: Dispatch) -> None:
        """Take *dispatch*.

        Raises:
            TargetRefusedError: GitHub is `refusing`.

        """
        if self.refusing:
            self.refused.append(dispatch)
            raise TargetRefusedError("GitHub refuses the dispatch")
        self.dispatched.append(dispatch)


class MemoryDispatcher(Gated):
    """A `shared.ports.Dispatcher`."""

    def __init__(self, repositories: Repositories, gate: Gate = perform) -> None:
        """Dispatch to *repositories*."""
        super().__init__(gate)
        self._repositories = repositories

    def dispatch(self, dispatch: Dispatch) -> None:
        """Send *dispatch*; see the port."""
        self._gate("dispatch", lambda: self._repositories.take(dispatch))
