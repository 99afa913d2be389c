"""Calls to the stand-ins by real boto3 clients, whose own retries are off so that each call is one request."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulators.sagemaker import Pipeline

TOKEN = "0123456789abcdef" * 4
PIPELINES = {"churn-training": Pipeline(parameters=("epochs", "model_id")), "other": Pipeline()}


def start(boto: Any, token: str = TOKEN, **more: Any) -> str:
    """Start the pipeline and return the execution's ARN."""
    arguments = {"PipelineName": "churn-training", "ClientRequestToken": token, **more}
    return str(boto.start_pipeline_execution(**arguments)["PipelineExecutionArn"])


def code(call: Callable[[], object]) -> tuple[str, int]:
    """Return the error code and the HTTP status that a call fails with."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
