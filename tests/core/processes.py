"""A process that stops before every call of a port, until its owner decides how the call goes."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from tests.fakes.faults import Crash, Fault, Gate, perform

T = TypeVar("T")


class Process:
    """One run of some *work*, which never runs at the same time as its owner.

    It is a greenlet: tests switch between processes a million times, and between threads each time would take ten times
    as long.

    Attributes:
        name: what it does, for the messages.
        born: when it began.
        calls: the calls of ports that it made, the one before which it stops left out.
        faults: what went wrong with them.
        stops_before: the call that it is about to make; none when it is over.
        answer: what *work* returned.
        error: what *work* raised; `Crash` when the process was killed.

    """

    def __init__(self, name: str, work: Callable[[Gate], object], born: datetime) -> None:
        """Begin, and stop before the first call of a port."""
        self.name = name
        self.born = born
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.stops_before: str | None = None
        self.answer: object = None
        self.error: BaseException | None = None
        self._is_gone = False
        self._fiber = greenlet(self._run)
        self._owner = getcurrent()
        self.stops_before = self._fiber.switch(work)

    def go(self, fault: Fault | None = None) -> None:
        """Make the next call, which meets *fault*, and go on until the one after it."""
        if self.stops_before is None:
            raise ValueError(f"{self} is over")
        self.calls.append(self.stops_before)
        if fault:
            self.faults.append(fault)
        self._owner = getcurrent()
        self.stops_before = self._fiber.switch(fault)

    def kill(self) -> None:
        """End the process where it stands, if it is not over."""
        if self.stops_before is not None:
            self.go(Fault.CRASH_BEFORE)

    def __str__(self) -> str:
        """Return what it did."""
        ending = f"before {self.stops_before}" if self.stops_before else repr(self.error or self.answer)
        return f"{self.name} after {', '.join(self.calls) or 'nothing'}: {ending}"

    def _run(self, work: Callable[[Gate], object]) -> None:
        try:
            self.answer = work(self._gate)
        except (Crash, Exception) as error:  # noqa: BLE001 - the owner judges it
            self.error = error

    def _gate(self, call: str, effect: Callable[[], T]) -> T:
        if self._is_gone:
            raise Crash(call)  # From a `finally` block, which a process that was killed does not reach.
        try:
            fault = self._owner.switch(call)
        except GreenletExit:  # Its owner dropped it where it was.
            self._is_gone = True
            raise
        self._is_gone = fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
        return perform(call, effect, fault)
