"""CloudFormation checks the template's parameters before it makes anything: what is documented passes, no more does."""

import re

import pytest

from tests.deploy.template import Template, read_template

ARN = "arn:aws:{}:eu-west-3:123456789012:{}".format
PIPELINE, QUEUE, TOPIC = ARN("sagemaker", "pipeline/churn"), ARN("sqs", "trainings"), ARN("sns", "retraining")
SECRET, KEY = ARN("secretsmanager", "secret:ml/git_hub+v1@acme-AbCdEf"), ARN("kms", "key/1234abcd-12ab-34cd")
EXTERNAL_IDS = ("from-the-platform", "a_b=c,d.e@f:/g+1", "1" * 1224)
BUS, ROLE = "arn:aws:events:eu-west-3:210987654321:event-bus/retrain", "arn:aws:iam::210987654321:role/ml/emitter"
ALLOWED = {
    "PipelineArns": ("", PIPELINE, ARN("sagemaker", "pipeline/churn-*"), PIPELINE.replace("aws", "aws-cn")),
    "TargetQueueArns": ("", QUEUE, f"{QUEUE}.fifo"),
    "LedgerTableName": ("", "retrain-dev-Ledger-1ABC"),
    "PermissionsBoundaryArn": ("", "arn:aws:iam::123456789012:policy/boundary", "arn:aws:iam::aws:policy/PowerUser"),
    "SubnetIds": ("", "subnet-0a1b2c3d4e5f60718"),
    "SecurityGroupIds": ("", "sg-0a1b2c3d4e5f60718"),
    "EventBusName": ("", "retrain", "acme.retrain_v1"),
    "Source": ("ml3_platform", "acme/drift.v1"),
    "Schedule": ("cron(30 9 ? * MON *)", "rate(7 days)", "rate(1 day)"),
    "SweepSchedule": ("rate(5 minutes)", "cron(0 * * * ? *)"),
    "Configuration": ("retrain.toml", "retrain.staging.toml"),
    "ReservedConcurrency": ("", "1", "1000"),
    "AlarmTopicArn": ("", TOPIC),
    "NoticeTopicArns": ("", TOPIC, f"{TOPIC}.fifo"),
    "GitHubTokenSecretArn": ("", SECRET),
    "GitHubApi": ("", "https://github.example.com/api/v3", "https://api.acme.ghe.com"),
    "KmsKeyArns": ("", KEY, ARN("kms", "key/mrk-1234abcd12ab34cd56ef1234567890ab")),
    "EventQueueArn": ("", QUEUE),
    "SignalBuckets": ("", "training-data", "acme.training.data"),
    "EmitterAccount": ("", "883313729965"),
    "EmitterExternalId": ("", *EXTERNAL_IDS),
    "ForeignBusArn": ("", BUS),
    "ForeignBusRoleArn": ("", ROLE),
    "ForeignBusExternalId": ("", *EXTERNAL_IDS),
}
REFUSED = {
    "PipelineArns": ("*", "churn", ARN("sagemaker", "pipeline/*"), PIPELINE.replace("eu-west-3", "*")),
    "TargetQueueArns": (ARN("sqs", "*"),),
    "Schedule": ("cron(30 9 * * MON)", "9:30"),
    "SweepSchedule": ("cron(0 * * * *)",),
    "Configuration": ("/etc/passwd", "retrain.json"),
    "GitHubApi": ("http://github.example.com", "https://me:secret@github.example.com", "github.example.com"),
    "KmsKeyArns": ("*", ARN("kms", "alias/retrain"), ARN("kms", "key/*")),
    # Who reads a queue that keeps an order must stop at the first message that fails.
    "EventQueueArn": (ARN("sqs", "*"), f"{QUEUE}.fifo"),
    "SignalBuckets": ("*", "training-*", "arn:aws:s3:::training-data"),
    "EmitterExternalId": ("x", "two words"),
}
FOREIGN = {"ForeignBusArn": BUS, "ForeignBusRoleArn": ROLE, "ForeignBusExternalId": "other"}


def cases(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return each value of the table with its parameter."""
    return [(parameter, value) for parameter, values in table.items() for value in values]


def test_every_pattern_is_tried(template: Template) -> None:
    """A parameter with a pattern of its own is in the table of allowed values."""
    assert {name for name, declared in template.parameters.items() if "AllowedPattern" in declared} == set(ALLOWED)


@pytest.mark.parametrize(("parameter", "value"), cases(ALLOWED))
def test_what_is_documented_passes(parameter: str, value: str, template: Template) -> None:
    """The form that the descriptions and the services have for it is one that the pattern takes."""
    assert re.fullmatch(template.parameters[parameter]["AllowedPattern"], value)


@pytest.mark.parametrize(("parameter", "value"), cases(REFUSED))
def test_what_reaches_too_far_is_refused(parameter: str, value: str, template: Template) -> None:
    """So is a cron of five fields, and what would only fail later."""
    assert not re.fullmatch(template.parameters[parameter]["AllowedPattern"], value)


def test_everything_has_a_default_that_passes(template: Template) -> None:
    """A stack without a single parameter can be made."""
    for name, declared in template.parameters.items():
        assert re.fullmatch(declared.get("AllowedPattern", ".*"), str(declared["Default"])), name
        assert declared["Default"] in declared.get("AllowedValues", [declared["Default"]]), name
    assert read_template({}).refusals == ()


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"EmitterAccount": "883313729965"}, "EmitterAccount needs an EmitterExternalId"),
        ({"Environment": "prod"}, "prod needs an AlarmTopicArn"),
        ({"SubnetIds": "subnet-0a1b2c3d"}, "SubnetIds need SecurityGroupIds"),
        ({"ForeignBusRoleArn": ROLE}, "ForeignBusRoleArn and ForeignBusExternalId need a ForeignBusArn"),
        ({"ForeignBusExternalId": "other"}, "ForeignBusRoleArn and ForeignBusExternalId need a ForeignBusArn"),
    ],
)
def test_what_makes_no_sense_alone_is_refused(values: dict[str, str], refusal: str) -> None:
    """CloudFormation itself says what is missing."""
    (message,) = read_template(values).refusals
    assert message.startswith(refusal)


@pytest.mark.parametrize("values", [FOREIGN, {"ForeignBusArn": BUS}, {"EmitterExternalId": "unused"}])
def test_what_makes_sense_is_not_refused(values: dict[str, str]) -> None:
    """A bus of another account may let this one in without a role."""
    assert read_template(values).refusals == ()
