"""The settings of the environments: whatever is valid passes, and what is not is named; no test reads real values."""

import json
import runpy
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.template import ROOT

GOOGLE = 'environment = "{}"\nproject = "acme"\nregion = "europe-west4"\ntrainers = []\n'
AZURE = {"environment": {"value": "prod"}, "workspaceName": {"value": ""}}
SCRIPT = ROOT / "deploy" / "check_settings.py"
TOPIC = "arn:aws:sns:eu-west-3:123456789012:on-call"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with this one's templates, a configuration, and no settings."""
    for path in (
        "template.yaml",
        "deploy/aws/monitor.yaml",
        "deploy/gcp/variables.tf",
        "deploy/azure/azuredeploy.json",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for cloud in ("aws", "gcp", "azure"):
        (tmp_path / "deploy" / cloud / "environments").mkdir()
    (tmp_path / "retrain.toml").touch()
    return tmp_path


def checked(folder: Path, path: str = "", text: str = "") -> list[str]:
    """Return what is wrong after one more file was written."""
    if path:
        (folder / "deploy" / path).write_text(text, encoding="utf-8")
    return list(script()["problems"](folder))


@cache
def script() -> dict[str, Any]:
    """Return what the script defines."""
    return runpy.run_path(str(SCRIPT))


def test_the_script_prints_each_problem_and_fails(folder: Path) -> None:
    """It is run as `make check-settings` runs it: one line a problem on standard error, and exit code 1."""

    def run() -> tuple[int, str]:
        command = [sys.executable, str(SCRIPT), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    assert run() == (0, "")
    (problem,) = checked(folder, "aws/environments/dev.toml", "colour = 'red'")
    assert run() == (1, f"{problem}\n")


def test_one_project_for_all_environments_is_right(folder: Path) -> None:
    """Names carry the environment; and channels do as well as addresses."""
    for environment in ("dev", "staging"):
        assert checked(folder, f"gcp/environments/{environment}.tfvars", GOOGLE.format(environment)) == []
    channels = 'notification_channels = ["projects/acme/notificationChannels/1"]'
    assert checked(folder, "gcp/environments/prod.tfvars", GOOGLE.format("prod") + channels) == []


def test_settings_of_clouds_that_are_not_used_may_be_absent(folder: Path) -> None:
    """Without a single file nothing is wrong."""
    assert checked(folder) == []


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("gcp/environments/dev.tfvars", 'project = "x"', "region: must be given, it has no default"),
        ("gcp/environments/dev.tfvars", f"{GOOGLE.format('dev')}colour = 1", "colour: there is no such setting"),
        ("gcp/environments/dev.tfvars", GOOGLE.format("prod"), "environment: 'prod' must be 'dev'"),
        ("gcp/environments/dev.tfvars", "project = ", "cannot be read"),
        ("gcp/environments/prod.tfvars", GOOGLE.format("prod"), "alert_emails: prod needs an address"),
        (
            "gcp/environments/dev.tfvars",
            f'{GOOGLE.format("dev")}configuration = "retrain.dev.toml"',
            "configuration: 'retrain.dev.toml' must be a file",
        ),
        ("azure/environments/prod.parameters.json", "[]", "is not a parameters file"),
        (
            "azure/environments/prod.parameters.json",
            json.dumps({"parameters": AZURE}),
            "alertGroup: prod needs an action group",
        ),
        (
            "azure/environments/dev.parameters.json",
            json.dumps({"parameters": {"environment": {"value": "dev"}, "colour": {"value": 1}}}),
            "colour: there is no such setting",
        ),
        ("aws/environments/dev.toml", "[parameters]\nPipelineArn = 'x'", "PipelineArn: the template has no such"),
        (
            "aws/environments/dev.toml",
            "[parameters]\nSchedule = 'cron(30 9 * * MON)'",
            "Schedule: 'cron(30 9 * * MON)'",
        ),
        ("aws/environments/dev.toml", "[parameters]\nEmitterExternalId = 'x'", "EmitterExternalId: is secret"),
        ("aws/environments/dev.toml", "[monitor]\nMonitorSiteBucket = 'X'", "MonitorSiteBucket: 'X' does not match"),
        ("aws/environments/dev.toml", "colour = 'red'", "colour: is not a known key"),
        ("aws/environments/prod.toml", "[parameters]\nSource = 'acme'", "AlarmTopicArn: prod needs an SNS topic"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, path: str, text: str, problem: str) -> None:
    """With the file and the setting."""
    assert [line for line in checked(folder, path, text) if line.startswith(f"deploy/{path}: {problem}")]


def test_right_settings_of_aws_pass(folder: Path) -> None:
    """Lists, schedules with spaces, the monitor's values and kept secrets."""
    text = f"""
region = "eu-west-3"
keep = ["EmitterExternalId"]
[parameters]
AlarmTopicArn = "{TOPIC}"
NoticeTopicArns = ["{TOPIC}", "{TOPIC}-2"]
Schedule = "cron(30 9 ? * MON *)"
CopyToQueue = true
[monitor]
MonitorSiteBucket = "acme-drift"
"""
    assert checked(folder, "aws/environments/prod.toml", text) == []
