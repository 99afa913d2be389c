"""The drift monitor in the template: what it may do, who reads its pages, and what becomes of a tick that fails."""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

import pytest

from tests.deploy.schedules import check_schedule
from tests.deploy.template import ROOT, Template, as_list, read_template

TOPIC = "arn:aws:sns:eu-west-3:123456789012:retraining"
BUS = "arn:aws:events:eu-west-3:210987654321:event-bus/retrain"
ROLE = "arn:aws:iam::210987654321:role/emitter"
KEY = "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5F6G7"
QUEUE = "arn:aws:sqs:eu-west-3:123456789012:retrain-dev-UndeliveredQueue"
OWN_BUS = "arn:aws:events:eu-west-3:123456789012:event-bus/retrain-dev"
SITE = "arn:${AWS::Partition}:s3:::acme-drift"
MONITOR = {
    "EventBusArn": OWN_BUS,
    "LedgerTable": "retrain-dev-Ledger",
    "UndeliveredQueueArn": QUEUE,
    "NoticeTopicArns": TOPIC,
    "MonitorImageUri": "123456789012.dkr.ecr.eu-west-3.amazonaws.com/drift-monitor:v1",
    "MonitorSiteBucket": "acme-drift",
    "MonitorDataBuckets": "arn:aws:s3:::acme-ml,arn:aws:s3:::acme-live",
}


def read_monitor(values: Mapping[str, str]) -> Template:
    """Return the monitor's template with more *values* than it needs."""
    return read_template({**MONITOR, **values}, ROOT / "deploy" / "aws" / "monitor.yaml")


@pytest.fixture(scope="module")
def monitor() -> Template:
    """Return the monitor's template."""
    return read_monitor({})


def rights(template: Template) -> dict[str, set[str]]:
    """Return each action that the monitor may do, with the resources that it may do it on."""
    found: dict[str, set[str]] = {}
    for statement in template.statements("MonitorRole"):
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return found


def test_it_reads_data_writes_pages_and_asks(monitor: Template) -> None:
    """Its role reads the data, reads and writes the site, emits events, and publishes to the topics: no more."""
    data = {"arn:aws:s3:::acme-ml", "arn:aws:s3:::acme-live"}
    assert rights(monitor) == {
        "s3:ListBucket": {*data, SITE},
        "s3:GetObject": {*(f"{bucket}/*" for bucket in data), f"{SITE}/*"},
        "s3:PutObject": {f"{SITE}/*"},
        "events:PutEvents": {OWN_BUS},
        "events:DescribeEventBus": {OWN_BUS},
        "sns:Publish": {TOPIC},
        "sqs:SendMessage": {QUEUE},
        "logs:CreateLogStream": {"${MonitorLogs.Arn}"},
        "logs:PutLogEvents": {"${MonitorLogs.Arn}"},
    }


def test_it_publishes_where_emit_does() -> None:
    """With another account's bus it has that in its environment, the role and the external id, and the same rights."""
    foreign = {"ForeignBusArn": BUS, "ForeignBusRoleArn": ROLE, "ForeignBusExternalId": "other"}
    template = read_monitor(foreign)
    own = template.of_type("AWS::Lambda::Function")["MonitorFunction"]["Environment"]["Variables"]
    emitting = read_template(foreign | {"LedgerTableName": "retrain-dev-Ledger"}).functions["EmitFunction"]
    # The namespace of the metrics is for decisions, and the monitor makes none.
    shared = {name: value for name, value in emitting["Environment"]["Variables"].items() if "METRICS" not in name}
    assert own == shared
    assert (own["RETRAIN_BUS"], own["RETRAIN_ROLE_ARN"], own["RETRAIN_EXTERNAL_ID"]) == (BUS, ROLE, "other")
    allowed = rights(template)
    assert allowed["events:PutEvents"] == allowed["events:DescribeEventBus"] == {BUS}
    assert allowed["sts:AssumeRole"] == {ROLE}


def test_it_may_use_the_named_keys() -> None:
    """Data and topics may be encrypted with keys of one's own."""
    allowed = rights(read_monitor({"KmsKeyArns": KEY}))
    assert allowed["kms:Decrypt"] == allowed["kms:GenerateDataKey"] == {KEY}


@pytest.mark.parametrize("processor", [None, "arm64"])
def test_it_runs_on_what_the_image_was_built_for(processor: str | None) -> None:
    """That is named apart from the functions' processor, for the image is built elsewhere."""
    template = read_monitor({"MonitorArchitecture": processor} if processor else {})
    assert template.of_type("AWS::Lambda::Function")["MonitorFunction"]["Architectures"] == [processor or "x86_64"]


@pytest.mark.parametrize("configuration", ["retrain.toml", "retrain.staging.toml"])
def test_its_image_holds_the_configuration_that_is_set(configuration: str, monitor: Template) -> None:
    """What `Configuration` may name is copied to where the code looks for it, and not kept from the build."""
    assert re.fullmatch(monitor.parameters["Configuration"]["AllowedPattern"], configuration)
    dockerfile = ROOT / "functions/monitor/Dockerfile"
    copied = re.findall(r"^COPY (\S+) \./$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    let_in = re.findall(r"^!(\S+)$", dockerfile.with_suffix(".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for patterns in (copied, let_in):
        assert any(fnmatchcase(configuration, pattern) for pattern in patterns)


def test_its_pages_are_private_and_kept(monitor: Template) -> None:
    """No access control list and no policy can open the bucket, it is read over TLS only, and outlives its stack."""
    site = monitor.resources["MonitorSite"]
    assert set(site["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert (site["DeletionPolicy"], site["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    (statement,) = monitor.of_type("AWS::S3::BucketPolicy")["MonitorSitePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_one_distribution_may_read_its_pages() -> None:
    """CloudFront reads them for that distribution only, and may do nothing else."""
    template = read_monitor({"MonitorDistributionArn": DISTRIBUTION})
    policy = template.of_type("AWS::S3::BucketPolicy")["MonitorSitePolicy"]["PolicyDocument"]
    assert [statement for statement in policy["Statement"] if statement["Effect"] == "Allow"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"{SITE}/*",
            "Condition": {"StringEquals": {"aws:SourceArn": DISTRIBUTION}},
        }
    ]


def test_its_tick_is_kept_in_the_end(monitor: Template) -> None:
    """Its schedule has six fields and passes its time on; a run that keeps failing is in the queue in the end."""
    tick = monitor.of_type("AWS::Scheduler::Schedule")["MonitorTick"]
    check_schedule(tick["ScheduleExpression"])
    assert json.loads(tick["Target"]["Input"]) == {"at": "<aws.scheduler.scheduled-time>"}
    assert tick["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}
    invocations = monitor.of_type("AWS::Lambda::EventInvokeConfig")["MonitorInvocations"]
    assert invocations["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


@pytest.mark.parametrize("exists", ["yes", "no"])
def test_a_bucket_that_was_kept_is_taken_over_again(exists: str) -> None:
    """With an existing bucket none is created, and it gets the same policy."""
    template = read_monitor({"MonitorSiteBucketExists": exists})
    assert bool(template.of_type("AWS::S3::Bucket")) == (exists == "no")
    policy = template.of_type("AWS::S3::BucketPolicy")["MonitorSitePolicy"]
    assert policy["Bucket"] == ("acme-drift" if exists == "yes" else "${MonitorSite}")


def test_every_value_of_the_monitor_is_checked(monitor: Template) -> None:
    """An image needs a tag or a digest, and buckets and schedules have the form that AWS takes."""
    image = MONITOR["MonitorImageUri"].removesuffix(":v1")
    refused = {
        "MonitorImageUri": (image, "docker.io/library/python:3.13", ""),
        "MonitorSiteBucket": ("", "Acme"),
        "MonitorDistributionArn": ("E1A2B3C4D5F6G7", "arn:aws:cloudfront::123456789012:distribution/*"),
        "MonitorDataBuckets": ("arn:aws:s3:::*", "acme-ml"),
        "MonitorSchedule": ("cron(30 9 * * MON)",),
    }
    for name, values in refused.items():
        pattern = monitor.parameters[name]["AllowedPattern"]
        assert not [value for value in values if re.fullmatch(pattern, value)], name
    assert re.fullmatch(monitor.parameters["MonitorImageUri"]["AllowedPattern"], f"{image}@sha256:{'0a' * 32}")


def test_both_templates_declare_shared_parameters_alike(monitor: Template, template: Template) -> None:
    """A parameter of the same name has the same type, default and values: one setting serves both stacks."""
    for name in set(monitor.parameters) & set(template.parameters):
        ours, theirs = ({**one[name], "Description": ""} for one in (monitor.parameters, template.parameters))
        assert ours == theirs, name


def test_the_image_is_built_by_what_is_there() -> None:
    """Each module that the Dockerfile runs, and each path that it copies, exists."""
    text = (ROOT / "functions/monitor/Dockerfile").read_text(encoding="utf-8")
    modules = set(re.findall(r"python -m ([\w.]+)", text)) - {"compileall"}
    assert "shared.config.file" in modules
    for module in modules:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
    for path in re.findall(r"^COPY (\S+) \S+$", text, re.MULTILINE):
        assert list(ROOT.glob(path)), path


def test_the_image_is_built_without_attestations() -> None:
    """Lambda refuses an image that BuildKit attached them to; what is deployed is named by its digest."""
    script = (ROOT / "deploy/monitor-image").read_text(encoding="utf-8")
    assert "--provenance=false --sbom=false --platform linux/amd64" in script
    assert 'echo "$repository@$found"' in script
