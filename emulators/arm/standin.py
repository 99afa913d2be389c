"""The stand-in for Azure Resource Manager: one HTTP server for the jobs of one workspace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from emulators.arm.events import run_events
from emulators.arm.faults import Fault, FaultKind
from emulators.arm.history import run_details, run_of
from emulators.arm.identity import Identity
from emulators.arm.jobs import CANCEL_REQUESTED, FINAL, Component, Job, Jobs
from emulators.arm.problems import ArmError, Json, user_error
from emulators.arm.requests import admitted, operation_of, wanted_properties
from emulators.endings import Ending, Endings, Work
from emulators.loopback import Answer, Request, json_answer
from emulators.standin import FaultyStandIn, utc_now

WORKSPACE: Final = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/retraining/providers"
    "/Microsoft.MachineLearningServices/workspaces/acme"
)


@dataclass(kw_only=True, eq=False)
class ArmStandIn(FaultyStandIn[Fault]):
    """A workspace that keeps jobs, guarantees that a name is one job, and fails on demand.

    `url` is the endpoint, for `RETRAIN_ARM_ENDPOINT`.

    Attributes:
        components: the pipeline components that exist, by resource id.
        workspace: the resource id of the workspace.
        identity: issues the tokens that requests need; None if they need none.
        on_event: called with the Event Grid events of each job that ends, without holding a lock; in the thread that
            calls `end`, or in a thread of the stand-in.
        clock: returns the time, aware.
        taken: the status of the answer to a request that reuses the name of another job: 400 or 409.

    """

    components: Mapping[str, Component]
    workspace: str = WORKSPACE
    identity: Identity | None = None
    on_event: Callable[[Json], None] | None = None
    clock: Callable[[], datetime] = utc_now
    taken: int = 400

    def __post_init__(self) -> None:
        super().__post_init__()
        self._jobs = Jobs(self.components, self.clock, self.taken)
        self._endings = Endings(self._ended)

    def add_fault(self, kind: FaultKind | str, **details: Any) -> None:
        """Order a fault: `add_fault("throttle", times=3)`; see `Fault`."""
        self.faults.add(Fault(kind=FaultKind(kind), **details))

    def jobs(self) -> list[Job]:
        """Return every job, oldest first."""
        return self._jobs.all()

    def end(self, name: str, status: str = "Completed", error: str = "") -> list[Json]:
        """End a job, and return the events that report it; empty if it had ended before."""
        assert status in FINAL
        return self._finish(name, status, error)

    def _end_work(self) -> None:
        self._endings.close()

    def _ended(self, name: str, ending: Ending) -> None:
        status = "Canceled" if ending.stopped else "Failed" if ending.error else "Completed"
        self._finish(name, status, "" if ending.stopped else ending.error)

    def _finish(self, name: str, status: str, error: str) -> list[Json]:
        ended = self._jobs.change(name, status, error)
        events = run_events(ended, self.workspace) if ended else []
        if self.on_event:
            for event in events:
                self.on_event(event)
        return events

    def _respond(self, request: Request) -> Answer | None:
        return self._answer(operation_of(request), lambda: self._work(request))

    def _work(self, request: Request) -> Answer:
        try:
            if run := run_of(request, self.identity):
                return json_answer(200, run_details(self._jobs.get(run)))
            name = admitted(request, self.workspace, self.identity)
            if request.method == "PUT":
                return self._put(name, request)
            if request.method == "POST":
                return self._cancel(name, request)
            return json_answer(200, self._shown(self._jobs.get(name)))
        except ArmError as error:
            return error.answer()

    def _put(self, name: str, request: Request) -> Answer:
        job, new = self._jobs.put(name, wanted_properties(request.body))
        if new:
            command = self._jobs.component(job.properties).command
            if command and self._jobs.would_reuse(job):
                # Steps whose outputs come from an earlier job run nothing.
                command = ("true",)
            self._endings.begin(Work(name=job.name, parameters=job.inputs, command=command))
        return json_answer(201 if new else 200, self._shown(job))

    def _cancel(self, name: str, request: Request) -> Answer:
        job = self._jobs.get(name)
        if job.status in FINAL:
            # How the service answers is not documented; this is the answer that is hardest on a caller.
            raise user_error(400, f"The job {name} is {job.status} and cannot be cancelled.", "BadArgument")
        if job.status != CANCEL_REQUESTED:
            self._jobs.change(name, CANCEL_REQUESTED)
            self._endings.stop(name)
        # Specification of the resource provider, Jobs_Cancel: 202 without a body, and the address of the operation.
        place = f"{self.url}{request.path.replace('/cancel?', '/operations/cancel?')}"
        return Answer(status=202, body=b"", headers={"Location": place, "Retry-After": "1"})

    def _shown(self, job: Job) -> Json:
        studio = f"https://ml.azure.com/runs/{job.name}?wsid={self.workspace}"
        tracking = f"azureml://westeurope.api.azureml.ms/mlflow/v1.0{self.workspace}?"
        service = {
            "Studio": {"jobServiceType": "Studio", "endpoint": studio},
            "Tracking": {"jobServiceType": "Tracking", "endpoint": tracking},
        }
        made = {"createdAt": job.started.isoformat(), "createdBy": "retrain", "createdByType": "Application"}
        return {
            "id": f"{self.workspace}/jobs/{job.name}",
            "name": job.name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "properties": {**job.properties, "status": job.status, "isArchived": False, "services": service},
            "systemData": made | {"lastModifiedAt": job.modified.isoformat()},
        }
