"""Vertex AI logs the status of a pipeline job; a sink sends the log to Pub/Sub, each entry as a message."""

from collections.abc import Mapping
from typing import Final

from shared.ports import RunResult
from shared.wire.incoming import RunEnded
from shared.wire.reading import text, time

RESOURCE: Final = "aiplatform.googleapis.com/PipelineJob"
LOG: Final = "pipeline_job_events"
_STATE: Final = "PIPELINE_STATE_"
_RESULTS: Final = {
    "PIPELINE_STATE_SUCCEEDED": RunResult.SUCCEEDED,
    "PIPELINE_STATE_FAILED": RunResult.FAILED,
    "PIPELINE_STATE_CANCELLED": RunResult.STOPPED,
}


def run_result(state: str) -> RunResult:
    """Return the result for the *state* of a pipeline job; states that Google adds later count as running."""
    return _RESULTS.get(state, RunResult.RUNNING)


def job_name(project: str, location: str, job_id: str) -> str:
    """Return the full name of a pipeline job."""
    return f"projects/{project}/locations/{location}/pipelineJobs/{job_id}"


def read_run_state(entry: Mapping[str, object]) -> RunEnded | None:
    """Return the status of a pipeline job in a log entry; none if the entry has no such status."""
    resource, payload = entry.get("resource"), entry.get("jsonPayload")
    if not isinstance(resource, Mapping) or not isinstance(payload, Mapping) or resource.get("type") != RESOURCE:
        return None
    labels, state = resource.get("labels"), text(payload.get("state"))
    # The log's name is percent-encoded: projects/P/logs/aiplatform.googleapis.com%2Fpipeline_job_events.
    if not isinstance(labels, Mapping) or not state.startswith(_STATE) or not _log_of(entry).endswith(LOG):
        return None
    job_id, location = text(labels.get("pipeline_job_id")), text(labels.get("location"))
    project = _project(entry, labels)
    if not (job_id and location and project):
        return None
    result = run_result(state)
    ended_at = time(payload.get("endTime")) or time(entry.get("timestamp"))
    return RunEnded(
        run_id=job_name(project, location, job_id),
        name=job_id,
        result=result,
        ended_at=None if result is RunResult.RUNNING else ended_at,
        error="" if result is RunResult.RUNNING else error_message(payload),
    )


def error_message(job: Mapping[str, object]) -> str:
    """Return the message in the `error` (a `google.rpc.Status`) of a pipeline job, or of its log entry."""
    error = job.get("error")
    return text(error.get("message")) if isinstance(error, Mapping) else ""


def _log_of(entry: Mapping[str, object]) -> str:
    return text(entry.get("logName"))


def _project(entry: Mapping[str, object], labels: Mapping[str, object]) -> str:
    """Return the id or number of the project: that of the resource if present, else that of the log."""
    named = text(labels.get("resource_container")) or text(labels.get("project_id")) or _log_of(entry)
    return named.removeprefix("projects/").partition("/")[0]
