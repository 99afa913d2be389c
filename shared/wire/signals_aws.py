"""Signals of AWS: alarms, in each form in which CloudWatch sends them, and new objects."""

from collections.abc import Callable, Mapping
from typing import Final

from shared.fields import format_time
from shared.json_text import parse_json
from shared.trigger import derived_id
from shared.wire.incoming import Signal
from shared.wire.reading import text, time
from shared.wire.signals import (
    ALARM,
    DATA,
    DRIFT,
    MAX_NAME,
    S3_OBJECT,
    evidence,
    filled,
    first,
    inside,
    is_empty,
    plain,
    reason,
    short,
)

ALARM_CHANGE: Final = ("aws.cloudwatch", "CloudWatch Alarm State Change")
OBJECT_CREATED: Final = ("aws.s3", "Object Created")


def read_signal(event: Mapping[str, object]) -> Signal | None:
    """Return the signal in *event*; None if it is not a signal or is incomplete.

    Args:
        event: an event of EventBridge, or an alarm as sent to a Lambda function or to an SNS topic.

    """
    event = _as_rule_event(event)
    read = _READERS.get((text(event.get("source")), text(event.get("detail-type"))))
    detail = event.get("detail")
    return read(event, detail) if read and isinstance(detail, Mapping) else None


def is_alarm_action(event: object) -> bool:
    """Return whether *event* is an alarm that invokes the function directly."""
    return (
        isinstance(event, Mapping)
        and event.get("source") == ALARM_CHANGE[0]
        and isinstance(event.get("alarmData"), Mapping)
    )


def _as_rule_event(event: Mapping[str, object]) -> Mapping[str, object]:
    """Return an alarm in the form of its EventBridge event; any other event unchanged.

    User guide of CloudWatch: "Invoke a Lambda function from an alarm", "Notifying users on alarm changes".
    """
    if is_alarm_action(event):
        detail, arn = event.get("alarmData"), text(event.get("alarmArn"))
    elif text(event.get("AlarmName")) and text(event.get("NewStateValue")):
        detail, arn = _detail_of_message(event), text(event.get("AlarmArn"))
    else:
        return event
    # Neither form has an id, but the time of the change is the same on every delivery.
    changed = time(inside(detail, "state", "timestamp"))
    event_id = f"{arn or inside(detail, 'alarmName')}:{format_time(changed)}" if changed else event.get("id")
    source, kind = ALARM_CHANGE
    return {
        "source": source,
        "detail-type": kind,
        "id": event_id,
        "time": event.get("time"),
        "resources": [arn],
        "detail": detail,
    }


def _detail_of_message(message: Mapping[str, object]) -> dict[str, object]:
    trigger = message.get("Trigger")
    # An alarm on an expression has a list of metrics; any other has its metric in `Trigger` itself.
    metrics = first(inside(trigger, "Metrics")) or [{"MetricStat": {"Metric": trigger}}]
    return {
        "alarmName": message.get("AlarmName"),
        "state": {
            "value": message.get("NewStateValue"),
            "reason": message.get("NewStateReason"),
            "reasonData": message.get("NewStateReasonData"),
            "timestamp": message.get("StateChangeTime"),
        },
        "previousState": {"value": message.get("OldStateValue")},
        "configuration": {"metrics": [_metric_of_message(metric) for metric in metrics]},
    }


def _metric_of_message(metric: object) -> dict[str, object]:
    stated = inside(metric, "MetricStat", "Metric")
    named = {"namespace": inside(stated, "Namespace"), "name": inside(stated, "MetricName")}
    return {"metricStat": {"metric": named}, "label": inside(metric, "Label")}


def _alarm(event: Mapping[str, object], detail: Mapping[str, object]) -> Signal | None:
    name = text(detail.get("alarmName"))
    # Only the change counts. Some samples of AWS lack the previous state.
    went_off = inside(detail, "state", "value") == "ALARM" and inside(detail, "previousState", "value") != "ALARM"
    if not name or not went_off:
        return None
    return Signal(
        kind=ALARM,
        subject=name,
        trigger_id=_event_id(event),
        origin=DRIFT,
        reason=reason(inside(detail, "state", "reason"), f"the alarm {name} went off"),
        evidence=evidence(
            alarm=short(next(iter(first(event.get("resources"))), None)),
            metrics=filled(map(_metric, first(inside(detail, "configuration", "metrics")))),
            **_values(inside(detail, "state", "reasonData")),
        ),
        sent_at=time(inside(detail, "state", "timestamp")) or time(event.get("time")),
    )


def _metric(metric: object) -> str:
    """Return the namespace and name of a metric, or the label of an expression over metrics."""
    named = [text(inside(metric, "metricStat", "metric", key)) for key in ("namespace", "name")]
    return short("/".join(part for part in named if part) or inside(metric, "label"))


def _values(reason_data: object) -> dict[str, object]:
    """Return the values that triggered an alarm, or, for a composite alarm, the alarms that did."""
    try:
        data = parse_json(text(reason_data))
    except ValueError:
        return {}
    alarms = (short(inside(alarm, "arn")) for alarm in first(inside(data, "triggeringAlarms")))
    return evidence(
        values=filled(map(plain, first(inside(data, "recentDatapoints")))),
        threshold=plain(inside(data, "threshold")),
        triggering_alarms=filled(alarms),
    )


def _object(event: Mapping[str, object], detail: Mapping[str, object]) -> Signal | None:
    # The key is not encoded: only S3's own notifications encode it, not its events for EventBridge.
    bucket, key = text(inside(detail, "bucket", "name")), text(inside(detail, "object", "key"))
    if not bucket or not key:
        return None
    return Signal(
        kind=S3_OBJECT,
        subject=f"{bucket}/{key}",
        trigger_id=_event_id(event),
        origin=DATA,
        empty=is_empty(key, inside(detail, "object", "size")),
        reason=reason(f"new object s3://{bucket}/{key}"),
        evidence=evidence(
            bucket=short(bucket),
            key=short(key, MAX_NAME),
            version=short(inside(detail, "object", "version-id")),
            size=plain(inside(detail, "object", "size")),
            etag=short(inside(detail, "object", "etag")),
        ),
        sent_at=time(event.get("time")),
    )


def _event_id(event: Mapping[str, object]) -> str:
    event_id = text(event.get("id"))
    return derived_id(text(event.get("source")), event_id) if event_id else ""


_READERS: Final[Mapping[tuple[str, str], Callable[[Mapping[str, object], Mapping[str, object]], Signal | None]]] = {
    ALARM_CHANGE: _alarm,
    OBJECT_CREATED: _object,
}
