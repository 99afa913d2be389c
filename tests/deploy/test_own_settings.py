"""A user who forks the project: an own `retrain.toml` and own settings turn no check and no test red."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.template import ROOT

GIT = shutil.which("git") or "git"
pytestmark = pytest.mark.deep

CONFIGURATION = """
[models."fraud"]
cooldown = "6h"
schedule = "15 3 * * SUN"
timezone = "Europe/Rome"

[models."fraud".target.aws]
kind = "sagemaker"
pipeline = "fraud-training"
"""
# One project for both environments, and channels instead of addresses.
TFVARS = """
environment = "{name}"
project               = "one-project"
region                = "us-central1"
trainers              = ["trainer@one-project.iam.gserviceaccount.com"]
callers               = ["user:ada@one.example"]
notification_channels = ["projects/one-project/notificationChannels/1"]
"""
PEOPLE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/people"
AWS = """
region = "us-east-1"
stack = "fraud-retraining"
keep = ["EmitterExternalId"]
[parameters]
PipelineArns = ["arn:aws:sagemaker:us-east-1:123456789012:pipeline/fraud-training"]
AlarmTopicArn = "arn:aws:sns:us-east-1:123456789012:people"
"""
HOST = {
    "version": "2.0",
    "functionTimeout": "00:00:45",
    "extensions": {"http": {"routePrefix": ""}},
    "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
    "logging": {"applicationInsights": {"samplingSettings": {"isEnabled": False}}},
}
# All tests that are near settings; the others read neither these files nor what is made of them.
TESTS = (
    "tests/deploy/test_settings.py",
    "tests/deploy/test_parameters.py",
    "tests/deploy/test_terraform.py",
    "tests/deploy/test_terraform_environments.py",
    "tests/deploy/test_workflows.py",
    "tests/deploy/test_template.py",
    "tests/deploy/test_arm.py",
    "tests/cli/test_check.py",
    "tests/cli/test_deploy.py",
    "tests/cli/test_doctor_local.py",
    "tests/cli/test_init.py",
    "tests/docs",
    "tests/test_readme.py",
)


@pytest.fixture
def fork(tmp_path: Path) -> Path:
    """Return a copy of the project with settings of the user's own, and without those of `staging`."""
    listed = subprocess.run([GIT, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("the project is not a git repository here")
    for name in filter(None, listed.stdout.decode().split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in (".venv", ".tools", "dist"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    (tmp_path / "host.json").write_text(json.dumps(HOST))
    for folder in ("aws", "gcp", "azure"):
        shutil.rmtree(tmp_path / "deploy" / folder / "environments")
        (tmp_path / "deploy" / folder / "environments").mkdir()
    for name in ("dev", "prod"):
        (tmp_path / "deploy/aws/environments" / f"{name}.toml").write_text(AWS)
        (tmp_path / "deploy/gcp/environments" / f"{name}.tfvars").write_text(TFVARS.format(name=name))
        values = {"environment": {"value": name}, "alertGroup": {"value": PEOPLE}}
        parameters = {"$schema": "https://schema.example", "contentVersion": "1.0.0.0", "parameters": values}
        (tmp_path / "deploy/azure/environments" / f"{name}.parameters.json").write_text(json.dumps(parameters))
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run([GIT, *command], cwd=tmp_path, check=True)
    return tmp_path


def test_nothing_of_the_gate_depends_on_the_users_values(fork: Path) -> None:
    """The checks of the settings pass on these, and the tests that are near them pass unchanged."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RETRAIN_"))}
    for arguments in (
        ["-m", "functions.cli", "check"],
        ["deploy/check_settings.py"],
        ["-m", "pytest", "-q", "-x", "-m", "not deep and not demo", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS],
    ):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=fork, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-1000:]}"
