"""The fakes in memory for the suite: a test of the core with them tests the behaviour of every cloud."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest

from shared.errors import UnavailableError
from shared.ports import LaunchRequest, RunResult
from shared.wire.incoming import Incoming, SweepRequest, TriggerEvent
from tests.contracts.ports import CONTENDERS, Ports
from tests.contracts.programs import won
from tests.contracts.together import together
from tests.contracts.triggers import WHY
from tests.fakes.faults import Fault, perform
from tests.fakes.memory import MemoryBus, MemoryDeadLetters, MemoryLedger, MemoryLetterBox
from tests.fakes.training import MemoryLauncher, TrainingService

T = TypeVar("T")


class Away:
    """A gate that is shut for the calls that a test names."""

    def __init__(self) -> None:
        """Let every call through."""
        self.calls: list[str] = []
        self._faults: dict[str, Fault] = {}

    def __call__(self, call: str, effect: Callable[[], T]) -> T:
        """Make the call; see `tests.fakes.faults.Gate`."""
        self.calls.append(call)
        return perform(call, effect, self._faults.get(call))

    @contextmanager
    def meeting(self, fault: Fault, *calls: str) -> Iterator[None]:
        """Let *fault* meet all of these *calls*."""
        self._faults = dict.fromkeys(calls, fault)
        yield
        self._faults = {}


class InMemory(Ports):
    """The fakes, behind one gate."""

    name: ClassVar[str] = "memory"
    bus: MemoryBus
    dead_letters: MemoryDeadLetters

    def __init__(self) -> None:
        """Make them."""
        self._gate = Away()
        self._later = timedelta()
        self._service, refusing = TrainingService(self._clock), TrainingService(self._clock)
        refusing.refusing = True
        self.ledger = MemoryLedger(self._gate)
        self.bus = MemoryBus(self._gate)
        self.launcher = MemoryLauncher(self._service, self._gate)
        self.refused = MemoryLauncher(refusing, self._gate)
        self.dead_letters = MemoryDeadLetters(self._gate)
        self.letter_box = MemoryLetterBox(self.dead_letters)

    def race(self, rounds: int) -> int:
        """Let as many threads race: there is no memory that processes share."""
        return sum(together(lambda _: won(self.ledger, rounds), range(CONTENDERS)))

    def traffic(self) -> list[str]:
        """Return the verbs that were called."""
        return list(self._gate.calls)

    def decode(self, event: object) -> Incoming:
        """Read the fields of a trigger, or take a request for a sweep: this bus has no form of its own."""
        if isinstance(event, SweepRequest):
            return event
        assert isinstance(event, dict)
        return TriggerEvent(fields=event)

    def arrived(self) -> list[object]:
        """See the base."""
        events: list[object] = [trigger.to_fields() for trigger in self.bus.published]
        events += [SweepRequest(model_id=model_id) for model_id in self.bus.sweeps]
        self.bus.published.clear()
        self.bus.sweeps.clear()
        return events

    def letters(self) -> list[str]:
        """See the base."""
        return [json.dumps(letter) for letter in self.dead_letters.letters]

    def trainings(self) -> list[str]:
        """See the base."""
        return [run.request.trigger.trigger_id for run in self._service.runs.values()]

    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """End the run; no event reports it."""
        running = self._service.running()
        (run_id,) = [run.run_id for run in running if run.request.trigger.trigger_id == trigger_id]
        self._service.end(run_id, RunResult.SUCCEEDED if well else RunResult.FAILED, "" if well else WHY)
        return None

    def stopped(self, trigger_id: str) -> object:
        """Stop the run, if that was requested once; no event reports it."""
        running = self._service.running()
        (run_id,) = [run.run_id for run in running if run.request.trigger.trigger_id == trigger_id]
        assert run_id in self._service.cancelled
        self._service.end(run_id, RunResult.STOPPED)
        return None

    def forget_tokens(self) -> None:
        """Let so much time pass that the service has forgotten every token."""
        self._later += timedelta(hours=1)

    def lose_answer(self, request: LaunchRequest) -> None:
        """See the base."""
        with self._gate.meeting(Fault.LOST, "start"), pytest.raises(UnavailableError):
            self.launcher.start(request, again=False)

    def training_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._gate.meeting(Fault.THROTTLED, "start")

    def ledger_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._gate.meeting(Fault.THROTTLED, "load", "load_many", "save", "models", "due")

    def bus_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._gate.meeting(Fault.THROTTLED, "publish")

    def dead_letters_away(self) -> AbstractContextManager[None]:
        """See the base."""
        return self._gate.meeting(Fault.THROTTLED, "put")

    def _clock(self) -> datetime:
        return datetime.now(UTC) + self._later


@contextmanager
def in_memory(_folder: Path) -> Iterator[Callable[[Path], AbstractContextManager[InMemory]]]:
    """Open nothing: the fakes are made anew for each test."""

    @contextmanager
    def made(_folder: Path) -> Iterator[InMemory]:
        yield InMemory()

    yield made
