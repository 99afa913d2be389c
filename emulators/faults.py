"""Faults that a test orders from a stand-in; each order is used up by the requests that it hits."""

import threading
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

from emulators.loopback import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order for a fault; each stand-in adds what goes wrong.

    By default the connection stays silent for `seconds` and then closes, and the request does nothing.

    Attributes:
        operation: the operation that it hits, or `*` for any.
        seconds: how long the connection stays silent, for faults without an error answer.
        times: how many requests it hits; each attempt of a client that retries counts.

    """

    operation: str = "*"
    seconds: float = 0.0
    times: int = 1

    @property
    def works_first(self) -> bool:
        """Whether the request's work is done before the fault takes effect."""
        return False

    @property
    def answers_late(self) -> bool:
        """Whether the real answer is sent after the silence."""
        return False

    def refusal(self) -> Answer | None:
        """Return the error answer of this fault; None if the connection stays silent instead."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class KindOrder(Order):
    """An order for a kind of fault; `lost_answer` and `slow` mean the same for every stand-in.

    Attributes:
        kind: what goes wrong.

    """

    kind: StrEnum

    @property
    def works_first(self) -> bool:
        """Whether the answer is lost after the work was done."""
        return self.kind == "lost_answer"

    @property
    def answers_late(self) -> bool:
        """Whether the request is slow."""
        return self.kind == "slow"


FaultT = TypeVar("FaultT", bound=Order)


class Faults(Generic[FaultT]):
    """The queue of ordered faults. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[FaultT] = []

    def add(self, fault: FaultT) -> None:
        """Append an order to the queue."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, operation: str) -> FaultT | None:
        """Return the first fault that hits a request of this operation, and count that hit."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.operation in {operation, "*"}:
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None

    def clear(self) -> None:
        """Remove every order."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[dict[str, object]]:
        """Return the orders that are not used up, in their JSON form."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]
