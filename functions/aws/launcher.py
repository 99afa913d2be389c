"""SageMaker as training service: one pipeline execution for each token."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, timedelta
from typing import Any, Final, Protocol

from functions.aws.errors import INVALID_REQUEST, RefusalError, translated
from shared.config.parameters import spelled
from shared.config.targets import SageMakerTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.fields import Parameter
from shared.json_text import compact, cut
from shared.ports import LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import RetrainTrigger, run_name
from shared.wire.eventbridge import run_result

# Service model of sagemaker: ParameterList, PipelineParameterName, String1024, PipelineExecutionDescription.
MOST_PARAMETERS: Final = 200
PARAMETER_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,256}")
LONGEST_VALUE: Final = 1024
LONGEST_DESCRIPTION: Final = 3072
MISSING: Final = frozenset({"ResourceNotFound"})
# The service model names ResourceNotFound only; a malformed id or a wrong parameter is a ValidationException.
UNKNOWN: Final = MISSING | {"ValidationException"}
REFUSED: Final = UNKNOWN | {INVALID_REQUEST}
NOT_STOPPED: Final = REFUSED | {"ConflictException"}
EXECUTING: Final = "Executing"
# The claim's time is by our clock, which may be ahead of SageMaker's.
CLOCK_SKEW: Final = timedelta(minutes=15)
PAGE_SIZE: Final = 100


class SageMakerClient(Protocol):
    """The operations of botocore's `sagemaker` client that are used."""

    def start_pipeline_execution(self, **arguments: object) -> Mapping[str, Any]:
        """Start an execution."""

    def list_pipeline_executions(self, **arguments: object) -> Mapping[str, Any]:
        """Read a page of executions."""

    def describe_pipeline_execution(self, **arguments: object) -> Mapping[str, Any]:
        """Describe an execution."""

    def stop_pipeline_execution(self, **arguments: object) -> Mapping[str, Any]:
        """Stop an execution."""


class SageMakerLauncher:
    """A `shared.ports.Launcher`.

    Args:
        client: returns the `sagemaker` client of the pipeline's region.
        target: the pipeline.

    """

    def __init__(self, client: Callable[[], SageMakerClient], target: SageMakerTarget) -> None:
        """Keep the arguments."""
        self._client = client
        self._pipeline = target.pipeline

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start an execution; see the port. How long SageMaker keeps a token is undocumented: a repeat looks first."""
        try:
            run_id = self._find(request) if again else None
            return Run(run_id=run_id or self._start(request))
        except RefusalError as refusal:
            raise TargetRefusedError(
                f"SageMaker refuses to start the pipeline {self._pipeline}: {refusal}"
            ) from refusal

    def status(self, run_id: str) -> RunStatus:
        """Return the status of an execution; see the port."""
        execution = self._describe(run_id)
        if execution is None:
            return RunStatus(result=RunResult.STOPPED)
        result = run_result(execution["PipelineExecutionStatus"])
        if result is RunResult.RUNNING:
            return RunStatus(result=result)
        # There is no field for the end; nothing modifies an execution after it.
        ended_at = execution["LastModifiedTime"].astimezone(UTC)
        return RunStatus(result=result, ended_at=ended_at, error=execution.get("FailureReason", ""))

    def cancel(self, run_id: str) -> None:
        """Stop an execution; see the port. A step that is a callback keeps it in the status Stopping."""
        action, token = f"stop the execution {run_id}", hashlib.sha256(f"stop:{run_id}".encode()).hexdigest()
        try:
            with translated("SageMaker", action, NOT_STOPPED):
                self._client().stop_pipeline_execution(PipelineExecutionArn=run_id, ClientRequestToken=token)
        except RefusalError as refusal:
            # The service does not document how it answers for an execution that is over, or is being stopped.
            execution = self._describe(run_id)
            if execution is not None and execution["PipelineExecutionStatus"] == EXECUTING:
                raise UnavailableError("SageMaker", action, str(refusal)) from refusal

    def _describe(self, run_id: str) -> Mapping[str, Any] | None:
        try:
            with translated("SageMaker", f"describe the execution {run_id}", UNKNOWN):
                return self._client().describe_pipeline_execution(PipelineExecutionArn=run_id)
        except RefusalError:
            return None

    def _start(self, request: LaunchRequest) -> str:
        parameters = pipeline_parameters(request.parameters)
        with translated("SageMaker", f"start the pipeline {self._pipeline}", REFUSED):
            answer = self._client().start_pipeline_execution(
                PipelineName=self._pipeline,
                ClientRequestToken=request.token,
                PipelineExecutionDisplayName=run_name(request.token),
                PipelineExecutionDescription=provenance(request.trigger),
                PipelineParameters=parameters,
            )
        return str(answer["PipelineExecutionArn"])

    def _find(self, request: LaunchRequest) -> str | None:
        """Return the newest execution of the request's token; none if there is none."""
        name = run_name(request.token)
        return next(
            (
                str(execution["PipelineExecutionArn"])
                for page in self._pages(request)
                for execution in page["PipelineExecutionSummaries"]
                if execution.get("PipelineExecutionDisplayName") == name
            ),
            None,
        )

    def _pages(self, request: LaunchRequest) -> Iterator[Mapping[str, Any]]:
        query: dict[str, object] = {
            "PipelineName": self._pipeline,
            "CreatedAfter": request.claimed_at - CLOCK_SKEW,
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": PAGE_SIZE,
        }
        while True:
            with translated("SageMaker", f"list the executions of the pipeline {self._pipeline}", MISSING):
                page = self._client().list_pipeline_executions(**query)
            yield page
            if not page.get("NextToken"):
                return
            query["NextToken"] = page["NextToken"]


def pipeline_parameters(parameters: Mapping[str, Parameter]) -> list[dict[str, str]]:
    """Return *parameters* in SageMaker's format: every value a string, `true` and `false` as in JSON.

    An empty value is left out, so the pipeline's default applies: the service model allows it, the service does not
    (sagemaker-python-sdk, issue 4016).

    Raises:
        TargetRefusedError: a name or a value is not accepted by the service; the parameter is named.

    """
    if len(parameters) > MOST_PARAMETERS:
        raise TargetRefusedError(f"parameters: SageMaker takes at most {MOST_PARAMETERS}, not {len(parameters)}")
    return [
        {"Name": _checked_name(name), "Value": _text(name, value)} for name, value in parameters.items() if value != ""
    ]


def provenance(trigger: RetrainTrigger) -> str:
    """Return why an execution runs, as JSON that fits its description; long texts are cut, the reason first."""
    fields = trigger.provenance
    for name in ("reason", "requested_by", "model_id", "trigger_id"):
        over = len(compact(fields)) - LONGEST_DESCRIPTION
        if over > 0:
            fields[name] = cut(fields[name], len(compact(fields[name])) - over)
    return compact({name: text for name, text in fields.items() if text})


def _checked_name(name: str) -> str:
    if not PARAMETER_NAME.fullmatch(name):
        raise TargetRefusedError(f"parameters.{name[:60]}: SageMaker takes names of 1 to 256 letters, digits, - and _")
    return name


def _text(name: str, value: Parameter) -> str:
    text = spelled(value)
    if len(text) > LONGEST_VALUE:
        raise TargetRefusedError(
            f"parameters.{name}: SageMaker takes values of at most {LONGEST_VALUE} characters, not {len(text)}"
        )
    return text
