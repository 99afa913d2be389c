"""The stand-in for Vertex AI: one HTTP server for the operations on pipeline jobs."""

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from emulators.endings import Ending, Endings, Work
from emulators.loopback import Answer, Request, json_answer
from emulators.standin import FaultyStandIn, utc_now
from emulators.vertex.checks import check_body, check_id
from emulators.vertex.errors import CONTENT_TYPE, ApiError, error_answer
from emulators.vertex.faults import Fault, FaultKind
from emulators.vertex.jobs import CANCELLED, CANCELLING, FAILED, FINAL, RUNNING, SUCCEEDED, Job, Jobs
from emulators.vertex.log_entries import log_entry

Json = dict[str, Any]

PATH: Final = re.compile(
    r"/v1/(?P<parent>projects/[^/]+/locations/[^/]+)/pipelineJobs(?:/(?P<job>[^/:]+))?(?P<verb>:cancel)?"
)
_OPERATIONS: Final[Mapping[tuple[str, bool, bool], str]] = {
    ("POST", False, False): "pipelineJobs.create",
    ("GET", True, False): "pipelineJobs.get",
    ("GET", False, False): "pipelineJobs.list",
    ("POST", True, True): "pipelineJobs.cancel",
}


@dataclass(kw_only=True, eq=False)
class VertexStandIn(FaultyStandIn[Fault]):
    """Vertex AI's pipeline jobs, with their ids, states and log entries; fails on demand.

    `url` is the endpoint, for `RETRAIN_VERTEX_ENDPOINT`.

    Attributes:
        command: returns the command of a job, which gets the parameters in `RETRAIN_PARAM_<NAME>`; if it is empty, the
            job lasts until `end` is called.
        on_log: called with the log entry of each change of a state, without holding a lock.
        templates: the specifications in the template registry, by address.
        token: the access token that every request must bring; empty: none is needed.
        project_number: the project's number in the names of jobs, whatever the caller calls the project.
        clock: returns the time, aware.

    """

    command: Callable[[Job], Sequence[str]] = lambda _job: ()
    on_log: Callable[[Json], None] | None = None
    templates: Mapping[str, Json] = field(default_factory=dict)
    token: str = ""
    project_number: str = "123456789012"
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        super().__post_init__()
        self._jobs = Jobs(self.project_number, self.clock)
        # Vertex AI gives a cancelled job no time to end by itself.
        self._endings = Endings(self._ended, grace=0)

    def add_fault(self, kind: FaultKind, **details: Any) -> None:
        """Order a fault: `add_fault(FaultKind.THROTTLE, operation="*", times=3)`; see `Fault`."""
        self.faults.add(Fault(kind=kind, **details))

    def jobs(self) -> list[Job]:
        """Return every job, oldest first."""
        return self._jobs.all()

    def end(self, job_id: str, state: str = SUCCEEDED, error: str = "") -> None:
        """End a job.

        Raises:
            LookupError: there is no such job, or it has ended.
            ValueError: the state is not final.

        """
        if state not in FINAL:
            raise ValueError(f"a job ends as one of {', '.join(sorted(FINAL))}, not {state!r}")
        job = next((job for job in self._jobs.all() if job.job_id == job_id), None)
        if job is None or job.state in FINAL:
            raise LookupError(f"no unfinished job {job_id!r}")
        self._finish(job.name, state, error)

    def _end_work(self) -> None:
        self._endings.close()

    def _ended(self, name: str, ending: Ending) -> None:
        if ending.stopped:
            self._finish(name, CANCELLED, "")
        else:
            self._finish(name, FAILED if ending.error else SUCCEEDED, ending.error)

    def _finish(self, name: str, state: str, error: str) -> None:
        changed = self._jobs.change(name, state, error)
        if changed and self.on_log:
            self.on_log(log_entry(changed))

    def _respond(self, request: Request) -> Answer | None:
        matched = PATH.fullmatch(urlsplit(request.path).path)
        found = matched.groupdict() if matched else {}
        operation = _OPERATIONS.get((request.method, bool(found.get("job")), bool(found.get("verb"))), "")
        if not matched or not operation:
            return error_answer(404, f"There is no {request.method} {request.path}.")
        return self._answer(operation, lambda: self._work(operation, found, request))

    def _work(self, operation: str, found: Mapping[str, str], request: Request) -> Answer:
        work = getattr(self, f"_{operation.rpartition('.')[2]}")
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return error_answer(401, "Request had invalid authentication credentials.")
        try:
            content = work(found["parent"], unquote(found["job"] or ""), request)
        except ApiError as error:
            return error.answer()
        return json_answer(200, content, content_type=CONTENT_TYPE)

    def _create(self, parent: str, _job: str, request: Request) -> Json:
        query = parse_qs(urlsplit(request.path).query)
        job_id = query.get("pipelineJobId", [f"job-{secrets.token_hex(8)}"])[0]
        check_id(job_id)
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise ApiError(400, "Invalid JSON payload received.") from error
        job = self._jobs.create(parent, job_id, body, check_body(body, self.templates))
        # The answer shows a pending job; it runs a moment later.
        self._finish(job.name, RUNNING, "")
        parameters = {name: _text(value) for name, value in job.parameters.items()}
        self._endings.begin(Work(name=job.name, parameters=parameters, command=tuple(self.command(job))))
        return job.to_json()

    def _get(self, parent: str, job_id: str, _request: Request) -> Json:
        return self._jobs.get(parent, job_id).to_json()

    def _list(self, parent: str, _job: str, _request: Request) -> Json:
        return {"pipelineJobs": [job.to_json() for job in self._jobs.all(parent)]}

    def _cancel(self, parent: str, job_id: str, _request: Request) -> Json:
        job = self._jobs.get(parent, job_id)
        if job.state in FINAL:
            # The words for a TrainingPipeline (java-docs-samples, issue 9281).
            message = f'The PipelineJob "{job.name}" is in state {job.state} and cannot be canceled.'
            raise ApiError(400, message, "FAILED_PRECONDITION")
        if job.state != CANCELLING:
            self._finish(job.name, CANCELLING, "")
            self._endings.stop(job.name)
        return {}


def _text(value: object) -> str:
    # Every number in a Struct is a double; KFP passes whole numbers to the steps as integers.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
