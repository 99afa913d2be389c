"""What AWS sends to EventBridge by itself: alarms that go off, objects that arrive."""

import json
from collections.abc import Callable, Mapping
from typing import Final

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
    plain,
    reason,
    short,
)

ALARM_CHANGE: Final = ("aws.cloudwatch", "CloudWatch Alarm State Change")
OBJECT_CREATED: Final = ("aws.s3", "Object Created")


def read_signal(event: Mapping[str, object]) -> Signal | None:
    """Return the signal in an EventBridge *event*; none if it is no signal, or lacks what makes it one."""
    read = _READERS.get((text(event.get("source")), text(event.get("detail-type"))))
    detail = event.get("detail")
    return read(event, detail) if read and isinstance(detail, Mapping) else None


def _alarm(event: Mapping[str, object], detail: Mapping[str, object]) -> Signal | None:
    name = text(detail.get("alarmName"))
    # Only the change counts. Some samples of AWS tell no state before.
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
    """Return namespace and name of a metric, or how an expression over metrics is called."""
    named = [text(inside(metric, "metricStat", "metric", key)) for key in ("namespace", "name")]
    return short("/".join(part for part in named if part) or inside(metric, "label"))


def _values(reason_data: object) -> dict[str, object]:
    """Return the values that made an alarm go off: of a metric, or, of a composite alarm, which alarms did."""
    try:
        data = json.loads(text(reason_data))
    except (ValueError, RecursionError):
        return {}
    alarms = (short(inside(alarm, "arn")) for alarm in first(inside(data, "triggeringAlarms")))
    return evidence(
        values=filled(map(plain, first(inside(data, "recentDatapoints")))),
        threshold=plain(inside(data, "threshold")),
        triggering_alarms=filled(alarms),
    )


def _object(event: Mapping[str, object], detail: Mapping[str, object]) -> Signal | None:
    # The key is as it is: only S3's own notifications encode it, not its events for EventBridge.
    bucket, key = text(inside(detail, "bucket", "name")), text(inside(detail, "object", "key"))
    if not bucket or not key:
        return None
    return Signal(
        kind=S3_OBJECT,
        subject=f"{bucket}/{key}",
        trigger_id=_event_id(event),
        origin=DATA,
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
