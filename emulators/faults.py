"""The queue of faults that a test orders from a stand-in, each consumed by the requests that it meets."""

import threading
from dataclasses import asdict, dataclass, replace
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all orders have; each stand-in adds what goes wrong.

    Attributes:
        operation: the operation that it hits, or `*` for any.
        seconds: how long the silence lasts, for the kinds of faults that have one.
        times: how many requests it hits; a client's own attempts count one by one.

    """

    operation: str
    seconds: float = 0.0
    times: int = 1


FaultT = TypeVar("FaultT", bound=Order)


class Faults(Generic[FaultT]):
    """The queue of ordered faults. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[FaultT] = []

    def add(self, fault: FaultT) -> None:
        """Put an order at the end of the queue."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, operation: str) -> FaultT | None:
        """Return the first fault that hits a request of this operation, and use it up once."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.operation in {operation, "*"}:
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, object]]:
        """Return what is still ordered, in its JSON form."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]
