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
        place: where it runs; launchers of other places do not see it.
        error: why it failed.

    """

    run_id: str
    request: LaunchRequest
    started_at: datetime
    result: RunResult = RunResult.RUNNING
    ended_at: datetime | None = None
    place: str = ""
    error: str = ""


class TrainingService:
    """Starts, ends and remembers runs.

    Attributes:
        runs: every run by its id, oldest first.
        refused: what it refused so far.
        refusing: refuse every token that has no run; those that have one are honoured all the same.
        honours_tokens: whether a token starts one run; else every start is one more.
        shows_runs: whether runs can be found and queried; else trainings are handed over, as to a queue.
        cancelled: the runs that it was requested to stop, in the order of the requests; a test ends them.

    """

    def __init__(self, clock: Callable[[], datetime], *, honours_tokens: bool = True, shows_runs: bool = True) -> None:
        """Take the time from *clock*."""
        self.runs: dict[str, ServiceRun] = {}
        self.refused: list[RetrainTrigger] = []
        self.refusing = False
        self.cancelled: list[str] = []
        self.honours_tokens = honours_tokens
        self.shows_runs = shows_runs
        self._clock = clock

    def honours(self, place: str) -> bool:
        """Whether a token starts one run at *place*; GitHub never does so."""
        return self.honours_tokens and not place.startswith("github")

    def shows(self, place: str) -> bool:
        """Whether runs at *place* can be found and queried; those on GitHub cannot."""
        return self.shows_runs and not place.startswith("github")

    def start(self, request: LaunchRequest, *, again: bool, place: str = "") -> str:
        """Start a run at *place*, or return the one of this token there: an older one only when it is looked for.

        Raises:
            TargetRefusedError: the service is `refusing`.

        """
        now, known = self._clock(), [run for run in self.of_token(request.token) if run.place == place]
        found = [
            run.run_id
            for run in known
            if now - run.started_at < TOKEN_MEMORY
            or (again and self.shows(place) and run.started_at >= request.claimed_at)
        ]
        if found and self.honours(place):
            return found[-1]
        if self.refusing and not known:
            self.refused.append(request.trigger)
            raise TargetRefusedError("The training service refuses to train")
        run_id = f"run-{len(self.runs) + 1}"
        self.runs[run_id] = ServiceRun(run_id=run_id, request=request, started_at=now, place=place)
        return run_id

    def status(self, run_id: str, place: str = "") -> RunStatus:
        """Return the status of a run at *place*; one that is unknown there has stopped."""
        run = self.runs.get(run_id)
        if run is None or run.place != place or not self.shows(place):
            return RunStatus(result=RunResult.STOPPED)
        return RunStatus(result=run.result, ended_at=run.ended_at, error=run.error)

    def cancel(self, run_id: str, place: str = "") -> None:
        """Take the request to stop a run at *place*, unless that is over or unknown there.

        Raises:
            TargetRefusedError: trainings at *place* are handed over.

        """
        if not self.shows(place):
            raise TargetRefusedError("The training was handed over and cannot be cancelled")
        if self.status(run_id, place).result is RunResult.RUNNING:
            self.cancelled.append(run_id)

    def end(self, run_id: str, result: RunResult, error: str = "") -> None:
        """Let a run end now."""
        run = self.runs[run_id]
        self.runs[run_id] = dataclasses.replace(run, result=result, ended_at=self._clock(), error=error)

    def of_token(self, token: str) -> list[ServiceRun]:
        """Return the runs of *token*, oldest first."""
        return [run for run in self.runs.values() if run.request.token == token]

    def running(self) -> list[ServiceRun]:
        """Return the runs that last."""
        return [run for run in self.runs.values() if run.result is RunResult.RUNNING]


class MemoryLauncher(Gated):
    """A `shared.ports.Launcher`."""

    def __init__(self, service: TrainingService, gate: Gate = perform, place: str = "") -> None:
        """Start trainings at this *place* of *service*."""
        super().__init__(gate)
        self._service = service
        self._place = place

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start a training; see the port."""
        run_id = self._gate("start", lambda: self._service.start(request, again=again, place=self._place))
        return Run(run_id=run_id, handed_over=not self._service.shows(self._place))

    def status(self, run_id: str) -> RunStatus:
        """Query the status of a run; see the port."""
        return self._gate("status", lambda: self._service.status(run_id, self._place))

    def cancel(self, run_id: str) -> None:
        """Request that a run stops; see the port."""
        self._gate("cancel", lambda: self._service.cancel(run_id, self._place))
