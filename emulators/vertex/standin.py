"""The stand-in itself: one HTTP server for the operations on pipeline jobs."""

import json
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from emulators.faults import Faults
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.vertex.checks import check_body, check_id
from emulators.vertex.endings import Endings
from emulators.vertex.errors import ApiError, error_answer
from emulators.vertex.faults import Fault, FaultKind
from emulators.vertex.jobs import CANCELLED, FINAL, RUNNING, SUCCEEDED, Job, Jobs
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


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True, eq=False)
class VertexStandIn:
    """Vertex AI's pipeline jobs: their ids, their states and their log entries; and faults on demand.

    Attributes:
        command: returns what a job runs, parameters in `RETRAIN_PARAM_<NAME>`; an empty one: it lasts until `end`.
        on_log: called with the log entry of each change of a state, outside of any lock.
        templates: the specifications in the template registry, by address.
        token: the access token that every request must bring; empty: none is asked for.
        project_number: stands in the names of the answers, whatever the caller calls the project.
        clock: returns the time, aware.
        faults: what was ordered.

    """

    command: Callable[[Job], Sequence[str]] = lambda _job: ()
    on_log: Callable[[Json], None] | None = None
    templates: Mapping[str, Json] = field(default_factory=dict)
    token: str = ""
    project_number: str = "123456789012"
    clock: Callable[[], datetime] = _now
    faults: Faults[Fault] = field(init=False, default_factory=Faults)

    def __post_init__(self) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self._jobs = Jobs(self.project_number, self.clock)
        self._endings = Endings(self._finish)
        self._calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._server = LoopbackServer(self._respond)

    @property
    def url(self) -> str:
        """The endpoint, for `RETRAIN_VERTEX_ENDPOINT`."""
        return self._server.url

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wake what hangs, end the commands, and stop answering."""
        self._closing.set()
        self._endings.close()
        self._server.close()

    def add_fault(self, kind: FaultKind, **details: Any) -> None:
        """Order a fault: `add_fault(FaultKind.THROTTLE, operation="*", times=3)`; see `Fault`."""
        self.faults.add(Fault(kind=kind, **details))

    def jobs(self) -> list[Job]:
        """Return every job, oldest first."""
        return self._jobs.all()

    def calls(self, operation: str) -> int:
        """Return the number of requests for an operation, those that met a fault included."""
        return self._calls[operation]

    def all_calls(self) -> Mapping[str, int]:
        """Return the number of requests by operation."""
        return dict(self._calls)

    def end(self, job_id: str, state: str = SUCCEEDED, error: str = "") -> None:
        """End a job.

        Raises:
            LookupError: there is no such job, or it has ended.
            ValueError: the state is not final.

        """
        if state not in FINAL:
            raise ValueError(f"a job ends as one of {', '.join(sorted(FINAL))}, not {state!r}")
        (job,) = [job for job in self._jobs.all() if job.job_id == job_id] or [None]
        if job is None or job.state in FINAL:
            raise LookupError(f"no unfinished job {job_id!r}")
        self._finish(job.name, state, error)

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
        with self._counting:
            self._calls[operation] += 1
        fault = self.faults.take(operation)
        if fault is None:
            return self._work(operation, found, request)
        if error := fault.error():
            return error.answer()
        if fault.kind is FaultKind.LOST_ANSWER:
            self._work(operation, found, request)
        self._closing.wait(fault.seconds)
        return self._work(operation, found, request) if fault.kind is FaultKind.SLOW else None

    def _work(self, operation: str, found: Mapping[str, str], request: Request) -> Answer:
        work = getattr(self, f"_{operation.rpartition('.')[2]}")
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return error_answer(401, "Request had invalid authentication credentials.")
        try:
            content = work(found["parent"], unquote(found["job"] or ""), request)
        except ApiError as error:
            return error.answer()
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        return Answer(status=200, body=json.dumps(content).encode(), headers=headers)

    def _create(self, parent: str, _job: str, request: Request) -> Json:
        query = parse_qs(urlsplit(request.path).query)
        job_id = query.get("pipelineJobId", [f"job-{secrets.token_hex(8)}"])[0]
        check_id(job_id)
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise ApiError(400, "Invalid JSON payload received.") from error
        job = self._jobs.create(parent, job_id, body, check_body(body, self.templates))
        # The answer tells of a job that waits; it runs a moment later.
        self._finish(job.name, RUNNING, "")
        command = tuple(self.command(job))
        if command:
            self._endings.begin(job, command)
        return job.to_json()

    def _get(self, parent: str, job_id: str, _request: Request) -> Json:
        return self._jobs.get(parent, job_id).to_json()

    def _list(self, parent: str, _job: str, _request: Request) -> Json:
        return {"pipelineJobs": [job.to_json() for job in self._jobs.all(parent)]}

    def _cancel(self, parent: str, job_id: str, _request: Request) -> Json:
        job = self._jobs.get(parent, job_id)
        if not self._endings.cancel(job.name):
            self._finish(job.name, CANCELLED, "")
        return {}
