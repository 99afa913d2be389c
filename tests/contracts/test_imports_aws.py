"""Imports decide the cold start: each function loads what its path needs, and nothing that lies around it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.aws_requests import function_url_event
from tests.contracts.messages import HttpRequest
from tests.contracts.on_aws import Amazon, sqs_batch

pytestmark = pytest.mark.xdist_group("contracts-aws")

PROBE = Path(__file__).with_name("bundle_probe.py")
# X-Ray and pydantic are not needed, boto3 and s3transfer are not used: botocore is.
FORBIDDEN = frozenset({"pydantic", "aws_xray_sdk", "s3transfer", "boto3"})
# A launch imports 440 with Python 3.11, and other versions a few more or less; each costs a cold start 0.3 ms or more.
MOST_MODULES = 470


def probed(aws: Amazon, handler: str, *events: object) -> dict[str, Any]:
    """Invoke a handler in a fresh interpreter that can import the bundle and the standard library only."""
    done = subprocess.run(
        [sys.executable, "-S", "-B", str(PROBE), handler, *map(json.dumps, events)],
        cwd=aws.account.emit.bundle,
        env=dict(aws.account.variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    probe: dict[str, Any] = json.loads(done.stderr)
    return probe


def packages(modules: list[str]) -> set[str]:
    """Return the top-level packages of modules."""
    return {module.partition(".")[0] for module in modules}


def models(probe: dict[str, Any]) -> set[str]:
    """Return the services whose models botocore has read."""
    read = [path for path in probe["opened"] if "/botocore/data/" in path and "service-2" in path]
    return {path.partition("/botocore/data/")[2].partition("/")[0] for path in read}


def test_receive_loads_what_it_needs(aws: Amazon) -> None:
    """A launch, a batch with a bad message and a sweep load no boto3, s3transfer, pydantic, X-Ray or EventBridge."""
    launch = aws.event({"model_id": "churn", "trigger_id": "t-1"})
    probe = probed(aws, "receive", launch, sqs_batch(["no JSON"]), {"sweep": True})
    assert probe["answers"][0]["decision"] == "launch"
    assert probe["answers"][1:] == [{"batchItemFailures": []}, {"swept": ["churn"]}]
    assert (aws.trainings(), len(aws.letters())) == (["t-1"], 1)
    assert packages(probe["modules"]) & FORBIDDEN == set()
    assert models(probe) == {"dynamodb", "sagemaker", "sqs"}


def test_a_launch_imports_few_modules(aws: Amazon) -> None:
    """A process whose first event starts a training has the modules of botocore and Powertools, and few others."""
    probe = probed(aws, "receive", aws.event({"model_id": "churn", "trigger_id": "t-1"}))
    assert probe["answers"][0]["decision"] == "launch"
    assert len(probe["modules"]) <= MOST_MODULES
    assert not [name for name in probe["modules"] if name.startswith("botocore.docs.bcdoc")]


def test_a_duplicate_loads_the_ledger_only(aws: Amazon) -> None:
    """A process whose first event is a repeat reads the model of one service, and loads no batch processor."""
    event = aws.event({"model_id": "churn", "trigger_id": "t-1"})
    aws.deliver(event)
    probe = probed(aws, "receive", event)
    assert probe["answers"][0]["reason"] == "duplicate"
    assert models(probe) == {"dynamodb"}
    assert not [name for name in probe["modules"] if name.startswith("aws_lambda_powertools.utilities.batch")]


def test_emit_never_loads_the_training_service(aws: Amazon) -> None:
    """Requesting a training and reading a model load the models of EventBridge and DynamoDB, not SageMaker's."""
    requests = [
        HttpRequest(method="POST", path="/retrain", content={}),
        HttpRequest(method="GET", path="/models/churn"),
    ]
    probe = probed(aws, "emit", *map(function_url_event, requests))
    assert [answer["statusCode"] for answer in probe["answers"]] == [202, 200]
    assert packages(probe["modules"]) & FORBIDDEN == set()
    assert models(probe) == {"events", "dynamodb"}


def test_a_tick_loads_the_bus_only(aws: Amazon) -> None:
    """A scheduled start reads the model of EventBridge alone."""
    probe = probed(
        aws, "emit", {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z"}
    )
    assert models(probe) == {"events"}


def test_importing_a_handler_makes_no_client(aws: Amazon) -> None:
    """Before the first event neither botocore nor Powertools is imported, and no credentials are looked for."""
    probe = probed(aws, "receive")
    assert packages(probe["at start"]) & {"botocore", "aws_lambda_powertools", "urllib3"} == set()
    assert {name for name in probe["at start"] if name.startswith("functions.local")} == set()
