"""Watches pauses, budgets, retries and cancellations, and holds the core to its promises about them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from shared.decision.policy import is_paused
from shared.decision.state import Decided, ModelState, Parked, Training
from shared.ports import RunResult
from tests.core.world import World
from tests.fakes.training import ServiceRun

Key = tuple[str, str]


class Steering:
    """Asserts the promises about pauses, budgets, retries and cancellations.

    Attributes:
        retries: the retries that were ever planned, and from when on each may start, by model and trigger.
        stand_ins: the triggers that took the place of a retry, and the time of that, by model and trigger.
        cancelled: the running or claimed trainings that a person cancelled, by model and trigger.

    """

    def __init__(self, world: World) -> None:
        """Watch *world* from its beginning."""
        self.retries: dict[Key, Parked] = {}
        self.stand_ins: dict[Key, datetime] = {}
        self.cancelled: set[Key] = set()
        self._world = world
        self._queued: defaultdict[Key, int] = defaultdict(int)

    def saved(self, model_id: str, before: ModelState, after: ModelState, lines: Sequence[Decided]) -> None:
        """Look at one save of a model; *lines* are the new decisions, newest first."""
        assert after.queued is None or after.retry is None, "two triggers are kept"
        self._claimed(before, after)
        self._kept(model_id, before, after, lines)
        self._planned(model_id, before, after)
        self._failure_is_kept(before, after)
        if after.training is not None and after.training.cancelled_at is not None:
            self.cancelled.add((model_id, after.training.trigger.trigger_id))

    def allows(self, run: ServiceRun, other: ServiceRun) -> bool:
        """Return whether *run* may start within the cooldown of *other*, because of retries or `cooldown_after`."""
        trigger = run.request.trigger
        key = (trigger.model_id, trigger.trigger_id)
        if key in self.retries or trigger.force:
            return True
        if key in self.stand_ins and self._world.now + self._world.most_skew >= self.stand_ins[key]:
            return True
        lenient = any(setting.policy.cooldown_after == "success" for setting in self._world.deployed)
        return lenient and other.result in (RunResult.FAILED, RunResult.STOPPED)

    def started(self, run: ServiceRun, others: Sequence[ServiceRun]) -> None:
        """Assert that a start keeps to every budget that was ever deployed, and that a retry had its reason."""
        budgets = [setting.policy.max_trainings for setting in self._world.deployed]
        tokens = {other.request.token: other.started_at for other in others} | {run.request.token: run.started_at}
        if all(budgets):
            within = [
                (
                    budget.number,
                    sum(run.started_at - at < budget.period - self._world.most_skew for at in tokens.values()),
                )
                for budget in budgets
                if budget
            ]
            assert any(count <= number for number, count in within), f"{run.run_id} is over every budget: {within}"
        trigger = run.request.trigger
        retry = self.retries.get((trigger.model_id, trigger.trigger_id))
        if retry is not None:
            assert retry.retry_at, "a retry has no time"
            assert run.started_at + self._world.most_skew >= retry.retry_at, (
                f"{trigger.trigger_id} starts before its time"
            )
            first = [other for other in others if other.request.trigger.trigger_id == retry.first_id]
            assert first, f"{trigger.trigger_id} repeats nothing"
            assert trigger.parameters == first[0].request.trigger.parameters, "a retry has other parameters"

    def settled(self) -> None:
        """Assert that the service was requested to stop every training that was cancelled and still runs."""
        for run in self._world.service.running():
            trigger = run.request.trigger
            state = self._world.state(trigger.model_id)
            ours = state.training is not None and state.training.run_id == run.run_id
            if ours and (trigger.model_id, trigger.trigger_id) in self.cancelled:
                assert run.run_id in self._world.service.cancelled, f"{run.run_id} was cancelled and goes on"

    def _claimed(self, before: ModelState, after: ModelState) -> None:
        new = after.training is not None and (
            before.training is None or before.training.trigger.trigger_id != after.training.trigger.trigger_id
        )
        if new and after.training is not None and after.training.run_id is not None:
            return  # A claim that was put back, because its training runs.
        assert not (new and is_paused(after, self._world.now + self._world.most_skew)), (
            "a paused model claims a training"
        )

    def _kept(self, model_id: str, before: ModelState, after: ModelState, lines: Sequence[Decided]) -> None:
        kept, now = before.kept, after.kept
        for line in reversed(lines):
            key = (model_id, line.trigger_id)
            if line.decision in ("reject", "wait"):
                self._queued[key] = 0  # It may be sent again; or a person releases it, and something holds it back.
            self._queued[key] += line.decision == "queue"
            assert self._queued[key] < 2, f"{line.trigger_id} is queued twice"
        for line in lines:
            if line.reason == "superseded" and line.detail.startswith("replaced by "):
                self._replaced(model_id, line.trigger_id, line.detail.removeprefix("replaced by "))
        if kept is None or (now is not None and now.trigger == kept.trigger):
            return
        dropped = [line for line in lines if line.trigger_id == kept.trigger.trigger_id and line.decision == "skip"]
        for line in dropped:
            reasons = ("superseded", "cancelled")
            assert line.reason in reasons, f"{line.trigger_id} was kept and is skipped as {line.reason}"
            if line.reason == "superseded" and now is not None and now.trigger.trigger_id in line.detail:
                assert not kept.outranks(now.trigger) or now.approved_by, f"{line.trigger_id} is pushed out"

    def _replaced(self, model_id: str, old: str, new: str) -> None:
        times = [
            time
            for time in (
                self.stand_ins.get((model_id, old)),
                self.retries[model_id, old].retry_at if (model_id, old) in self.retries else None,
                self.stand_ins.get((model_id, new)),
            )
            if time is not None
        ]
        if times:
            self.stand_ins[model_id, new] = min(times)

    def _planned(self, model_id: str, before: ModelState, after: ModelState) -> None:
        retry = after.retry
        if retry is None or retry == before.retry:
            return
        known = before.retry is not None and before.retry.trigger == retry.trigger
        self.retries[model_id, retry.trigger.trigger_id] = retry
        assert retry.is_retry, "a first attempt is kept as a retry"
        assert after.has_seen(retry.trigger.trigger_id), "the id of a retry is not known"
        if retry.approved_by or known:
            return
        ended, most = before.training, max(setting.policy.retries for setting in self._world.deployed)
        assert ended is not None, "a retry comes from nowhere"
        assert (model_id, ended.trigger.trigger_id) not in self.cancelled, "a cancelled training is retried"
        assert retry.attempt <= most + 1, "there are too many attempts"
        assert before.kept is None, "a retry is planned beside a kept trigger"
        past = next(run for run in after.runs if run.trigger_id == ended.trigger.trigger_id)
        assert past.result == "failed", f"a training that {past.result} is retried"

    def _failure_is_kept(self, before: ModelState, after: ModelState) -> None:
        """A failure that is not reported yet goes with the retry and its claim, and is reported if these are gone."""
        for holder in (before.retry, before.training):
            failure = holder.failure if holder else None
            if holder is None or failure is None:
                continue
            holders: tuple[Parked | Training | None, ...] = (after.retry, after.training)
            goes_on = any(one is not None and one.failure == failure for one in holders)
            started = any(run.trigger_id == holder.trigger.trigger_id for run in after.runs)
            reported = any(entry.run_id == failure.run_id for entry in after.pending)
            assert goes_on or started or reported, f"the failure of {failure.run_id} is forgotten"
