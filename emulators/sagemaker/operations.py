"""The operations of the SageMaker API that the stand-in supports: JSON request in, JSON answer out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulators.sagemaker.executions import UNFINISHED, Execution, Executions
from emulators.sagemaker.model import ApiError, check

# The API documents a maximum of 100 but no default. A small default exposes callers that read only one page.
DEFAULT_PAGE = 10

Json = dict[str, Any]


class Operations:
    """The operations by name.

    Args:
        executions: the pipelines and executions.
        started: called once for each new execution.
        stopping: called with the ARN of each execution that is to stop.
    """

    def __init__(
        self, executions: Executions, started: Callable[[Execution], None], stopping: Callable[[str], None]
    ) -> None:
        self._executions = executions
        self._started = started
        self._stopping = stopping
        self._by_name: Mapping[str, Callable[[Json], Json]] = {
            "StartPipelineExecution": self._start,
            "StopPipelineExecution": self._stop,
            "DescribePipelineExecution": self._describe,
            "ListPipelineExecutions": self._list,
            "ListPipelineParametersForExecution": self._list_parameters,
            "DescribePipeline": self._describe_pipeline,
            "ListPipelines": self._list_pipelines,
        }

    def call(self, operation: str, request: Json) -> Json:
        """Carry out an operation.

        Raises:
            ApiError: the service's error answer.
        """
        if operation not in self._by_name:
            raise ApiError("UnknownOperationException", f"The operation {operation} is not served here.")
        check(operation, request)
        return self._by_name[operation](request)

    def _start(self, request: Json) -> Json:
        pipeline = self._executions.pipeline_name(request["PipelineName"])
        parameters = {entry["Name"]: entry["Value"] for entry in request.get("PipelineParameters") or ()}
        self._check_parameters(pipeline, parameters)
        labels = request.get("PipelineExecutionDisplayName"), request.get("PipelineExecutionDescription")
        execution, new = self._executions.start(pipeline, request["ClientRequestToken"], parameters, labels)
        if new:
            self._started(execution)
        return {"PipelineExecutionArn": execution.arn}

    def _check_parameters(self, pipeline: str, parameters: Mapping[str, str]) -> None:
        declared = self._executions.pipelines[pipeline]
        unknown = [name for name in parameters if name not in declared.parameters]
        if unknown:
            raise ApiError("ValidationException", f"Unknown parameters: [{', '.join(unknown)}]")
        missing = [name for name in declared.required if name not in parameters]
        if missing:
            raise ApiError("ValidationException", f"Parameters without a value: [{', '.join(missing)}]")
        if "" in parameters.values():
            # The service model allows it; the service refuses it in these words (sagemaker-python-sdk, issue 4016).
            raise ApiError("ValidationException", '[string "" is too short (length: 0, required minimum: 1)]')

    def _stop(self, request: Json) -> Json:
        execution = self._executions.get(request["PipelineExecutionArn"])
        if execution.status not in UNFINISHED:
            raise ApiError("ConflictException", f"Pipeline execution is in status {execution.status}.")
        if execution.status == "Executing" and self._executions.change(execution.arn, "Stopping"):
            self._stopping(execution.arn)
        return {"PipelineExecutionArn": execution.arn}

    def _describe(self, request: Json) -> Json:
        execution = self._executions.get(request["PipelineExecutionArn"])
        return _present(
            PipelineArn=execution.pipeline_arn,
            PipelineExecutionArn=execution.arn,
            PipelineExecutionDisplayName=execution.display_name,
            PipelineExecutionStatus=execution.status,
            PipelineExecutionDescription=execution.description,
            FailureReason=execution.failure_reason,
            CreationTime=_timestamp(execution.started.timestamp()),
            LastModifiedTime=_timestamp(execution.modified.timestamp()),
        )

    def _list(self, request: Json) -> Json:
        pipeline = self._executions.pipeline_name(request["PipelineName"])
        after, before = request.get("CreatedAfter", 0), request.get("CreatedBefore", float("inf"))
        found = [
            execution
            for execution in self._executions.all()
            if execution.pipeline == pipeline and after < execution.started.timestamp() < before
        ]
        if request.get("SortBy") == "PipelineExecutionArn":
            found.sort(key=lambda execution: execution.arn)
        if request.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        return _page("PipelineExecutionSummaries", [_summary(execution) for execution in found], request)

    def _list_parameters(self, request: Json) -> Json:
        parameters = self._executions.get(request["PipelineExecutionArn"]).parameters
        return _page("PipelineParameters", [{"Name": name, "Value": parameters[name]} for name in parameters], request)

    def _describe_pipeline(self, request: Json) -> Json:
        return self._pipeline(self._executions.pipeline_name(request["PipelineName"])) | {"PipelineStatus": "Active"}

    def _list_pipelines(self, request: Json) -> Json:
        names = sorted(
            name for name in self._executions.pipelines if name.startswith(request.get("PipelineNamePrefix", ""))
        )
        return _page("PipelineSummaries", [self._pipeline(name) for name in names], request)

    def _pipeline(self, name: str) -> Json:
        created = _timestamp(self._executions.created.timestamp())
        return {
            "PipelineArn": self._executions.pipeline_arn(name),
            "PipelineName": name,
            "PipelineDisplayName": name,
            "CreationTime": created,
            "LastModifiedTime": created,
        }


def _summary(execution: Execution) -> Json:
    return _present(
        PipelineExecutionArn=execution.arn,
        StartTime=_timestamp(execution.started.timestamp()),
        PipelineExecutionStatus=execution.status,
        PipelineExecutionDescription=execution.description,
        PipelineExecutionDisplayName=execution.display_name,
        PipelineExecutionFailureReason=execution.failure_reason,
    )


def _page(name: str, entries: Sequence[Json], request: Json) -> Json:
    """Return one page; the token names its last entry, so that new entries at the front shift nothing."""
    keys = [next(iter(entry.values())) for entry in entries]
    last = request.get("NextToken")
    if last and last not in keys:
        raise ApiError("ValidationException", "The pagination token is invalid.")
    first = keys.index(last) + 1 if last else 0
    end = first + (request.get("MaxResults") or DEFAULT_PAGE)
    return _present(**{name: list(entries[first:end]), "NextToken": keys[end - 1] if end < len(entries) else None})


def _present(**members: object) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def _timestamp(seconds: float) -> float:
    return round(seconds, 3)
