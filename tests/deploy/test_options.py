"""What the template makes on demand: signals, other emitters, other readers, another account's bus, notices, GitHub."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from functions.aws.bus import EventsClient
from tests.deploy.schedules import check_schedule
from tests.deploy.template import Template, as_list, read_template
from tests.deploy.test_rights import actions_of, granted

EVENTS = Path(__file__).parents[1] / "events"
ACCOUNT = "883313729965"
TOPIC = "arn:aws:sns:eu-west-3:123456789012:retraining"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:github-AbCdEf"
BUS = "arn:aws:events:eu-west-3:210987654321:event-bus/retrain"
ROLE = "arn:aws:iam::210987654321:role/emitter"
OPTIONS = {
    "PipelineArns": "",
    "NoticeTopicArns": TOPIC,
    "GitHubTokenSecretArn": SECRET,
    "SignalAlarmNames": "churn-drift,fraud-drift",
    "SignalBuckets": "training-data",
    "EmitterAccount": ACCOUNT,
    "EmitterExternalId": "from-the-platform",
    "ForeignBusArn": BUS,
    "ForeignBusRoleArn": ROLE,
    "ForeignBusExternalId": "other",
    "CopyToQueue": "yes",
    "CopyToLogGroup": "yes",
    "ReservedConcurrency": "10",
    "MonitorImageUri": "123456789012.dkr.ecr.eu-west-3.amazonaws.com/drift-monitor:v1",
    "MonitorSiteBucket": "acme-drift",
    "MonitorDataBuckets": "arn:aws:s3:::acme-ml,arn:aws:s3:::acme-live",
}
ALARM = {
    "source": "aws.cloudwatch",
    "detail-type": "CloudWatch Alarm State Change",
    "detail": {"alarmName": "churn-drift", "state": {"value": "ALARM"}},
}
OBJECT = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "training-data"}, "object": {"key": "churn/2026-11.parquet"}},
}


@pytest.fixture(scope="module")
def full() -> Template:
    """Return the template with everything that it can make."""
    return read_template(OPTIONS)


def matches(template: Template, rule: str, event: Mapping[str, Any]) -> bool:
    """Tell whether the rule delivers the event."""
    pattern = template.of_type("AWS::Events::Rule")[rule]["EventPattern"]
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def test_nothing_of_it_is_made_unless_it_is_asked_for(template: Template, full: Template) -> None:
    """By default there are no rules but the two of the function, no role of others, no queue and no log of copies."""
    assert set(full.resources) - set(template.resources) == {
        "AlarmSignals",
        "AlarmSignalsPermission",
        "ObjectSignals",
        "ObjectSignalsPermission",
        "EmitterRole",
        "QueueCopy",
        "TriggerCopies",
        "TriggerCopiesPolicy",
        "LogCopy",
        "TriggerLog",
        "TriggerLogPolicy",
        "MonitorFunction",
        "MonitorInvocations",
        "MonitorLogs",
        "MonitorRole",
        "MonitorTick",
        "MonitorTickRole",
        "MonitorSite",
        "MonitorSitePolicy",
    }


@pytest.mark.parametrize(
    ("rule", "event", "other"),
    [
        ("AlarmSignals", ALARM, {"detail": {"alarmName": "churn-drift", "state": {"value": "OK"}}}),
        ("AlarmSignals", ALARM, {"detail": {"alarmName": "disk-full", "state": {"value": "ALARM"}}}),
        ("ObjectSignals", OBJECT, {"detail": {"bucket": {"name": "holiday-pictures"}}}),
        ("QueueCopy", {"source": "ml3_platform", "detail-type": "retrain_trigger"}, {"source": "aws.s3"}),
        ("LogCopy", {"source": "ml3_platform", "detail-type": "retrain_trigger"}, {"detail-type": "drift"}),
    ],
)
def test_a_rule_takes_what_is_named_and_nothing_else(
    rule: str, event: dict[str, Any], other: dict[str, Any], full: Template
) -> None:
    """Each rule delivers the event that it is for, and not one that differs where it matters."""
    assert matches(full, rule, event)
    assert not matches(full, rule, event | other)


def test_every_path_is_tried_again_and_kept_in_the_end(full: Template) -> None:
    """Each target of each rule says how often it is tried, and where an event goes that was given up."""
    rules = full.of_type("AWS::Events::Rule")
    assert len(rules) == 4
    for rule in rules.values():
        for target in rule["Targets"]:
            assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
            assert target["DeadLetterConfig"] == {"Arn": "${UndeliveredQueue.Arn}"}
    allowed = full.of_type("AWS::SQS::QueuePolicy")["UndeliveredQueuePolicy"]["PolicyDocument"]["Statement"][0]
    assert {f"${{{name}.Arn}}" for name in rules} <= set(allowed["Condition"]["ArnEquals"]["aws:SourceArn"])


def test_a_rule_may_call_the_function(full: Template) -> None:
    """Each rule that calls the function is allowed to, by its own ARN."""
    permissions = full.of_type("AWS::Lambda::Permission").values()
    assert {(one["FunctionName"], one["SourceArn"]) for one in permissions} == {
        ("${ReceiveFunction}", "${AlarmSignals.Arn}"),
        ("${ReceiveFunction}", "${ObjectSignals.Arn}"),
    }


def test_another_account_may_put_events_on_the_one_bus_and_nothing_more(full: Template) -> None:
    """The role is for the named account, asks for the external id, and allows PutEvents on this bus only."""
    role = full.of_type("AWS::IAM::Role")["EmitterRole"]
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    assert [(one["Action"], one["Condition"]) for one in trust] == [
        ("sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "from-the-platform"}})
    ]
    assert "${EmitterAccount}:root" in trust[0]["Principal"]["AWS"]
    assert full.statements("EmitterRole") == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "${EventBus.Arn}"}
    ]


def test_an_emitter_without_an_external_id_is_refused() -> None:
    """CloudFormation itself turns down an account without an external id."""
    text = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
    assert 'Assert: !Not [!Equals [!Ref EmitterExternalId, ""]]' in text


def test_another_accounts_bus_is_reached_by_its_role(full: Template) -> None:
    """The emitter may assume the role, and has the bus, the role and the external id in its environment."""
    emit = granted(full, "EmitFunction")
    assert emit["sts:AssumeRole"] == {ROLE}
    assert {emit_on for action in actions_of({"events": EventsClient}) for emit_on in emit[action]} == {BUS}
    given = full.functions["EmitFunction"]["Environment"]["Variables"]
    assert (given["RETRAIN_BUS"], given["RETRAIN_ROLE_ARN"], given["RETRAIN_EXTERNAL_ID"]) == (BUS, ROLE, "other")


def test_telling_people_and_github_needs_a_right_each(full: Template, template: Template) -> None:
    """The receiver may publish to the named topics and read the one secret, and neither if none is named."""
    receive = granted(full, "ReceiveFunction")
    assert receive["sns:Publish"] == {TOPIC}
    assert receive["secretsmanager:GetSecretValue"] == {SECRET}
    assert full.functions["ReceiveFunction"]["Environment"]["Variables"]["RETRAIN_GITHUB_TOKEN"] == SECRET
    assert not {"sns:Publish", "secretsmanager:GetSecretValue"} & set(granted(template, "ReceiveFunction"))


def test_copies_go_where_eventbridge_may_write(full: Template) -> None:
    """The queue lets the rule send, the log group has the prefix that EventBridge may write to."""
    policy = full.of_type("AWS::SQS::QueuePolicy")["TriggerCopiesPolicy"]["PolicyDocument"]["Statement"]
    assert [as_list(one["Condition"]["ArnEquals"]["aws:SourceArn"]) for one in policy] == [["${QueueCopy.Arn}"]]
    group = full.of_type("AWS::Logs::LogGroup")["TriggerLog"]
    assert group["LogGroupName"].startswith("/aws/events/")
    written = json.loads(full.of_type("AWS::Logs::ResourcePolicy")["TriggerLogPolicy"]["PolicyDocument"])
    assert written["Statement"][0]["Principal"]["Service"] == ["events.amazonaws.com", "delivery.logs.amazonaws.com"]


def test_the_monitor_reads_data_writes_pages_and_asks(full: Template) -> None:
    """Its role reads the data, reads and writes the site, puts events on the bus, and tells the topics: no more."""
    found: dict[str, set[str]] = {}
    for statement in full.statements("MonitorRole"):
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    data = {"arn:aws:s3:::acme-ml", "arn:aws:s3:::acme-live"}
    assert found == {
        "s3:ListBucket": {*data, "${MonitorSite.Arn}"},
        "s3:GetObject": {*(f"{bucket}/*" for bucket in data), "${MonitorSite.Arn}/*"},
        "s3:PutObject": {"${MonitorSite.Arn}/*"},
        "events:PutEvents": {"${EventBus.Arn}"},
        "events:DescribeEventBus": {"${EventBus.Arn}"},
        "sns:Publish": {TOPIC},
        "sqs:SendMessage": {"${UndeliveredQueue.Arn}"},
        "logs:CreateLogStream": {"${MonitorLogs.Arn}"},
        "logs:PutLogEvents": {"${MonitorLogs.Arn}"},
    }


def test_the_monitors_pages_are_private(full: Template) -> None:
    """No access control list and no policy can open the bucket, and it is read over TLS only."""
    bucket = full.of_type("AWS::S3::Bucket")["MonitorSite"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = full.of_type("AWS::S3::BucketPolicy")["MonitorSitePolicy"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_monitors_tick_is_kept_in_the_end(full: Template) -> None:
    """Its schedule has six fields and hands its time over; what fails is tried again and lies in the queue at last."""
    tick = full.of_type("AWS::Scheduler::Schedule")["MonitorTick"]
    check_schedule(tick["ScheduleExpression"])
    assert json.loads(tick["Target"]["Input"]) == {"at": "<aws.scheduler.scheduled-time>"}
    assert tick["Target"]["DeadLetterConfig"] == {"Arn": "${UndeliveredQueue.Arn}"}
    invocations = full.of_type("AWS::Lambda::EventInvokeConfig")["MonitorInvocations"]
    assert invocations["DestinationConfig"] == {"OnFailure": {"Destination": "${UndeliveredQueue.Arn}"}}


def test_the_number_of_copies_can_be_bounded(full: Template, template: Template) -> None:
    """Both functions have the reserved concurrency that was asked for, and none by default."""
    assert {one["ReservedConcurrentExecutions"] for one in full.functions.values()} == {"10"}
    assert not [one for one in template.functions.values() if "ReservedConcurrentExecutions" in one]
