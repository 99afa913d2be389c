"""Clients are made late and once, follow the standard environment, and give up in time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from functions.aws.clients import CallLimits, Clients, region_of
from shared.errors import UnavailableError
from tests.aws.adapters import ledger_on

ROOT = Path(__file__).parents[2]
ADAPTERS = "from functions.aws import bus, clients, dead_letters, errors, launcher, ledger, queue_launcher\n"


def loaded_by(code: str, environment: dict[str, str] | None = None) -> set[str]:
    """Return the top-level packages that a fresh interpreter has loaded after *code*."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in json.loads(run.stdout)}


def test_importing_the_adapters_loads_no_sdk() -> None:
    """A cold start pays for botocore only when a client is needed."""
    loaded = loaded_by(ADAPTERS)
    assert "functions" in loaded
    assert not loaded & {
        "botocore",
        "boto3",
        "s3transfer",
        "urllib3",
        "pydantic",
        "aws_xray_sdk",
        "aws_lambda_powertools",
    }


def test_a_client_loads_no_more_than_botocore() -> None:
    """Neither boto3 with its s3transfer nor a tracing or validating library comes along."""
    loaded = loaded_by(
        ADAPTERS + "made = clients.Clients(region='eu-west-3')\n"
        "for service in ('dynamodb', 'sagemaker', 'events', 'sqs'): made.factory(service)()"
    )
    assert "botocore" in loaded
    assert not loaded & {"boto3", "s3transfer", "pydantic", "aws_xray_sdk", "requests"}


@pytest.mark.usefixtures("environment")
def test_a_client_is_made_once_for_a_service_and_region() -> None:
    """Callers that need the same client share it; another region is another client."""
    made = Clients(region="eu-west-3")
    first = made.factory("dynamodb")()
    assert made.factory("dynamodb")() is first
    assert made.factory("dynamodb", "eu-west-3")() is first
    elsewhere = made.factory("dynamodb", "us-east-1")()
    assert elsewhere is not first
    assert (first.meta.region_name, elsewhere.meta.region_name) == ("eu-west-3", "us-east-1")


def test_the_standard_environment_leads_elsewhere(environment: pytest.MonkeyPatch) -> None:
    """`AWS_ENDPOINT_URL` is for every service, `AWS_ENDPOINT_URL_<SERVICE>` for one, and wins."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:2")
    made = Clients()
    assert made.factory("dynamodb")().meta.endpoint_url == "http://127.0.0.1:1"
    assert made.factory("sagemaker")().meta.endpoint_url == "http://127.0.0.1:2"


@pytest.mark.usefixtures("environment")
def test_the_limits_reach_the_client() -> None:
    """By default a silent service is given up well inside a function of 60 s, and the number of tries is fixed."""
    config = Clients().factory("dynamodb")().meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.retries["total_max_attempts"] * config.read_timeout < 60 - 20


def test_a_missing_region_is_for_the_operator(environment: pytest.MonkeyPatch) -> None:
    """Without a region the client cannot even be made, and the error is translated in the same way."""
    environment.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UnavailableError, match="NoRegionError: set AWS_DEFAULT_REGION; try again"):
        ledger_on().load("churn")


@pytest.mark.parametrize(
    ("resource", "region"),
    [
        ("arn:aws:events:eu-west-3:123456789012:event-bus/retraining", "eu-west-3"),
        ("arn:aws-cn:sagemaker:cn-north-1:123456789012:pipeline/churn", "cn-north-1"),
        ("arn:aws:iam::123456789012:role/x", None),
        ("https://sqs.eu-west-3.amazonaws.com/123456789012/train", "eu-west-3"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/train", "cn-north-1"),
        ("http://127.0.0.1:5000/123456789012/train", None),
        ("retraining", None),
        ("arn:aws:events", None),
        ("", None),
    ],
)
def test_a_resource_may_tell_its_region(resource: str, region: str | None) -> None:
    """The client of a resource in another region must be of that region; a name is in ours."""
    assert region_of(resource) == region


def test_the_limits_may_be_changed_one_by_one() -> None:
    """The other limits keep their defaults."""
    assert CallLimits(read_timeout=1) == CallLimits(connect_timeout=3, read_timeout=1, attempts=3)
