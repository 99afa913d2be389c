"""The pipeline jobs of the stand-in, and the caching options in a specification."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from emulators.vertex.errors import ApiError

Json = dict[str, Any]

PENDING: Final = "PIPELINE_STATE_PENDING"
RUNNING: Final = "PIPELINE_STATE_RUNNING"
SUCCEEDED: Final = "PIPELINE_STATE_SUCCEEDED"
FAILED: Final = "PIPELINE_STATE_FAILED"
CANCELLING: Final = "PIPELINE_STATE_CANCELLING"
CANCELLED: Final = "PIPELINE_STATE_CANCELLED"
FINAL: Final = frozenset({SUCCEEDED, FAILED, CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One pipeline job at one moment.

    Attributes:
        parent: `projects/P/locations/L` as the caller wrote it.
        name: the resource name, with the number of the project.
        job_id: the last part of the name.
        body: the job as the caller sent it.
        spec: the specification that the caller sent, or that of the template.
        state: one of the states above.
        created: when it was created.
        updated: when its state last changed.
        started: when it began to run.
        ended: when it ended.
        error: why it failed.
        create_calls: the number of requests to create this id, including those answered with ALREADY_EXISTS.

    """

    parent: str
    name: str
    job_id: str
    body: Json
    spec: Json
    created: datetime
    updated: datetime
    state: str = PENDING
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    create_calls: int = 1

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameter values that its caller set."""
        values: Mapping[str, Any] = self.body.get("runtimeConfig", {}).get("parameterValues", {})
        return values

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        labels: Mapping[str, str] = self.body.get("labels", {})
        return labels

    @property
    def display_name(self) -> str:
        """Its name for people."""
        return str(self.body.get("displayName", ""))

    @property
    def would_reuse_steps(self) -> bool:
        """Whether Vertex AI would reuse results of earlier runs instead of training: a task has caching on."""
        return any(options.get("enableCache") for options in caching_options(self.spec))

    def to_json(self) -> Json:
        """Return the job as the service shows it."""
        times = {"createTime": self.created, "updateTime": self.updated, "startTime": self.started}
        shown = {**self.body, "name": self.name, "state": self.state, "pipelineSpec": self.spec}
        shown |= {name: timestamp(moment) for name, moment in (times | {"endTime": self.ended}).items() if moment}
        return shown | ({"error": {"code": 9, "message": self.error}} if self.error else {})


class Jobs:
    """All jobs of one project. Safe to use from several threads."""

    def __init__(self, project_number: str, clock: Callable[[], datetime]) -> None:
        """Start without jobs; *project_number* is used in resource names, *clock* returns the time, aware."""
        self._number = project_number
        self._clock = clock
        self._lock = threading.Lock()
        self._by_name: dict[str, Job] = {}

    def create(self, parent: str, job_id: str, body: Json, spec: Json) -> Job:
        """Create a job.

        Raises:
            ApiError: there is a job with this id; 409.

        """
        name = self._name(parent, job_id)
        with self._lock:
            known = self._by_name.get(name)
            if known:
                self._by_name[name] = replace(known, create_calls=known.create_calls + 1)
                raise ApiError(409, "Pipeline job with the specified ID already exists.")
            now = self._clock()
            job = Job(parent=parent, name=name, job_id=job_id, body=body, spec=spec, created=now, updated=now)
            self._by_name[name] = job
            return job

    def get(self, parent: str, job_id: str) -> Job:
        """Return one job.

        Raises:
            ApiError: there is no such job; 404.

        """
        name = self._name(parent, job_id)
        with self._lock:
            if name not in self._by_name:
                raise ApiError(404, f'The PipelineJob "{name}" does not exist.')
            return self._by_name[name]

    def change(self, name: str, state: str, error: str = "") -> Job | None:
        """Set the state of a job and return the job; None if it had ended before."""
        with self._lock:
            old = self._by_name[name]
            if old.state in FINAL:
                return None
            now = self._clock()
            changed = replace(
                old,
                state=state,
                error=error,
                updated=now,
                started=old.started or (now if state == RUNNING else None),
                ended=now if state in FINAL else None,
            )
            self._by_name[name] = changed
            return changed

    def all(self, parent: str = "") -> list[Job]:
        """Return every job, oldest first; if *parent* is given, only those of that parent."""
        with self._lock:
            return [job for job in self._by_name.values() if not parent or job.name.startswith(self._name(parent, ""))]

    def _name(self, parent: str, job_id: str) -> str:
        location = parent.rpartition("/")[2]
        return f"projects/{self._number}/locations/{location}/pipelineJobs/{job_id}"


def caching_options(spec: object) -> Iterator[Mapping[str, Any]]:
    """Yield the caching options of all tasks of a specification, at any depth."""
    if isinstance(spec, dict):
        for name, value in spec.items():
            if name == "cachingOptions" and isinstance(value, dict):
                yield value
            else:
                yield from caching_options(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from caching_options(value)


def timestamp(moment: datetime) -> str:
    """Return a time as Google's services format it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
