"""The base of every stand-in: one HTTP service on loopback, and the faults that tests order from it."""

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Generic, Self

from emulators.faults import Faults, FaultT
from emulators.loopback import Answer, LoopbackServer, Request


def utc_now() -> datetime:
    """Return the time, aware; the default clock of stand-ins."""
    return datetime.now(UTC)


class Served(ABC):
    """One HTTP service on loopback.

    The port is bound when the object is made. Requests are answered between the start and the end of the context.
    """

    def __init__(self, port: int = 0) -> None:
        """Bind *port*; 0 takes a free one."""
        self._server = LoopbackServer(self._respond, port=port)

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return self._server.url

    @property
    def address(self) -> str:
        """Host and port, as in `host:port`."""
        return self._server.address

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._server.close()

    @abstractmethod
    def _respond(self, request: Request) -> Answer | None:
        """Return the answer to a request; None closes the connection without one."""


@dataclass(kw_only=True, eq=False)
class StandIn(Served):
    """A service that stands in for one of a cloud.

    Attributes:
        port: the port to listen on; 0 takes a free one.

    """

    port: int = 0

    def __post_init__(self) -> None:
        super().__init__(self.port)
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Requests that hang in a fault end now, rather than when their time is up.
        self._closing.set()
        self._end_work()
        super().__exit__(kind, error, trace)

    def _end_work(self) -> None:
        """End the processes that the service runs, before it stops answering."""


@dataclass(kw_only=True, eq=False)
class FaultyStandIn(StandIn, Generic[FaultT]):
    """A stand-in that fails on demand and counts its requests.

    Attributes:
        faults: the faults that are ordered.

    """

    faults: Faults[FaultT] = field(init=False, default_factory=Faults)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._calls: Counter[str] = Counter()

    def calls(self, operation: str) -> int:
        """Return the number of requests for an operation, including those that a fault hit."""
        with self._lock:
            return self._calls[operation]

    def all_calls(self) -> Mapping[str, int]:
        """Return the number of requests by operation, including those that a fault hit."""
        with self._lock:
            return dict(self._calls)

    def _answer(self, operation: str, work: Callable[[], Answer]) -> Answer | None:
        """Count a request, and answer it as the next fault for its operation says, or else with *work*."""
        with self._lock:
            self._calls[operation] += 1
        fault = self.faults.take(operation)
        if fault is None:
            return work()
        done = work() if fault.works_first else None
        if refusal := fault.refusal():
            return refusal
        self._closing.wait(fault.seconds)
        return (done or work()) if fault.answers_late else None
