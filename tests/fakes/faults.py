"""The faults that can meet a call of a port, and the gates that decide about them."""

from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Protocol, TypeVar

from shared.errors import TargetRefusedError, UnavailableError

T = TypeVar("T")


class Crash(BaseException):
    """The process ends here: no handler of the code under test may catch this."""


class Fault(StrEnum):
    """A fault of one call.

    `THROTTLED`: nothing happens, and the caller gets an error. `LOST`: it happens, and the caller gets no answer.
    `REPEATED`: it happens, the answer is lost, and the client library retries by itself: the caller gets the
    second answer. `CRASH_BEFORE` and `CRASH_AFTER`: the caller is gone before, or after, it happens.
    """

    THROTTLED = "throttled"
    LOST = "lost"
    REPEATED = "repeated"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


class Gate(Protocol):
    """Stands before every call of a port and decides how it goes."""

    def __call__(self, call: str, effect: Callable[[], T], /) -> T:
        """Let *call* have its *effect*, or not, and return the answer.

        Raises:
            UnavailableError: no answer.
            Crash: the caller is gone.

        """


def perform(call: str, effect: Callable[[], T], fault: Fault | None = None) -> T:
    """Make *call* as *fault* wants it: none is a call that goes well.

    Raises:
        UnavailableError: no answer.
        Crash: the caller is gone.

    """
    if fault is None:
        return effect()
    if fault in (Fault.LOST, Fault.REPEATED, Fault.CRASH_AFTER):
        # A refusal is an answer, too: it gets lost like any other.
        with suppress(TargetRefusedError):
            effect()
    if fault is Fault.REPEATED:
        return effect()
    if fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
        raise Crash(call)
    raise UnavailableError("The fake service", call, fault)


class Script:
    """A gate that lets every call go well, but for those that a test names by their number.

    Attributes:
        calls: the names of the calls so far.

    """

    def __init__(self, faults: dict[int, Fault] | None = None) -> None:
        """Meet the call of each number, counted from 0, with its fault."""
        self.calls: list[str] = []
        self._faults = dict(faults or {})

    def meet_next(self, fault: Fault) -> None:
        """Let *fault* meet the next call."""
        self._faults[len(self.calls)] = fault

    def __call__(self, call: str, effect: Callable[[], T]) -> T:
        """Make the call; see `Gate`."""
        number = len(self.calls)
        self.calls.append(call)
        return perform(call, effect, self._faults.get(number))
