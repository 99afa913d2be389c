"""Calls to the stand-ins by real boto3 clients, whose own retries are off so that each call is one request."""

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulators.sagemaker import Pipeline

TOKEN = "0123456789abcdef" * 4
PIPELINES = {"churn-training": Pipeline(parameters=("epochs", "model_id")), "other": Pipeline()}


@cache
def _session() -> Any:
    return boto3.session.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-west-3")


def client(service: str, url: str, **options: Any) -> Any:
    """Return a client of a service at *url*; *options* are botocore's `Config` options."""
    settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "max_pool_connections": 32, **options}
    return _session().client(service, endpoint_url=url, config=Config(**settings))


def start(boto: Any, token: str = TOKEN, **more: Any) -> str:
    """Start the pipeline and return the execution's ARN."""
    arguments = {"PipelineName": "churn-training", "ClientRequestToken": token, **more}
    return str(boto.start_pipeline_execution(**arguments)["PipelineExecutionArn"])


def code(call: Callable[[], object]) -> tuple[str, int]:
    """Return the error code and the HTTP status that a call fails with."""
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]
