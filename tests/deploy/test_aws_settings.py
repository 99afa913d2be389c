"""The settings of an environment on AWS: every problem is found, with its place."""

from pathlib import Path

import pytest

from functions.cli.deployment.aws.parameters import Given, all_parameters
from functions.cli.deployment.aws.settings import read_settings
from functions.cli.deployment.errors import SettingsError
from tests.deploy.stacks import FUNCTIONS

EVERYTHING = """
region = "eu-west-3"
stack = "acme-retraining"
bucket = "acme-bundles"
role = "arn:aws:iam::123456789012:role/deployer"
keep = ["EmitterExternalId", "ForeignBusExternalId"]
[parameters]
PipelineArns = ["arn:a", "arn:b"]
CopyToQueue = true
CopyToLogGroup = false
LogRetentionDays = 30
Source = "acme"
[monitor]
MonitorSiteBucket = "drift"
[tags]
team = "ml"
"""


def written(folder: Path, text: str) -> Path:
    """Write the settings of dev."""
    (folder / "dev.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_setting(tmp_path: Path) -> None:
    """Lists become what CloudFormation takes, booleans yes and no; variables win over the file."""
    variables = {
        "PARAMETERS": 'Source=other Schedule="cron(30 9 ? * MON *)"',
        "PARAMETER_EmitterExternalId": "s3cret",
        "PARAMETER_LogRetentionDays": "",
        "MONITOR_PARAMETER_MonitorImageUri": "image",
    }
    found = read_settings("dev", written(tmp_path, EVERYTHING), variables)
    assert found.parameters == {
        "PipelineArns": "arn:a,arn:b",
        "CopyToQueue": "yes",
        "CopyToLogGroup": "no",
        "LogRetentionDays": "30",
        "Source": "other",
        "Schedule": "cron(30 9 ? * MON *)",
        "EmitterExternalId": "s3cret",
    }
    assert found.monitor == {"MonitorSiteBucket": "drift", "MonitorImageUri": "image"}
    assert (found.region, found.stack, found.bucket) == ("eu-west-3", "acme-retraining", "acme-bundles")
    assert (found.role, found.tags) == ("arn:aws:iam::123456789012:role/deployer", {"team": "ml"})
    # One that is given need not be kept.
    assert found.keep == {"ForeignBusExternalId"}
    assert "EmitterExternalId" not in found.in_file


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    """Everything has a default."""
    found = read_settings("prod", tmp_path, {})
    assert (found.stack, found.parameters, found.keep) == ("retrain-prod", {}, frozenset())


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Each has its place, in the file or in a variable."""
    text = (
        'colour = "red"\nregion = 1\nstack = "1st"\nkeep = "x"\nmonitor = []\n'
        '[parameters]\nSource = 1.5\nPipelineArns = ["a,b"]'
    )
    with pytest.raises(SettingsError) as raised:
        read_settings("dev", written(tmp_path, text), {"PARAMETERS": "Schedule=cron(30 9"})
    kinds = "must be a string, a whole number, a boolean or a list of strings"
    assert raised.value.problems == (
        "colour: is not a known key",
        "region: must be a string, not 1",
        f"parameters.Source: {kinds}, not 1.5",
        f"parameters.PipelineArns: {kinds}, not ['a,b']",
        "monitor: must be a table",
        "keep: must be a list of names of parameters",
        "stack: '1st' is not a valid name: letters, digits and hyphens, 100 at most",
        "PARAMETERS: '9' is not of the form NAME=value; quote values with spaces",
    )
    assert str(raised.value).startswith(f"{tmp_path / 'dev.toml'}: colour: is not a known key\n")


@pytest.mark.parametrize(
    ("environment", "text", "parameters", "problem"),
    [
        ("test", "", "", "is not a valid environment: dev, staging, prod"),
        ("dev", "[parameters", "", "is not valid TOML"),
        ("dev", "region = eu-west-3", "", "is not valid TOML: Invalid value; a string or a duration needs quotes"),
        ("dev", 'regon = "eu-west-3"', "", "regon: is not a known key .did you mean region"),
        ("dev", "", 'Schedule="cron(30', "PARAMETERS: No closing quotation"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, environment: str, text: str, parameters: str, problem: str) -> None:
    """An environment, a file and a variable that cannot be read are named."""
    with pytest.raises(SettingsError, match=problem):
        read_settings(environment, written(tmp_path, text), {"PARAMETERS": parameters})


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """A folder of that name is not taken for a missing file."""
    (tmp_path / "dev.toml").mkdir()
    with pytest.raises(SettingsError, match=r"dev.toml: cannot be read \(Is a directory\)"):
        read_settings("dev", tmp_path, {})


def test_wrong_parameters() -> None:
    """Unknown, missing and wrong ones are all named, and so is a kept one that is not secret."""
    values = {"PipelineArn": "x", "Environment": "test"}
    with pytest.raises(SettingsError) as raised:
        all_parameters(
            [*FUNCTIONS, {"ParameterKey": "MonitorImageUri"}], Given(source="dev.toml", values=values, keep=["Source"])
        )
    assert raised.value.problems == (
        "PipelineArn: the template has no such parameter",
        "keep: Source is not a secret parameter; give its value",
        "Environment: 'test' is not allowed; allowed are dev, staging, prod",
        "MonitorImageUri: must be given, it has no default",
    )
