"""A training service in memory: runs that last until a test ends them, and the launcher that starts them."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.errors import TargetRefusedError
from shared.ports import LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import RetrainTrigger
from tests.fakes.faults import Gate, perform
from tests.fakes.memory import Gated

# Services promise little about how long they know a token (SQS FIFO queues: five minutes).
TOKEN_MEMORY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRun:
    """One training as the service sees it.

    Attributes:
        run_id: its id.
        request: the training that was requested.
        started_at: when it really started.
        result: its status.
        ended_at: when it ended.

    """

    run_id: str
    request: LaunchRequest
    started_at: datetime
    result: RunResult = RunResult.RUNNING
    ended_at: datetime | None = None


class TrainingService:
    """Starts, ends and remembers runs.

    Attributes:
        runs: every run by its id, oldest first.
        refused: what it refused so far.
        refusing: refuse every token that has no run; those that have one are honoured all the same.
        honours_tokens: whether a token starts one run; else every start is one more.
        shows_runs: whether runs can be found and queried; else trainings are handed over, as to a queue.

    """

    def __init__(self, clock: Callable[[], datetime], *, honours_tokens: bool = True, shows_runs: bool = True) -> None:
        """Take the time from *clock*."""
        self.runs: dict[str, ServiceRun] = {}
        self.refused: list[RetrainTrigger] = []
        self.refusing = False
        self.honours_tokens = honours_tokens
        self.shows_runs = shows_runs
        self._clock = clock

    def start(self, request: LaunchRequest, *, again: bool) -> str:
        """Start a run, or return the one of this token: a young one always, an older one when it is looked for.

        Raises:
            TargetRefusedError: the service is `refusing`.

        """
        now, known = self._clock(), self.of_token(request.token)
        found = [
            run.run_id
            for run in known
            if now - run.started_at < TOKEN_MEMORY
            or (again and self.shows_runs and run.started_at >= request.claimed_at)
        ]
        if found and self.honours_tokens:
            return found[-1]
        if self.refusing and not known:
            self.refused.append(request.trigger)
            raise TargetRefusedError("The training service refuses to train")
        run_id = f"run-{len(self.runs) + 1}"
        self.runs[run_id] = ServiceRun(run_id=run_id, request=request, started_at=now)
        return run_id

    def status(self, run_id: str) -> RunStatus:
        """Return the status of a run; an unknown one has stopped."""
        run = self.runs.get(run_id) if self.shows_runs else None
        return RunStatus(result=run.result, ended_at=run.ended_at) if run else RunStatus(result=RunResult.STOPPED)

    def end(self, run_id: str, result: RunResult) -> None:
        """Let a run end now."""
        self.runs[run_id] = dataclasses.replace(self.runs[run_id], result=result, ended_at=self._clock())

    def of_token(self, token: str) -> list[ServiceRun]:
        """Return the runs of *token*, oldest first."""
        return [run for run in self.runs.values() if run.request.token == token]

    def running(self) -> list[ServiceRun]:
        """Return the runs that last."""
        return [run for run in self.runs.values() if run.result is RunResult.RUNNING]


class MemoryLauncher(Gated):
    """A `shared.ports.Launcher`."""

    def __init__(self, service: TrainingService, gate: Gate = perform) -> None:
        """Start trainings at *service*."""
        super().__init__(gate)
        self._service = service

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start a training; see the port."""
        run_id = self._gate("start", lambda: self._service.start(request, again=again))
        return Run(run_id=run_id, handed_over=not self._service.shows_runs)

    def status(self, run_id: str) -> RunStatus:
        """Query the status of a run; see the port."""
        return self._gate("status", lambda: self._service.status(run_id))
