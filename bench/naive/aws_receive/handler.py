"""The usual function between EventBridge and SageMaker: its client is made at import, as AWS recommends."""

import hashlib
import os
from typing import Any

import boto3

sagemaker = boto3.client("sagemaker")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Start the pipeline for a trigger, with a token that makes retries of the same trigger harmless."""
    trigger = event["detail"]
    token = hashlib.sha256(f"{trigger['model_id']}/{trigger['trigger_id']}".encode()).hexdigest()
    answer = sagemaker.start_pipeline_execution(PipelineName=os.environ["PIPELINE"], ClientRequestToken=token)
    return {"execution": answer["PipelineExecutionArn"]}
