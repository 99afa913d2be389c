"""Watches the follow-ups of trainings and the notices to people, and holds the core to its promises about both."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from shared.decision import pending
from shared.decision.retries import AS_CONFIGURED
from shared.decision.state import MAX_PENDING, Decided, ModelState, PastRun, Pending
from shared.decision.transitions import HANDED_OVER
from shared.notice import Notice
from shared.ports import Dispatch, RunResult
from shared.training.channels import channel_label
from tests.core.processes import Process
from tests.core.setting import CHANNELS, Setting
from tests.core.world import World

ENDS: Final = ("ended", "failed")
AWAITING: Final = "awaiting_approval"
Decisions = Mapping[tuple[str, str], Sequence[Decided]]
# The run, and the action.
Key = tuple[str, str]


class Aftermath:
    """Asserts that what follows a training is promised with its end, and done once unless a service fails.

    Attributes:
        doers: who did which action, oldest first.
        cancelled: the trainings that a person cancelled, by model and trigger.

    """

    def __init__(self, world: World, cancelled: Collection[tuple[str, str]]) -> None:
        """Watch *world* from its beginning."""
        self.cancelled = cancelled
        self.doers: list[tuple[Key, Process]] = []
        self._world = world
        self._dispatched = self._sent = 0
        self._tellers: list[tuple[Notice, str, Process]] = []

    def watch(self, process: Process, decisions: Decisions) -> None:
        """Look at what *process* did in its last call; *decisions* are all so far."""
        dispatched, sent = self._world.repositories.dispatched, self._world.channels.sent
        for dispatch in dispatched[self._dispatched :]:
            self._dispatched += 1
            self._done(_key(dispatch), str(dispatch.payload["result"]), process)
            run = self._world.service.runs[_key(dispatch)[0]]
            assert dispatch.token == run.request.token == dispatch.payload["token"]
        for channel, notice in sent[self._sent :]:
            self._sent += 1
            if notice.event in ENDS:
                self._done((notice.run_id, f"notify:{channel_label(channel)}"), notice.result, process)
            else:
                self._noticed(notice, channel, process, decisions)

    def saved(self, model_id: str, before: ModelState, after: ModelState) -> None:
        """Look at what one save of a model did to what is still to be done."""
        left = {entry.key: entry for entry in after.pending}
        assert len(left) == len(after.pending), "two entries are the same"
        for entry in before.pending:
            now = left.pop(entry.key, None)
            for action in entry.actions:
                if now is None or action not in now.actions:
                    self._taken_off(model_id, before, after, entry, action)
        self._requested(before, after, left)
        over = [run for run in after.runs if run.ended_at and run.result != HANDED_OVER]
        known = {run.run_id for run in before.runs if run.ended_at}
        ended = {run.run_id: run for run in over if run.run_id not in known}
        follows = {entry.run_id: set(entry.actions) for entry in left.values() if not entry.is_approval_request}
        postponed = {one.failure.run_id for one in (before.retry, before.training) if one and one.failure}
        assert set(follows) <= set(ended) | postponed, "something follows a training that has not just ended"
        planned = after.retry.failure.run_id if after.retry and after.retry.failure else None
        for run_id, run in ended.items():
            if run_id == planned:
                assert run_id not in follows, "a failure is reported although it is retried"
                continue
            if self._is_cancelled(model_id, run) and run.result != "succeeded":
                assert run_id not in follows, "a cancelled training is reported as failed"
                continue
            if run.result == "gone" and run.ended_at == run.started_at:
                assert run_id not in follows, "something follows a run that was only listed"
                continue
            wanted = expected(self._world.setting, str(run.result))
            assert follows.get(run_id, set()) in (wanted, {AS_CONFIGURED}), "what follows is not promised"

    def _is_cancelled(self, model_id: str, run: PastRun) -> bool:
        return (model_id, run.trigger_id) in self.cancelled

    def _requested(self, before: ModelState, after: ModelState, left: Mapping[tuple[str, str], Pending]) -> None:
        """Check the new approval requests."""
        waiting = after.waiting
        began = waiting and (before.waiting is None or before.waiting.trigger != waiting.trigger)
        new = {entry.trigger_id: set(entry.actions) for entry in left.values() if entry.is_approval_request}
        wanted = {f"notify:{channel_label(channel)}" for channel in CHANNELS}
        requests = {waiting.trigger.trigger_id: wanted} if waiting and began else {}
        assert new == (requests if AWAITING in self._world.setting.notify_on else {}), (
            "approvals are not requested as they should be"
        )

    def _taken_off(self, model_id: str, before: ModelState, after: ModelState, entry: Pending, action: str) -> None:
        if action == AS_CONFIGURED:
            return
        if entry.is_approval_request and self._is_answered(after, entry, action):
            return
        # The same line may be there already: of an earlier action about this trigger, at the same moment.
        lines = [line for line in after.rejected if line.trigger_id == entry.trigger_id]
        if not any(line.detail.startswith(f"{action}: ") for line in lines):
            assert (entry.run_id, action) in [key for key, _ in self.doers], f"{action} is forgotten"
            return
        refused = entry.token in [dispatch.token for dispatch in self._world.repositories.refused]
        closed = any(action.endswith(channel_label(channel)) for channel in self._world.channels.closed)
        crowded = len(before.pending) >= MAX_PENDING
        assert refused or closed or crowded or pending.is_given_up(entry), f"{action} is given up without need"
        if self._world.setting.own_letters:
            events = [letter["event"] for letter in self._world.letters.letters]
            named = [(event["model_id"], event["run_id"], event["action"]) for event in events if "action" in event]
            assert (model_id, entry.run_id, action) in named, f"{action} is given up, and no dead letter"

    def _is_answered(self, after: ModelState, entry: Pending, action: str) -> bool:
        """Whether the channel of *action* was notified, or nothing waits any more."""
        named = [(notice.trigger_id, f"notify:{channel_label(channel)}") for notice, channel, _ in self._tellers]
        return pending.trigger_awaiting_approval(after, entry) is None or (entry.trigger_id, action) in named

    def _done(self, key: Key, result: str, process: Process) -> None:
        run_id, action = key
        run = self._world.service.runs[run_id]
        state = self._world.state(run.request.trigger.model_id)
        past = next(one for one in state.runs if one.run_id == run_id)
        assert past.ended_at, f"{action} comes before the end"
        assert result in (past.result, "gone"), f"{action} reports {result} and it is {past.result}"
        assert result == "gone" or run.result is not RunResult.RUNNING, f"{action} comes before the real end"
        assert action in expected(self._world.setting, result), f"{action} is not configured after {result}"
        for earlier, doer in self.doers:
            assert earlier != key or doer.faults, f"{key} is done twice without need"
        self.doers.append((key, process))

    def _noticed(self, notice: Notice, channel: str, process: Process, decisions: Decisions) -> None:
        assert notice.event in self._world.setting.notify_on, f"{notice.event} is not configured"
        same = [
            doer
            for one, through, doer in self._tellers
            if through == channel and (one.event, one.model_id, one.trigger_id, one.run_id) == _about(notice)
        ]
        lines = Counter(line.reason for line in decisions.get((notice.model_id, notice.trigger_id), ()))
        most = {"launched": 1, AWAITING: lines[AWAITING], "rejected": len(same) + 1}[notice.event]
        assert len(same) < most or any(doer.faults for doer in (*same, process)), f"{notice.event} is sent twice"
        self._tellers.append((notice, channel, process))


def expected(setting: Setting, result: str) -> set[str]:
    """Return what should follow a training with that *result*."""
    good = result == RunResult.SUCCEEDED
    actions = set(setting.after.succeeded if good else setting.after.failed)
    if "notify" in actions or "ended" in setting.notify_on or ("failed" in setting.notify_on and not good):
        actions |= {f"notify:{channel_label(channel)}" for channel in CHANNELS}
    return actions - {"notify"}


def _key(dispatch: Dispatch) -> Key:
    data = dispatch.payload["data"]
    assert isinstance(data, dict)
    return str(data["runId"]), f"github:{dispatch.repository}#{dispatch.event_type}"


def _about(notice: Notice) -> tuple[str, str, str, str]:
    return notice.event, notice.model_id, notice.trigger_id, notice.run_id
