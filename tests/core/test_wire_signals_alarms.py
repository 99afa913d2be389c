"""CloudWatch alarms in their other two forms: an alarm that invokes the function itself, and its message to a topic."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from shared.wire.incoming import Foreign, Signal
from tests.core.native import ALARM, ALARM_ACTION, ALARM_MESSAGE, aws, changed, sample

ARN: Final = "arn:aws:cloudwatch:eu-west-3:111122223333:alarm:churn-drift"
AT: Final = "2026-11-20T12:36:15.490+0000"
REASON: Final = "over the threshold"


def rule_event() -> Any:
    """Return the event that EventBridge has for an alarm."""
    state = {"value": "ALARM", "reason": REASON, "timestamp": AT}
    metric = {"id": "m1", "metricStat": {"metric": {"namespace": "churn", "name": "drift"}, "stat": "Average"}}
    detail = {
        "alarmName": "churn-drift",
        "state": state,
        "previousState": {"value": "OK"},
        "configuration": {"metrics": [metric]},
    }
    return changed(changed(sample(ALARM), detail, "detail"), [ARN], "resources")


def action() -> Any:
    """Return the event by which the same alarm invokes a function."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": ARN,
        "accountId": "111122223333",
        "time": AT,
        "region": "eu-west-3",
        "alarmData": rule_event()["detail"],
    }


def alarm_message() -> Any:
    """Return the message that the same alarm sends to a topic."""
    return {
        "AlarmName": "churn-drift",
        "AlarmArn": ARN,
        "AWSAccountId": "111122223333",
        "NewStateValue": "ALARM",
        "NewStateReason": REASON,
        "StateChangeTime": AT,
        "OldStateValue": "OK",
        "Trigger": {"MetricName": "drift", "Namespace": "churn", "Statistic": "AVERAGE", "Threshold": 0.4},
    }


def notified(content: object) -> Any:
    """Return the sample of an invocation by SNS, with *content* as its message."""
    return changed(sample(ALARM_MESSAGE), json.dumps(content), "Records", 0, "Sns", "Message")


@pytest.mark.parametrize("event", [action(), alarm_message(), notified(alarm_message())], ids=["action", "raw", "SNS"])
def test_an_alarm_is_the_same_signal_in_every_form(event: Any) -> None:
    """Name, origin, reason, evidence and time are those of its EventBridge event."""
    read, expected = aws(event), aws(rule_event())
    assert isinstance(read, Signal)
    assert (read.kind, read.subject, read.origin) == ("cloudwatch-alarm", "churn-drift", "drift")
    assert (read.reason, read.sent_at) == (expected.reason, expected.sent_at)
    assert read.evidence == expected.evidence == {"alarm": ARN, "metrics": ["churn/drift"]}


def test_an_alarm_without_an_event_id_is_known_by_the_time_of_its_change() -> None:
    """A repeated invocation and a redelivered message have the same id; the next change has another one."""
    forms = (action(), alarm_message(), notified(alarm_message()))
    assert {aws(event).trigger_id for event in forms} == {f"aws.cloudwatch:{ARN}:2026-11-20T12:36:15.490000Z"}
    later = changed(action(), "2026-11-21T12:36:15.490+0000", "alarmData", "state", "timestamp")
    assert aws(later).trigger_id != aws(action()).trigger_id


def test_a_message_without_a_time_is_known_by_its_notification() -> None:
    """SNS repeats its own id; without a topic there is nothing to identify the change by."""
    timeless = changed(alarm_message(), ..., "StateChangeTime")
    message_id = sample(ALARM_MESSAGE)["Records"][0]["Sns"]["MessageId"]
    assert aws(notified(timeless)).trigger_id == f"aws.cloudwatch:{message_id}"
    assert aws(timeless).trigger_id == ""


@pytest.mark.parametrize(
    "event",
    [
        changed(action(), "OK", "alarmData", "state", "value"),
        changed(action(), "ALARM", "alarmData", "previousState", "value"),
        changed(action(), "INSUFFICIENT_DATA", "alarmData", "state", "value"),
        changed(action(), ..., "alarmData", "alarmName"),
        changed(action(), "acme", "source"),
        changed(action(), "ALARM", "alarmData"),
        changed(alarm_message(), "OK", "NewStateValue"),
        changed(alarm_message(), "ALARM", "OldStateValue"),
        changed(alarm_message(), ..., "AlarmName"),
        changed(alarm_message(), ..., "NewStateValue"),
    ],
)
def test_other_news_of_alarms_is_none(event: Any) -> None:
    """Only the change to ALARM counts, in every form."""
    assert isinstance(aws(event), Foreign)
    assert isinstance(aws(notified(event)), Foreign)


def test_the_metrics_of_an_expression_are_evidence() -> None:
    """The message of an alarm on an expression lists its metrics, with names in capitals."""
    metrics = [
        {"Expression": "m1/m2", "Id": "e1", "Label": "error rate", "ReturnData": True},
        {"Id": "m1", "MetricStat": {"Metric": {"MetricName": "errors", "Namespace": "churn"}, "Period": 60}},
    ]
    event = changed(alarm_message(), metrics, "Trigger", "Metrics")
    assert aws(event).evidence["metrics"] == ["error rate", "churn/errors"]


def test_the_recorded_events_are_signals() -> None:
    """The samples of both forms are read, with the values that they have."""
    called = aws(sample(ALARM_ACTION))
    assert (called.subject, called.evidence["values"], called.evidence["threshold"]) == ("Test alert", [1.0], 10.0)
    sent = aws(sample(ALARM_MESSAGE))
    assert (sent.subject, sent.sent_at) == ("EXAMPLE", datetime(2015, 6, 3, 17, 43, 27, 123000, UTC))
    assert sent.reason.startswith("Threshold Crossed: ")
