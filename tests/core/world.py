"""A small world around the core: a bus that delivers at will, processes that stop and die, a training service."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.config.model import Policy
from shared.config.targets import CommandTarget, Target
from shared.decision.state import ModelState
from shared.errors import UnreadableEventError
from shared.fields import parse_time
from shared.http import verbs
from shared.http.parts import EmitterParts
from shared.ledger.document import read_state
from shared.ports import RunResult
from shared.receive import receive
from shared.training.parts import ReceiverParts
from shared.training.sweep import sweep
from shared.trigger import run_name
from shared.wire.incoming import Foreign, Incoming, RunEnded, SweepRequest, TriggerEvent
from tests.core.processes import Process
from tests.core.setting import Setting, configuration
from tests.fakes.faults import Gate
from tests.fakes.memory import IMMEDIATELY, MemoryBus, MemoryDeadLetters, MemoryLedger
from tests.fakes.outlets import Channels, MemoryDispatcher, MemoryNotifier, Repositories
from tests.fakes.training import MemoryLauncher, ServiceRun, TrainingService

# A time with fractions of a second, as clocks have it.
BEGINNING: Final = datetime(2026, 11, 21, 3, 0, 0, 250_000, tzinfo=UTC)
# The contract: no function runs longer.
FUNCTION_TIMEOUT: Final = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True, eq=False)
class Event:
    """An event on the bus, which may be delivered as often as a test likes.

    Attributes:
        body: the event.
        acknowledged: whether a delivery of it succeeded.

    """

    body: dict[str, object]
    acknowledged: bool = False


Verb = Callable[[EmitterParts, str, Mapping[str, object], str | None], verbs.Steered]
"""One of `shared.http.verbs`."""


class World:
    """Everything that the core sees, and what really happened behind it.

    Attributes:
        setting: what is given.
        deployed: every setting that was ever deployed, oldest first.
        now: the time.
        events: every event that was ever on the bus.
        processes: those that live.
        deliveries: which event a process was begun to deliver.
        platform_letters: what the platform dead-lettered, because a delivery of it raised a permanent error.
        channels: the notices to people.
        repositories: what GitHub was sent.
        skew: how far the clock of the next process is ahead.
        most_skew: how far the clocks of two processes may differ.

    """

    def __init__(self, setting: Setting) -> None:
        """Begin with nothing."""
        self.setting = setting
        self.now = BEGINNING
        self.events: list[Event] = []
        self.processes: list[Process] = []
        self.deliveries: dict[Process, Event] = {}
        self.platform_letters: list[dict[str, object]] = []
        self.ledger, self.letters, self.bus = MemoryLedger(), MemoryDeadLetters(), MemoryBus()
        self.service = TrainingService(self.clock, honours_tokens=setting.honours_tokens, shows_runs=setting.shows_runs)
        self.channels, self.repositories = Channels(), Repositories()
        self.config = configuration(setting)
        self.deployed = [setting]
        self.skew = self.most_skew = timedelta()
        self._numbers = itertools.count(1)

    def clock(self) -> datetime:
        """Return the time."""
        return self.now

    def new_id(self) -> str:
        """Make an id."""
        return f"id-{next(self._numbers)}"

    def state(self, model_id: str) -> ModelState:
        """Return what the ledger knows of a model."""
        return read_state(self.ledger.peek(model_id).document)

    def deploy(self, policy: Policy, **changes: Any) -> None:
        """Give every model another policy, and change other fields of the setting."""
        self.setting = dataclasses.replace(self.setting, policy=policy, **changes)
        self.config = configuration(self.setting)
        self.deployed.append(self.setting)

    def put(self, body: Mapping[str, object]) -> Event:
        """Put an event on the bus."""
        event = Event(body=dict(body))
        self.events.append(event)
        return event

    def emit(self, model_id: str, **fields: object) -> Event:
        """Put a new trigger on the bus."""
        return self.put({"trigger": {"model_id": model_id, **fields}, "id": self.new_id()})

    def deliver(self, event: Event) -> Process:
        """Begin to deliver *event*."""
        process = self._begin("deliver", lambda gate: receive(self.receiver(gate), event.body, decode))
        self.deliveries[process] = event
        return process

    def sweep(self) -> Process:
        """Begin a sweep."""
        return self._begin("sweep", lambda gate: sweep(self.receiver(gate)))

    def judge(self, model_id: str, trigger_id: str, *, approved: bool) -> Process:
        """Begin to approve or to reject a waiting trigger."""
        return self.steer(verbs.approve if approved else verbs.reject, model_id, trigger_id=trigger_id)

    def steer(self, verb: Verb, model_id: str, **fields: object) -> Process:
        """Begin to carry out a *verb* of a person."""
        return self._begin(verb.__name__, lambda gate: verb(self._emitter(gate), model_id, fields, "ada"))

    def end(self, run: ServiceRun, result: RunResult, reports: int = 1, model_id: str | None = None) -> None:
        """Let a run end, which is reported so many times, each with *model_id* as a hint."""
        self.service.end(run.run_id, result)
        end = {"run_id": run.run_id, "name": run_name(run.request.token), "result": result.value}
        for _ in range(reports):
            self.put({"end": end | {"model_id": model_id, "ended_at": self.now.isoformat()}})

    def receiver(self, gate: Gate) -> ReceiverParts:
        """Return the parts for a process whose calls go through *gate*."""
        skew = self.skew
        return ReceiverParts(
            cloud="local",
            config=self.config,
            source="ml3_platform",
            ledger=self.ledger.through(gate),
            launcher=lambda target: MemoryLauncher(self.service, gate, place_of(target)),
            dead_letters=self.letters.through(gate) if self.setting.own_letters else None,
            clock=lambda: self.now + skew,
            new_id=self.new_id,
            observe=lambda _model_id, _decided: None,
            notifier=lambda channel: MemoryNotifier(self.channels, channel, gate),
            dispatcher=MemoryDispatcher(self.repositories, gate),
            contention=IMMEDIATELY,
        )

    def _emitter(self, gate: Gate) -> EmitterParts:
        names = {one.name for one in dataclasses.fields(EmitterParts)} - {"bus"}
        receiver = self.receiver(gate)
        return EmitterParts(bus=self.bus.through(gate), **{name: getattr(receiver, name) for name in names})

    def _begin(self, name: str, work: Callable[[Gate], object]) -> Process:
        process = Process(f"{name} {next(self._numbers)}", work, self.now)
        self.processes.append(process)
        return process


def place_of(target: Target) -> str:
    """Return the place of the training service that stands for *target*."""
    return " ".join([target.kind, *target.command]) if isinstance(target, CommandTarget) else target.kind


def decode(event: object) -> Incoming:
    """Read an event of this world."""
    match event:
        case {"trigger": dict(fields), "id": str(trigger_id)}:
            return TriggerEvent(fields=fields, trigger_id=trigger_id)
        case {"end": dict(end)}:
            read = {"result": RunResult(end["result"]), "ended_at": parse_time(end["ended_at"])}
            return RunEnded(**end | read)
        case {"sweep": str(model_id)}:
            return SweepRequest(model_id=model_id)
        case {"foreign": what}:
            return Foreign(what=str(what))
    raise UnreadableEventError("the event does not belong to this world")
