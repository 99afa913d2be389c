"""The request for a run, and the cloud in which it runs."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.monitor.request import RunRequest, read_event, today
from functions.monitor.wiring import cloud_of
from shared.errors import ConfigError, InvalidTriggerError
from tests.monitor.image import ROOT

TICK = {
    "version": "0",
    "id": "89d1a02d-5ec7-412e-82f5-13505f849b41",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-23T09:30:00Z",
    "region": "eu-west-3",
    "resources": ["arn:aws:events:eu-west-3:123456789012:rule/monitor"],
    "detail": {},
}


def test_a_tick_is_a_run_for_the_time_that_it_was_scheduled_for() -> None:
    """So that a tick delivered twice is the same run."""
    assert read_event(TICK) == RunRequest(at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        ({}, RunRequest()),
        ({"models": ["churn"]}, RunRequest(models=("churn",))),
        ({"at": "2026-11-16"}, RunRequest(at=datetime(2026, 11, 16, tzinfo=UTC))),
        ({"at": "2026-11-16T10:30:00+01:00"}, RunRequest(at=datetime(2026, 11, 16, 9, 30, tzinfo=UTC))),
    ],
)
def test_a_run_may_be_requested_by_hand(event: object, request_: RunRequest) -> None:
    """Models and time are optional."""
    assert read_event(event) == request_


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_a_run_without_a_time_is_for_the_day(hour: int) -> None:
    """So that a job which its platform tries again is the same run."""
    assert today(datetime(2026, 11, 23, hour, 30, 5, 17, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (None, "event: must be an object"),
        ({"model": "churn"}, "model: is not a field of a run; its fields are models, at"),
        ({"models": "churn"}, "models: must be a list of names, not 'churn'"),
        ({"models": [1]}, "models: must be a list of names"),
        ({"at": 1}, "at: must be a text, not 1"),
        ({"at": "yesterday"}, "at: must be an ISO 8601 time"),
        ({"at": "2026-11-16T10:30:00"}, "at: must be an ISO 8601 time with an offset"),
    ],
)
def test_a_wrong_field_is_named(event: object, problem: str) -> None:
    """A misspelt field is an error, and not a run of everything."""
    with pytest.raises(InvalidTriggerError, match=problem):
        read_event(event)


@pytest.mark.parametrize(
    ("variables", "cloud"),
    [
        ({}, "local"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}, "aws"),
        ({"CLOUD_RUN_JOB": "monitor"}, "gcp"),
        ({"CONTAINER_APP_JOB_NAME": "monitor"}, "azure"),
        ({"RETRAIN_CLOUD": "azure", "K_SERVICE": "monitor"}, "azure"),
    ],
)
def test_the_cloud_is_found_by_what_its_platform_sets(variables: dict[str, str], cloud: str) -> None:
    """`RETRAIN_CLOUD` wins over every sign."""
    assert cloud_of(variables) == cloud


def test_an_unknown_cloud_is_an_error() -> None:
    """And names those that there are."""
    with pytest.raises(ConfigError, match="RETRAIN_CLOUD: must be one of aws, gcp, azure, local, not 'mars'"):
        cloud_of({"RETRAIN_CLOUD": "mars"})


def test_two_addresses_of_one_site_are_reported_at_the_start(tmp_path: Path) -> None:
    """Before anything is read: the index would lead to one of them, and the messages to the other."""
    tables = [
        f'[models."{name}".target.local]\nkind = "command"\ncommand = ["true"]\n[models."{name}".drift]\n'
        f'reference = "r.csv"\ncurrent = "c.csv"\nsite = "site"\nurl = "https://{name}.example.com"\n'
        for name in ("churn", "prices")
    ]
    (tmp_path / "retrain.toml").write_text("".join(tables))
    environment = {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "functions.monitor"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'models."prices".drift.url: must be the same for all of site' in done.stderr
