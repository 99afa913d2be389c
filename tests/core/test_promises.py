"""The promises of the core under redelivery, concurrency, crashes and lost answers, tried by a stateful machine.

`python -m tests.core.explore SECONDS` tries for as long as you like.
"""

import dataclasses
from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from shared.config.follow_ups import FollowUps
from shared.config.model import Policy
from shared.fields import format_time
from shared.http import verbs
from shared.ports import RunResult
from tests.core.draws import AFTER, BACK, MODEL_IDS, MOMENTS, NOTIFY_ON, ODD, POLICIES, SERVICES, TIMES, WAYS, Way
from tests.core.processes import Process
from tests.core.samples import HOUR, SECOND
from tests.core.setting import CHANNELS, MODELS, Setting
from tests.core.settling import settle
from tests.core.witness import Witness
from tests.core.world import Verb, World
from tests.fakes.memory import IndexState

MOST_PROCESSES: Final = 3


class Promises(RuleBasedStateMachine):
    """Moves a world in every way that the platforms allow."""

    def __init__(self) -> None:
        super().__init__()
        self.witness = Witness(World(Setting()))

    @initialize(
        policy=POLICIES,
        service=SERVICES,
        own_letters=st.sampled_from([True, True, False]),
        after=AFTER,
        notify_on=NOTIFY_ON,
    )
    def set_up(
        self,
        policy: Policy,
        service: tuple[bool, bool],
        own_letters: bool,  # noqa: FBT001 - a draw
        after: FollowUps,
        notify_on: tuple[str, ...],
    ) -> None:
        """Begin a world in which one training is requested."""
        setting = Setting(policy=policy, honours_tokens=service[0], shows_runs=service[1], own_letters=own_letters)
        setting = dataclasses.replace(setting, after=after, notify_on=notify_on)
        self.witness = Witness(World(setting))
        self.world.emit(MODELS[0])

    @property
    def world(self) -> World:
        """The world as it stands."""
        return self.witness.world

    @rule(way=WAYS)
    def request_training(self, way: Way) -> None:
        """Request a training, and begin to deliver the trigger."""
        self.world.emit(MODELS[0])
        self.deliver(0, way)

    @rule(
        model_id=MODEL_IDS,
        origin=st.sampled_from(["manual", "drift"]),
        severity=st.sampled_from([None, "low", "high"]),
        force=st.booleans(),
        way=WAYS,
    )
    def request_for_a_reason(self, model_id: str, origin: str, severity: str | None, force: bool, way: Way) -> None:  # noqa: FBT001
        """Request a training with everything that is judged, and begin to deliver the trigger."""
        self.world.emit(model_id, origin=origin, severity=severity, force=force)
        self.deliver(0, way)

    @rule(back=BACK)
    def repeat_request(self, back: int) -> None:
        """Send the id of an earlier trigger again, or, at first, a wrong request."""
        sent = [event.body for event in self.world.events if "trigger" in event.body]
        if len(sent) > back:
            self.world.put({**sent[-1 - back], "copy": self.world.new_id()})
        else:
            self.world.put({**ODD[back % len(ODD)], "copy": self.world.new_id()})

    @precondition(lambda self: self.world.events)
    @rule(back=BACK, way=WAYS)
    def deliver(self, back: int, way: Way) -> None:
        """Begin to deliver an event: for the first time, once more, or late."""
        if len(self.world.processes) < MOST_PROCESSES:
            event = self.world.events[-1 - back % len(self.world.events)]
            self.step(self.witness.begun(self.world.deliver(event)), way)

    @rule(back=BACK, way=WAYS)
    def go(self, back: int, way: Way) -> None:
        """Let a process go on."""
        if self.world.processes:
            self.step(self.world.processes[-1 - back % len(self.world.processes)], way)

    @rule(time=st.sampled_from(MOMENTS))
    def wait(self, time: timedelta) -> None:
        """Let a little time pass."""
        self.witness.advance(time)

    @rule(time=st.sampled_from(TIMES))
    def wait_long(self, time: timedelta) -> None:
        """Let more time pass than any process lives."""
        self.witness.advance(time)

    @precondition(lambda self: self.world.service.runs)
    @rule(off=st.sampled_from([-1, 0]))
    def wait_for_the_cooldown(self, off: int) -> None:
        """Let time pass until the cooldown of the last run is over, or almost so."""
        run = list(self.world.service.runs.values())[-1]
        time = run.started_at + self.world.setting.policy.cooldown - self.world.now + off * SECOND
        if time > 0 * SECOND:
            self.witness.advance(time)

    @precondition(lambda self: self.world.setting.shows_runs and self.world.service.running())
    @rule(
        back=BACK,
        result=st.sampled_from([RunResult.SUCCEEDED, RunResult.FAILED, RunResult.FAILED, RunResult.STOPPED]),
        reports=st.sampled_from([1, 0, 2, 3]),
        hint=st.sampled_from([None, *MODELS]),
        way=WAYS,
    )
    def end(self, back: int, result: RunResult, reports: int, hint: str | None, way: Way) -> None:
        """Let a run end; that is reported never, once or more often."""
        runs = self.world.service.running()
        self.world.end(runs[-1 - back % len(runs)], result, reports, hint)
        if reports:
            self.deliver(0, way)

    @precondition(lambda self: len(self.world.processes) < MOST_PROCESSES)
    @rule(way=WAYS)
    def sweep(self, way: Way) -> None:
        """Begin a sweep."""
        self.step(self.witness.begun(self.world.sweep()), way)

    @precondition(lambda self: self.world.setting.policy.approval and len(self.world.processes) < MOST_PROCESSES)
    @rule(model_id=MODEL_IDS, back=BACK, approved=st.booleans(), way=WAYS)
    def judge(self, model_id: str, back: int, approved: bool, way: Way) -> None:  # noqa: FBT001 - a draw
        """Begin to approve or to reject a trigger, whether it waits (any more) or not."""
        ids = [trigger_id for name, trigger_id in self.witness.decisions if name == model_id]
        waiting = self.world.state(model_id).waiting
        trigger_id = waiting.trigger.trigger_id if waiting else ids[-1 - back % len(ids)] if ids else "absent"
        self.step(self.witness.begun(self.world.judge(model_id, trigger_id, approved=approved)), way)

    @precondition(lambda self: len(self.world.processes) < MOST_PROCESSES)
    @rule(
        verb=st.sampled_from([verbs.cancel, verbs.cancel, verbs.retry, verbs.pause, verbs.resume, verbs.approve]),
        model_id=MODEL_IDS,
        back=BACK,
        until=st.sampled_from([None, HOUR]),
        way=WAYS,
    )
    def steer(self, verb: Verb, model_id: str, back: int, until: timedelta | None, way: Way) -> None:
        """Begin to cancel or retry a trigger, whatever became of it, or to pause or resume a model."""
        fields: dict[str, object] = {}
        if verb is verbs.pause:
            fields = {"until": format_time(self.world.now + until)} if until else {"reason": "maintenance"}
        elif verb is not verbs.resume:
            ids = [trigger_id for name, trigger_id in self.witness.decisions if name == model_id]
            fields = {"trigger_id": ids[-1 - back % len(ids)] if ids else "absent"}
        alone = not self.world.processes
        process = self.witness.begun(self.world.steer(verb, model_id, **fields))
        self.step(process, way)
        if alone and not self.world.processes and not process.faults:
            self._repeat(process, verb, model_id, fields)

    def _repeat(self, first: Process, verb: Verb, model_id: str, fields: dict[str, object]) -> None:
        """Click twice: the answer is the same, and nothing is written."""
        saves = len(self.world.ledger.history)
        again = self.witness.finish(self.witness.begun(self.world.steer(verb, model_id, **fields)))
        assert len(self.world.ledger.history) == saves, f"{verb.__name__} again writes"
        assert answer_of(again) == answer_of(first), f"{verb.__name__} again is answered {answer_of(again)}"

    @precondition(lambda self: not self.world.processes)
    @rule(on_busy=st.sampled_from(["queue", "skip"]), approval=st.sampled_from([False, False, True]))
    def deploy(self, on_busy: str, approval: bool) -> None:  # noqa: FBT001 - a draw
        """Deploy another configuration."""
        self.world.deploy(dataclasses.replace(self.world.setting.policy, on_busy=on_busy, approval=approval))

    @rule(state=st.sampled_from(IndexState))
    def index(self, state: IndexState) -> None:
        """Let reads of the index be late from now on, or impossible, or current again."""
        self.world.ledger.index_state = state

    @rule(refusing=st.sampled_from([False, False, False, True]))
    def refuse_or_not(self, refusing: bool) -> None:  # noqa: FBT001 - a draw
        """Let the service refuse new trainings, or take them again."""
        self.world.service.refusing = refusing

    @rule(refusing=st.sampled_from([False, False, True]), closed=st.sampled_from([0, 0, 1]))
    def close_or_open(self, refusing: bool, closed: int) -> None:  # noqa: FBT001 - a draw
        """Let GitHub refuse everything, or take it again; a channel that is closed stays closed."""
        self.world.repositories.refusing = refusing
        self.world.channels.closed |= set(CHANNELS[:closed])

    def step(self, process: Process, way: Way) -> None:
        """Let *process* go its *way*."""
        steps, fault = way
        while process.stops_before and steps:
            self.witness.go(process)
            steps -= 1
        if process.stops_before and fault:
            self.witness.go(process, fault)

    def teardown(self) -> None:
        """Let everything settle, unless a promise is broken already."""
        try:
            if not self.witness.broken:
                settle(self.witness)
        finally:
            for process in self.world.processes:
                process.kill()


def answer_of(process: Process) -> object:
    """Return how a person was answered: the trigger and whether it happens later, or the problem."""
    done = process.answer
    return (done.trigger_id, done.is_later) if isinstance(done, verbs.Steered) else str(process.error)


ANY_PACE: Final = settings(
    deadline=None, suppress_health_check=list(HealthCheck), stateful_step_count=50, print_blob=False, database=None
)
TestPromises = Promises.TestCase
# As many examples as the profile in tests/conftest.py has.
TestPromises.settings = settings(ANY_PACE, derandomize=True)
