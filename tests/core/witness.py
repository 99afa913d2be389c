"""Watches a world step by step and holds the core to its promises."""

import json
from collections import defaultdict
from datetime import datetime, timedelta

from shared.config.model import Configuration
from shared.decision import pending, transitions
from shared.decision.state import MAX_DECISIONS, MAX_RUNS, Decided, ModelState
from shared.errors import ConflictError, LaunchInProgressError, PermanentError, UnavailableError, UnknownModelError
from shared.http.messages import HttpError
from shared.ledger.document import read_state, write_state
from shared.ledger.index import is_own
from shared.ports import RunResult
from shared.training.arrivals import Outcome
from tests.core.aftermath import Aftermath
from tests.core.processes import Process
from tests.core.setting import MODELS, rules, target_of
from tests.core.steering import Steering
from tests.core.transitions import added, check_saved
from tests.core.world import FUNCTION_TIMEOUT, Event, World
from tests.fakes.faults import Crash, Fault
from tests.fakes.training import ServiceRun


class Witness:
    """Moves a world and asserts the promises after every move.

    Attributes:
        decisions: the decisions about each trigger of each model, oldest first.
        broken: whether a promise is broken already.
        overlapped: the triggers of which one request was refused while another, of a second process, was accepted.
        aftermath: watches what follows trainings.
        steering: watches pauses, budgets, retries and cancellations.

    """

    def __init__(self, world: World) -> None:
        """Watch *world* from its beginning."""
        self.world = world
        self.decisions: defaultdict[tuple[str, str], list[Decided]] = defaultdict(list)
        self.broken = False
        self.overlapped: set[tuple[str, str]] = set()
        self.steering = Steering(world)
        self.aftermath = Aftermath(world, self.steering.cancelled)
        self._states: defaultdict[str, ModelState] = defaultdict(ModelState)
        self._published = self._swept = 0
        self._savers: list[Process] = []
        self._save_ids: set[str] = set()
        self._starters: dict[str, Process] = {}
        self._at_birth: dict[Process, int] = {}
        self._configured: dict[Process, Configuration] = {}

    def begun(self, process: Process) -> Process:
        """Take note of a process that just began."""
        self._at_birth[process] = len(self._savers)
        self._configured[process] = self.world.config
        self._watch(process)
        return process

    def go(self, process: Process, fault: Fault | None = None) -> None:
        """Let *process* make its next call, which meets *fault*."""
        process.go(fault)
        self._watch(process)

    def finish(self, process: Process) -> Process:
        """Let *process* go on to its end without a fault."""
        while process.stops_before:
            self.go(process)
        return process

    def advance(self, time: timedelta) -> None:
        """Let *time* pass; a process that gets too old is ended by its platform."""
        for process in list(self.world.processes):
            if self.world.now + time - process.born >= FUNCTION_TIMEOUT:
                self.go(process, Fault.CRASH_BEFORE)
        self.world.now += time

    def _watch(self, process: Process) -> None:
        self.broken = True
        self._check(process)
        self.broken = False

    def _check(self, process: Process) -> None:
        world = self.world
        for model_id, document in world.ledger.history[len(self._savers) :]:
            self._savers.append(process)
            if not is_own(model_id):
                self._saved(model_id, document)
        runs = list(world.service.runs.values())
        for number in range(len(self._starters), len(runs)):
            self._starters[runs[number].run_id] = process
            self._started(runs[number], runs[:number])
        for trigger in world.bus.published[self._published :]:
            world.put({"trigger": trigger.to_fields(), "id": world.new_id()})
        self._published = len(world.bus.published)
        for model_id in world.bus.sweeps[self._swept :]:
            world.put({"sweep": model_id})
        self._swept = len(world.bus.sweeps)
        self.aftermath.watch(process, self.decisions)
        if process.stops_before is None:
            world.processes.remove(process)
            self._over(process)

    def _saved(self, model_id: str, document: str) -> None:
        before, after = self._states[model_id], read_state(document)
        save_id = json.loads(document)["save_id"]
        assert save_id not in self._save_ids, "two saves have the same id"
        self._save_ids.add(save_id)
        assert write_state(after, save_id) == document, "a document is read and written again as it was"
        assert read_state(write_state(after)) == after
        check_saved(before, after)
        self.aftermath.saved(model_id, before, after)
        lines = added(before.decisions, after.decisions, MAX_DECISIONS)
        self.steering.saved(model_id, before, after, lines)
        for line in reversed(lines):
            if line.decision == "steer":
                continue
            self.decisions[model_id, line.trigger_id].append(line)
            if line.decision == "reject":
                self._refused(model_id, line.trigger_id)
        self._states[model_id] = after

    def _refused(self, model_id: str, trigger_id: str) -> None:
        refused = [trigger for trigger in self.world.service.refused if trigger.trigger_id == trigger_id]
        assert model_id in [trigger.model_id for trigger in refused], f"the service never refused {trigger_id}"
        for run in self.runs_of(model_id, trigger_id):
            assert self._starters[run.run_id] is not self._savers[-1], f"{trigger_id} is rejected, and it trains"
            self.overlapped.add((model_id, trigger_id))
        if self.world.setting.own_letters:
            bodies = [letter["event"] for letter in self.world.letters.letters]
            assert (model_id, trigger_id) in map(named, bodies), f"{trigger_id} is refused, and no dead letter"

    def _started(self, run: ServiceRun, before: list[ServiceRun]) -> None:
        service, trigger = self.world.service, run.request.trigger
        cooldown = min(setting.policy.cooldown for setting in self.world.deployed)
        others = [other for other in before if other.request.trigger.model_id == trigger.model_id]
        same = [other for other in others if other.request.trigger.trigger_id == trigger.trigger_id]
        tracked = service.honours(run.place) and service.shows(run.place)
        assert not (same and tracked), f"{trigger.trigger_id} trains twice"
        for other in same:
            assert other.place == run.place, f"{trigger.trigger_id} trains at {other.place} and at {run.place}"
            assert other.request.token == run.request.token
            assert self._starters[other.run_id].faults, f"{trigger.trigger_id} is handed over twice without need"
        key, lines = (trigger.model_id, trigger.trigger_id), self.decisions[trigger.model_id, trigger.trigger_id]
        if lines and lines[-1].decision == "reject":
            self.overlapped.add(key)
        for other in others:
            if {key, (trigger.model_id, other.request.trigger.trigger_id)} & self.overlapped:
                continue
            age = run.started_at - other.started_at
            shown = service.shows(other.place) and other.result is RunResult.RUNNING
            lasts = shown and age < other.request.max_run
            assert not lasts, f"{run.run_id} starts beside {other.run_id}"
            cools = other not in same and age < cooldown - self.world.most_skew and not self.steering.allows(run, other)
            assert not cools, f"{run.run_id} starts {age} after {other.run_id}"
        if key not in self.overlapped:
            self.steering.started(run, others)

    def _over(self, process: Process) -> None:
        event, error = self.world.deliveries.get(process), process.error
        if error is None:
            if event is not None:
                self._acknowledged(process, event)
        elif isinstance(error, PermanentError) and event is not None and not self.world.setting.own_letters:
            self.world.platform_letters.append(event.body)
            self._acknowledged(process, event)
        elif not self._may_fail(process, error):
            raise AssertionError(str(process)) from error

    def _may_fail(self, process: Process, error: BaseException) -> bool:
        # A sweep reports it for one of its models.
        if isinstance(error, LaunchInProgressError) or "there is too little time left to hand" in str(error):
            return any(not target_of(setting).honours_tokens for setting in self.world.deployed)
        if isinstance(error, ConflictError | UnknownModelError | HttpError):
            return process not in self.world.deliveries
        return isinstance(error, UnavailableError | Crash) and bool(process.faults)

    def _acknowledged(self, process: Process, event: Event) -> None:
        event.acknowledged = True
        outcome = process.answer
        if isinstance(outcome, Outcome) and outcome.reason == "duplicate" and not process.faults:
            self._check_duplicate(process, outcome)
        if self._is_letter(event) or "trigger" not in event.body:
            assert "wrong" not in event.body or self._is_letter(event), f"{event.body} is lost"
            return
        model_id, trigger_id = named(event.body)
        lines = self.decisions[model_id, trigger_id]
        assert lines, f"{trigger_id} is acknowledged and forgotten"
        if lines[-1].decision == "launch":
            claim = self._states[model_id].training
            claimed = claim is not None and claim.trigger.trigger_id == trigger_id
            assert claimed or self.runs_of(model_id, trigger_id), f"{trigger_id} is acknowledged, and never starts"

    def _check_duplicate(self, process: Process, outcome: Outcome) -> None:
        """A duplicate at a model that nothing else touches costs one load."""
        birth = self._at_birth[process]
        earlier = [document for name, document in self.world.ledger.history[:birth] if name == outcome.model_id]
        alone = set(self._savers[birth:]) <= {process}
        unchanged = self._configured.get(process) is self.world.config
        in_time = not self.world.most_skew
        if in_time and alone and earlier and unchanged and not self._has_work(read_state(earlier[-1]), process.born):
            assert process.calls == ["load"], f"a duplicate costs {process.calls}"
            last = self.decisions[outcome.model_id, outcome.trigger_id][-1]
            assert last.decision != "reject", f"{outcome.trigger_id} was refused, and may not be sent again"

    def _has_work(self, state: ModelState, now: datetime) -> bool:
        return transitions.can_advance(state, rules(self.world.setting), now) or any(
            pending.is_due(entry, now) for entry in state.pending
        )

    def runs_of(self, model_id: str, trigger_id: str) -> list[ServiceRun]:
        """Return the trainings of one trigger."""
        runs = [run for run in self.world.service.runs.values() if run.request.trigger.trigger_id == trigger_id]
        return [run for run in runs if run.request.trigger.model_id == model_id]

    def is_tracked(self, model_id: str, trigger_id: str) -> bool:
        """Whether the model lists the last trainings of a trigger, but for one whose starter met a fault."""
        listed = {run.run_id for run in self.world.state(model_id).runs}
        runs = [run for run in self.runs_of(model_id, trigger_id) if not self._starters[run.run_id].faults]
        return len(listed) == MAX_RUNS or {run.run_id for run in runs} <= listed

    def _is_letter(self, event: Event) -> bool:
        ours = [letter["event"] for letter in self.world.letters.letters]
        return event.body in (*ours, *self.world.platform_letters)


def named(body: dict[str, object]) -> tuple[str, str]:
    """Return the model and id of the trigger that an event carries, or a dead letter holds."""
    fields = body.get("trigger", body)
    assert isinstance(fields, dict)
    return fields.get("model_id", MODELS[0]), fields.get("trigger_id", body.get("id"))
