"""The event by which SageMaker reports that an execution has changed its status."""

from datetime import UTC, datetime
from uuid import uuid4

from emulators.sagemaker.executions import Execution


def status_event(execution: Execution) -> dict[str, object]:
    """Return the EventBridge event of an execution's last change, with an id of its own.

    It has the form of "SageMaker Model Building Pipeline Execution Status Change" in the SageMaker developer guide.
    """
    region, account = execution.arn.split(":")[3:5]
    detail = {
        "pipelineExecutionDisplayName": execution.display_name,
        "currentPipelineExecutionStatus": execution.status,
        "previousPipelineExecutionStatus": execution.previous_status,
        "executionStartTime": _second(execution.started),
        "executionEndTime": _second(execution.modified),
        "pipelineExecutionDescription": execution.description,
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    }
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "source": "aws.sagemaker",
        "account": account,
        "time": _second(execution.modified),
        "region": region,
        "resources": [execution.pipeline_arn, execution.arn],
        "detail": {name: value for name, value in detail.items() if value is not None},
    }


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
