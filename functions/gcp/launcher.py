"""Vertex AI as training service: one pipeline job for each idempotency token, which is in its id."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from functions.gcp.errors import RefusalError, translated
from functions.gcp.sessions import Session
from functions.gcp.specification import (
    Specification,
    SpecificationError,
    checked_parameters,
    is_template,
    read_specification,
)
from shared.config.targets import VertexTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import RetrainTrigger, run_name
from shared.wire.pubsub_runs import error_message, job_name, run_result
from shared.wire.reading import time

EXISTS: Final = frozenset({"ALREADY_EXISTS"})
MISSING: Final = frozenset({"NOT_FOUND"})
# Without FAILED_PRECONDITION: that is a service agent which is not set up yet.
REFUSED: Final = EXISTS | MISSING | {"INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED"}
NOT_CANCELLED: Final = MISSING | {"FAILED_PRECONDITION", "INVALID_ARGUMENT"}
CANCELLING: Final = "PIPELINE_STATE_CANCELLING"
# The message of Vertex AI's INVALID_ARGUMENT for a caller without `iam.serviceAccounts.actAs` on the job's account: a
# right that has not been granted yet, or is not effective yet.
MAY_NOT_ACT: Final = "You do not have permission to act as service_account"
LONGEST_LABEL: Final = 63
LONGEST_NAME: Final = 128
# The label that distinguishes our jobs from others.
TOKEN_LABEL: Final = "retrain-token"  # noqa: S105 - the name of a label

_RUN: Final = re.compile(r"projects/([^/]+)/locations/([a-z0-9-]+)/pipelineJobs/([a-z][a-z0-9-]{0,127})")


class VertexLauncher:
    """A `shared.ports.Launcher`.

    Args:
        session: calls Vertex AI.
        target: the pipeline.
        folder: the folder to which the paths of the configuration are relative.
        endpoint: base URL of Vertex AI, if it is not the public one of the target's location.

    """

    def __init__(self, session: Session, target: VertexTarget, folder: Path, endpoint: str = "") -> None:
        self._session = session
        self._target = target
        self._folder = folder
        self._endpoint = endpoint.rstrip("/")

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Create the job; see the port. An existing job with the id is the same training, whatever its state."""
        job_id = run_name(request.token)
        found = self._find(job_id, request.token) if again else None
        return self._run(found if found is not None else self._create(job_id, request), job_id)

    def status(self, run_id: str) -> RunStatus:
        """Return the status of a job; see the port."""
        job = self._job(run_id)
        if job is None:
            return RunStatus(result=RunResult.STOPPED)
        result = run_result(str(job.get("state", "")))
        if result is RunResult.RUNNING:
            return RunStatus(result=result)
        return RunStatus(result=result, ended_at=_ended_at(job), error=error_message(job))

    def cancel(self, run_id: str) -> None:
        """Cancel a job; see the port."""
        url, action = self._url(run_id), f"cancel the run {run_id}"
        if url is None:
            return
        try:
            with translated("Vertex AI", action, NOT_CANCELLED):
                self._session.post(f"{url}:cancel", {})
        except RefusalError as refusal:
            # A job that is over, or is being cancelled, fails the precondition.
            job = self._job(run_id)
            state = "" if job is None else str(job.get("state", ""))
            if job is not None and state != CANCELLING and run_result(state) is RunResult.RUNNING:
                raise UnavailableError("Vertex AI", action, str(refusal)) from refusal

    def _job(self, run_id: str) -> Mapping[str, Any] | None:
        """Return a job by its full name; None if Vertex AI has none of that name."""
        url = self._url(run_id)
        if url is None:
            return None
        try:
            with translated("Vertex AI", f"look up the run {run_id}", MISSING):
                job: Mapping[str, Any] = self._session.get(url)
        except RefusalError:
            return None
        return job

    def _url(self, run_id: str) -> str | None:
        named = _RUN.fullmatch(run_id)
        return None if named is None else f"{self._base(named[2])}/v1/{quote(run_id)}"

    @cached_property
    def _specification(self) -> Specification:
        return read_specification(self._folder, self._target.pipeline)

    @property
    def _jobs(self) -> str:
        target = self._target
        parent = quote(f"projects/{target.project}/locations/{target.location}", safe="/:")
        return f"{self._base(target.location)}/v1/{parent}/pipelineJobs"

    def _base(self, location: str) -> str:
        return self._endpoint or f"https://{location}-aiplatform.googleapis.com"

    def _content(self, request: LaunchRequest) -> dict[str, object]:
        """Return the job to create.

        Raises:
            TargetRefusedError: the bundle's specification cannot be launched, or not with these parameters.

        """
        target = self._target
        content: dict[str, object] = {
            # The longest id of a trigger is as long.
            "displayName": request.trigger.trigger_id[:LONGEST_NAME],
            "labels": labels(request.trigger, request.token),
        }
        if is_template(target.pipeline):
            content["templateUri"] = target.pipeline
            # Whether the pipeline has a default for an empty one is not known here.
            parameters: Mapping[str, object] = {name: each for name, each in request.parameters.items() if each != ""}
        else:
            try:
                content["pipelineSpec"] = self._specification.content
                parameters = checked_parameters(self._specification, request.parameters)
            except SpecificationError as error:
                raise TargetRefusedError(str(error)) from error
        content["runtimeConfig"] = {"gcsOutputDirectory": target.root, "parameterValues": dict(parameters)}
        return content | ({"serviceAccount": target.service_account} if target.service_account else {})

    def _create(self, job_id: str, request: LaunchRequest) -> Mapping[str, Any]:
        """Create the job, or return the one that exists."""
        content, action = self._content(request), f"start the pipeline {self._target.pipeline}"
        try:
            with translated("Vertex AI", action, REFUSED):
                created: Mapping[str, Any] = self._session.post(self._jobs, content, {"pipelineJobId": job_id})
        except RefusalError as refusal:
            if refusal.message.startswith(MAY_NOT_ACT):
                raise UnavailableError("Vertex AI", action, str(refusal)) from refusal
            if refusal.code not in EXISTS:
                raise TargetRefusedError(f"Vertex AI refuses to {action}: {refusal}") from refusal
            found = self._find(job_id, request.token)
            if found is None:
                raise UnavailableError("Vertex AI", f"find the job {job_id}, which exists", str(refusal)) from refusal
            return found
        return created

    def _find(self, job_id: str, token: str) -> Mapping[str, Any] | None:
        """Return the job that has our id; none if Vertex AI reports that there is none.

        Raises:
            TargetRefusedError: it was not started by this trigger, so that ours can never start.
            UnavailableError: it cannot be read now.

        """
        try:
            with translated("Vertex AI", f"look up the job {job_id}", MISSING):
                job: Mapping[str, Any] = self._session.get(f"{self._jobs}/{job_id}")
        except RefusalError:
            return None
        if job.get("labels", {}).get(TOKEN_LABEL) != token[:LONGEST_LABEL]:
            raise TargetRefusedError(f"Vertex AI already has a job {job_id}, which was not started by this trigger")
        return job

    def _run(self, job: Mapping[str, Any], job_id: str) -> Run:
        target = self._target
        # Vertex AI and the log entry about the end name the project by its number.
        name = str(job.get("name", ""))
        run_id = name if _RUN.fullmatch(name) else job_name(target.project, target.location, job_id)
        console = "https://console.cloud.google.com/vertex-ai/locations"
        return Run(run_id=run_id, url=f"{console}/{target.location}/pipelines/runs/{job_id}?project={target.project}")


def labels(trigger: RetrainTrigger, token: str) -> dict[str, str]:
    """Return the reason for a job as labels, whose values are up to 63 lower-case letters, digits, `-` and `_`."""
    fields = {
        "retrain-model": trigger.model_id,
        "retrain-trigger": trigger.trigger_id,
        "retrain-origin": trigger.origin,
        "retrain-severity": trigger.severity or "",
        "retrain-trace-id": trigger.trace_id,
        TOKEN_LABEL: token[:LONGEST_LABEL],
    }
    return {name: label(text) for name, text in fields.items() if text}


def label(text: str) -> str:
    """Return *text* as the value of a label; a changed text gets a hash, so that two texts never share a value."""
    if re.fullmatch(f"[a-z0-9_-]{{1,{LONGEST_LABEL}}}", text):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    clean = re.sub("[^a-z0-9_-]+", "-", text.lower())[: LONGEST_LABEL - len(digest) - 1].strip("-")
    return f"{clean}-{digest}" if clean else digest


def _ended_at(job: Mapping[str, Any]) -> datetime | None:
    return time(job.get("endTime")) or time(job.get("updateTime"))
