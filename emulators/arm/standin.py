"""The stand-in itself: one HTTP server for the jobs of one workspace."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from emulators.arm.events import run_events
from emulators.arm.faults import RETRY_AFTER, Fault, FaultKind
from emulators.arm.identity import Identity
from emulators.arm.jobs import FINAL, Component, Job, Jobs
from emulators.arm.problems import ArmError, Json
from emulators.arm.requests import admitted, wanted_properties
from emulators.faults import Faults
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.sagemaker.endings import Endings

WORKSPACE: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/retraining/providers"
    "/Microsoft.MachineLearningServices/workspaces/acme"
)
_ENDS: Final[Mapping[str, str]] = {"Succeeded": "Completed", "Stopped": "Canceled"}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A job as what brings about ends knows it."""

    arn: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a job comes to its end."""

    command: tuple[str, ...]
    duration: None = None


@dataclass(kw_only=True, eq=False)
class ArmStandIn:
    """A workspace that keeps jobs and the promise of their names, and fails on demand.

    Attributes:
        components: the pipeline components that exist, by resource id.
        workspace: the resource id of the workspace.
        identity: whose tokens are asked for; none: nobody is asked for one.
        on_event: called with the Event Grid events of each job that ends, outside of any lock; in the thread of `end`,
            else in one of the stand-in's own.
        clock: returns the time, aware.
        taken: the status of the answer where a name has been given to another job: 400 or 409.

    """

    components: Mapping[str, Component]
    workspace: str = WORKSPACE
    identity: Identity | None = None
    on_event: Callable[[Json], None] | None = None
    clock: Callable[[], datetime] = _now
    taken: int = 400
    faults: Faults[Fault] = field(init=False, default_factory=Faults)

    def __post_init__(self) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self._jobs = Jobs(self.components, self.clock, self.taken)
        self._endings = Endings(lambda name, result, _: self._finish(name, _ENDS.get(result, result)))
        self._calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._server = LoopbackServer(self._respond)

    @property
    def url(self) -> str:
        """The endpoint, for `RETRAIN_ARM_ENDPOINT`."""
        return self._server.url

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wake what hangs, end what runs, and stop answering."""
        self._closing.set()
        self._endings.close()
        self._server.close()

    def add_fault(self, kind: FaultKind | str, **details: Any) -> None:
        """Order a fault: `add_fault("throttle", times=3)`; see `Fault`."""
        self.faults.add(Fault(kind=FaultKind(kind), **details))

    def jobs(self) -> list[Job]:
        """Return every job, oldest first."""
        return self._jobs.all()

    def calls(self) -> Mapping[str, int]:
        """Return the number of requests by operation, those that met a fault included."""
        return dict(self._calls)

    def end(self, name: str, status: str = "Completed") -> list[Json]:
        """End a job, and return the events that tell of it; none where it has ended before."""
        assert status in FINAL
        return self._finish(name, status)

    def _finish(self, name: str, status: str) -> list[Json]:
        ended = self._jobs.change(name, status)
        events = run_events(ended, self.workspace) if ended else []
        for event in events if self.on_event else ():
            self.on_event(event)
        return events

    def _respond(self, request: Request) -> Answer | None:
        operation = f"{request.method} job"
        with self._counting:
            self._calls[operation] += 1
        fault = self.faults.take(operation)
        if fault is None:
            return self._work(request)
        if error := fault.error():
            return _failed(error)
        answer = None if fault.kind is FaultKind.HANG else self._work(request)
        self._closing.wait(fault.seconds)
        return answer if fault.kind is FaultKind.SLOW else None

    def _work(self, request: Request) -> Answer:
        try:
            name = admitted(request, self.workspace, self.identity)
            if request.method == "PUT":
                return self._put(name, request)
            return _answer(200, self._shown(self._jobs.get(name)))
        except ArmError as error:
            return _failed(error)

    def _put(self, name: str, request: Request) -> Answer:
        job, new = self._jobs.put(name, wanted_properties(request.body))
        if new:
            command = self._jobs.component(job.properties).command
            # Of steps that are taken from an earlier job nothing is run.
            way = _Way(command=("true",) if command and self._jobs.would_reuse(job) else command)
            self._endings.begin(_Work(arn=job.name, parameters=job.inputs), way)
        return _answer(201 if new else 200, self._shown(job))

    def _shown(self, job: Job) -> Json:
        studio = f"https://ml.azure.com/runs/{job.name}?wsid={self.workspace}"
        service = {"Studio": {"jobServiceType": "Studio", "endpoint": studio}}
        made = {"createdAt": job.started.isoformat(), "createdBy": "retrain", "createdByType": "Application"}
        return {
            "id": f"{self.workspace}/jobs/{job.name}",
            "name": job.name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "properties": {**job.properties, "status": job.status, "isArchived": False, "services": service},
            "systemData": made | {"lastModifiedAt": job.modified.isoformat()},
        }


def _answer(status: int, body: Json) -> Answer:
    return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def _failed(error: ArmError) -> Answer:
    answer = _answer(error.status, error.body())
    waits = {"Retry-After": RETRY_AFTER} if error.status == 429 else {}
    return Answer(status=answer.status, body=answer.body, headers={**answer.headers, **waits})
