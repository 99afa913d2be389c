"""The function between EventBridge and SageMaker as it is usually written: a client made at import, and one call."""

import os
from typing import Any

import boto3

sagemaker = boto3.client("sagemaker")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start the pipeline for a trigger."""
    trigger = event["detail"]
    answer = sagemaker.start_pipeline_execution(
        PipelineName=os.environ["PIPELINE"],
        PipelineExecutionDescription=f"{trigger['model_id']}: {trigger['trigger_id']}",
    )
    return {"execution": answer["PipelineExecutionArn"]}
