"""The options of the template: signals, other emitters, other readers, another account's bus, notices, GitHub."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from functions.aws.bus import EventsClient
from functions.github.address import read_address
from tests.deploy.template import Template, as_list, read_template
from tests.deploy.test_rights import actions_of, granted

EVENTS = Path(__file__).parents[1] / "events"
ACCOUNT = "883313729965"
TOPIC = "arn:aws:sns:eu-west-3:123456789012:retraining"
SECRET = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:github-AbCdEf"
BUS = "arn:aws:events:eu-west-3:210987654321:event-bus/retrain"
ROLE = "arn:aws:iam::210987654321:role/emitter"
QUEUE = "arn:aws:sqs:eu-west-3:123456789012:events"
KEYS = (
    "arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "arn:aws:kms:eu-west-3:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
)
OPTIONS = {
    "PipelineArns": "",
    "NoticeTopicArns": TOPIC,
    "GitHubTokenSecretArn": SECRET,
    "SignalAlarms": "yes",
    "SignalBuckets": "training-data",
    "EmitterAccount": ACCOUNT,
    "EmitterExternalId": "from-the-platform",
    "ForeignBusArn": BUS,
    "ForeignBusRoleArn": ROLE,
    "ForeignBusExternalId": "other",
    "EventQueueArn": QUEUE,
    "KmsKeyArns": ",".join(KEYS),
    "CopyToQueue": "yes",
    "CopyToLogGroup": "yes",
    "ReservedConcurrency": "10",
}
ALARM: dict[str, Any] = {
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


def matches(template: Template, rule: str, event: Any) -> bool:
    """Return whether the rule delivers the event."""
    pattern = template.of_type("AWS::Events::Rule")[rule]["EventPattern"]
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def test_it_is_only_created_if_requested(template: Template, full: Template) -> None:
    """By default there are no rules but the two of the function, no role of others, no queue and no log of copies."""
    assert set(full.resources) - set(template.resources) == {
        "AlarmSignals",
        "AlarmSignalsPermission",
        "ObjectSignals",
        "ObjectSignalsPermission",
        "EventQueueSource",
        "EmitterRole",
        "QueueCopy",
        "TriggerCopies",
        "TriggerCopiesPolicy",
        "LogCopy",
        "TriggerLog",
        "TriggerLogPolicy",
    }


@pytest.mark.parametrize(
    ("rule", "event", "other"),
    [
        ("AlarmSignals", ALARM, {"detail": {"alarmName": "churn-drift", "state": {"value": "OK"}}}),
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
    """The role is for the named account, requires the external id, and allows PutEvents on this bus only."""
    role = full.of_type("AWS::IAM::Role")["EmitterRole"]
    trust = role["AssumeRolePolicyDocument"]["Statement"]
    assert [(one["Action"], one["Condition"]) for one in trust] == [
        ("sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "from-the-platform"}})
    ]
    assert f"{ACCOUNT}:root" in trust[0]["Principal"]["AWS"]
    assert full.statements("EmitterRole") == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "${EventBus.Arn}"}
    ]


def test_another_accounts_bus_is_reached_by_its_role(full: Template) -> None:
    """The emitter may assume the role, and has the bus, the role and the external id in its environment."""
    emit = granted(full, "EmitFunction")
    assert emit["sts:AssumeRole"] == {ROLE}
    assert {emit_on for action in actions_of({"events": EventsClient}) for emit_on in emit[action]} == {BUS}
    given = full.functions["EmitFunction"]["Environment"]["Variables"]
    assert (given["RETRAIN_BUS"], given["RETRAIN_ROLE_ARN"], given["RETRAIN_EXTERNAL_ID"]) == (BUS, ROLE, "other")


@pytest.mark.parametrize("alarm", ["churn-drift", "disk-full"])
def test_every_alarm_that_goes_off_is_handed_over(alarm: str, full: Template) -> None:
    """A pattern of names is the configuration's, and no rule knows it: the function ignores what it does not name."""
    assert matches(full, "AlarmSignals", ALARM | {"detail": ALARM["detail"] | {"alarmName": alarm}})


def test_no_target_is_the_arn_of_a_log_group_as_cloudformation_gives_it(full: Template) -> None:
    """That ends in `:*`, which EventBridge takes and never delivers to; the target is the group without it."""
    groups = {f"${{{name}.Arn}}" for name in full.of_type("AWS::Logs::LogGroup")}
    targets = {name: rule["Targets"] for name, rule in full.of_type("AWS::Events::Rule").items()}
    assert not [target for each in targets.values() for target in each if target["Arn"] in groups]
    (target,) = targets["LogCopy"]
    assert re.fullmatch(r"arn:\S+:logs:\S+:log-group:\$\{TriggerLog\}", target["Arn"])


def test_a_queue_of_events_is_read_with_reports(full: Template, template: Template) -> None:
    """Only the messages that must come again do; the rights are for this queue, and only where there is one."""
    assert full.of_type("AWS::Lambda::EventSourceMapping") == {
        "EventQueueSource": {
            "FunctionName": "${ReceiveFunction}",
            "EventSourceArn": QUEUE,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }
    }
    receive = granted(full, "ReceiveFunction")
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"):
        assert receive[action] == {QUEUE}
        assert action not in granted(template, "ReceiveFunction")


def test_keys_of_ones_own_are_used_and_no_others(full: Template, template: Template) -> None:
    """The receiver may use the keys of queues, topics and the secret; by default no key at all."""
    receive = granted(full, "ReceiveFunction")
    assert receive["kms:Decrypt"] == receive["kms:GenerateDataKey"] == set(KEYS)
    assert not [action for action in granted(template, "ReceiveFunction") if action.startswith("kms:")]


@pytest.mark.parametrize("api", ["", "https://github.example.com/api/v3"])
def test_github_may_be_elsewhere(api: str) -> None:
    """The receiver has the base URL in its environment; an empty one is github.com."""
    given = read_template({"GitHubApi": api}).functions["ReceiveFunction"]["Environment"]["Variables"]
    assert read_address(given["RETRAIN_GITHUB_API"]).api == (api or "https://api.github.com")


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


def test_the_number_of_copies_can_be_bounded(full: Template, template: Template) -> None:
    """Both functions have the reserved concurrency that is given, and none by default.

    A new account has ten copies for all its functions, and must be left a hundred: it can reserve none.
    """
    assert {one["ReservedConcurrentExecutions"] for one in full.functions.values()} == {"10"}
    unbounded = read_template({name: value for name, value in OPTIONS.items() if name != "ReservedConcurrency"})
    functions = [*template.functions.values(), *unbounded.functions.values()]
    assert not [one for one in functions if "ReservedConcurrentExecutions" in one]
