"""Native events of AWS: which alarms and objects are signals, and which of their facts are kept."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.fields import MAX_MAPPING_BYTES
from shared.wire.incoming import Foreign, Signal
from tests.core.native import ALARM, S3_OBJECT, aws, changed, sample

NAME = "sagemaker-<<project_name>>-prod-threshold"


def alarm(value: object, *path: str) -> Any:
    """Return the sample of an alarm with *value* under *path* of its detail."""
    return changed(sample(ALARM), value, "detail", *path)


def test_an_alarm_that_goes_off_is_drift() -> None:
    """The recorded alarm of a drift metric is a signal with its reason, and with the metric as evidence."""
    assert aws(sample(ALARM)) == Signal(
        kind="cloudwatch-alarm",
        subject=NAME,
        trigger_id="aws.cloudwatch:ac2d4fbb-ccaa-4c95-4a82-55a9ff9a6b64",
        origin="drift",
        reason="Threshold Crossed: 1 out of the last 1 datapoints [0.85 was greater than the threshold (0.4) "
        "(minimum 1 datapoint for OK -> ALARM transition).",
        evidence={
            "alarm": f"arn:aws:cloudwatch:<<region>>:<<account>>:alarm:{NAME}",
            "metrics": ["aws/sagemaker/Endpoints/data-metrics/feature_baseline_drift_fare_amount"],
        },
        sent_at=datetime(2021, 7, 28, 7, 2, 4, 149000, UTC),
    )


@pytest.mark.parametrize("previous", ["OK", "INSUFFICIENT_DATA"])
def test_only_the_change_to_alarm_counts(previous: str) -> None:
    """From every other state to ALARM."""
    assert isinstance(aws(alarm({"value": previous}, "previousState")), Signal)


@pytest.mark.parametrize(
    "event",
    [
        alarm({"value": "ALARM"}, "previousState"),
        alarm("OK", "state", "value"),
        alarm("INSUFFICIENT_DATA", "state", "value"),
        alarm("alarm", "state", "value"),
        alarm(..., "state"),
        alarm(["ALARM"], "state"),
        alarm("", "alarmName"),
        alarm(7, "alarmName"),
        alarm("\ud800", "alarmName"),
        changed(sample(ALARM), "ALARM", "detail"),
        changed(sample(ALARM), ..., "detail"),
        # One of the many time series of one alarm; the alarm itself reports as well.
        changed(sample(ALARM), "CloudWatch Alarm Contributor State Change", "detail-type"),
        changed(sample(ALARM), "CloudWatch Alarm Configuration Change", "detail-type"),
        changed(sample(ALARM), "acme.cloudwatch", "source"),
    ],
)
def test_other_news_of_alarms_is_none(event: Any) -> None:
    """An alarm that ends, goes on, or is changed, and one that cannot be read, is foreign."""
    assert isinstance(aws(event), Foreign)


def test_the_values_of_an_alarm_are_evidence() -> None:
    """The values that made the alarm go off are kept, but only the first of many."""
    values = {"threshold": 0.4, "recentDatapoints": [0.85, None, 0.5, *[0.1] * 50], "statistic": "Average"}
    signal = aws(alarm(json.dumps(values), "state", "reasonData"))
    assert (signal.evidence["threshold"], signal.evidence["values"]) == (0.4, [0.85, 0.5, *[0.1] * 7])


def test_a_composite_alarm_names_the_alarms_below_it() -> None:
    """The alarms that made it go off are evidence; it has no metrics."""
    below = {"triggeringAlarms": [{"arn": "arn:1", "state": {"value": "ALARM"}}, {"arn": 5}, "x", {"arn": "arn:2"}]}
    event = changed(
        alarm(json.dumps(below), "state", "reasonData"), {"alarmRule": "ALARM(a)"}, "detail", "configuration"
    )
    assert aws(event).evidence == {"alarm": sample(ALARM)["resources"][0], "triggering_alarms": ["arn:1", "arn:2"]}


def test_an_expression_over_metrics_is_named_by_its_label() -> None:
    """A metric that is computed has no namespace."""
    metrics = [
        {"id": "e1", "expression": "m1/m2", "label": "error rate"},
        {"metricStat": {"metric": {"name": "m1"}}},
        5,
    ]
    assert aws(alarm(metrics, "configuration", "metrics")).evidence["metrics"] == ["error rate", "m1"]


@pytest.mark.parametrize("reason_data", ["{", "[]", "5", "[" * 100_000, "\ud800", 5, {"threshold": 1}, "1" * 5000])
def test_values_that_cannot_be_read_are_left_out(reason_data: object) -> None:
    """They are only evidence: the signal counts without them."""
    assert set(aws(alarm(reason_data, "state", "reasonData")).evidence) == {"alarm", "metrics"}


def test_values_of_any_length_fit() -> None:
    """Long names, texts in place of numbers and hundreds of values leave the evidence small."""
    data = {
        "threshold": "\U0001f4c9" * 9999,
        "recentDatapoints": ["\U0001f4c9" * 9999] * 99,
        "triggeringAlarms": [{"arn": "\U0001f4c9" * 9999}] * 99,
    }
    metric = {"metricStat": {"metric": {"namespace": "\U0001f4c9" * 9999, "name": "x"}}}
    event = changed(alarm(json.dumps(data), "state", "reasonData"), [metric] * 99, "detail", "configuration", "metrics")
    event = changed(event, ["\U0001f4c9" * 9999], "resources")
    assert len(json.dumps(aws(event).evidence)) <= MAX_MAPPING_BYTES


def test_an_alarm_without_a_reason_has_one_for_people() -> None:
    """The name of the alarm is the reason where the state has none."""
    assert aws(alarm(..., "state", "reason")).reason == f"the alarm {NAME} went off"
    assert aws(alarm("r" * 2000, "state", "reason")).reason == "r" * 512


def test_an_alarm_without_an_id_or_a_time_is_a_signal_all_the_same() -> None:
    """The time of the event stands in for that of the state; without either there is none."""
    event = changed(changed(sample(ALARM), ..., "id"), 1627455724149, "detail", "state", "timestamp")
    assert (aws(event).trigger_id, aws(event).sent_at) == ("", datetime(2021, 7, 28, 7, 2, 4, tzinfo=UTC))
    assert aws(changed(event, "soon", "time")).sent_at is None


def test_a_new_object_is_data() -> None:
    """The recorded event of S3 is a signal about bucket and key."""
    assert aws(sample(S3_OBJECT)) == Signal(
        kind="s3-object",
        subject="example-bucket/IMG_m7fzo3.jpg",
        trigger_id="aws.s3:f5f1e65c-dc3a-93ca-6c1e-b1647eac7963",
        origin="data",
        reason="new object s3://example-bucket/IMG_m7fzo3.jpg",
        evidence={
            "bucket": "example-bucket",
            "key": "IMG_m7fzo3.jpg",
            "size": 184662,
            "etag": "4e68adba0abe2dc8653dc3354e14c01d",
        },
        sent_at=datetime(2023, 3, 8, 17, 50, 14, tzinfo=UTC),
    )


def test_the_key_of_an_object_is_as_it_is() -> None:
    """S3 encodes keys in its own notifications, not in its events: a plus or a percent sign is one."""
    key = "churn/2026 11+21/a%2Fb:c.csv"
    event = changed(changed(sample(S3_OBJECT), key, "detail", "object", "key"), "v1", "detail", "object", "version-id")
    assert (aws(event).subject, aws(event).evidence["key"]) == (f"example-bucket/{key}", key)
    assert aws(event).evidence["version"] == "v1"


@pytest.mark.parametrize(
    "event",
    [
        changed(sample(S3_OBJECT), "Object Deleted", "detail-type"),
        changed(sample(S3_OBJECT), "Object Tags Added", "detail-type"),
        changed(sample(S3_OBJECT), ..., "detail", "object"),
        changed(sample(S3_OBJECT), 5, "detail", "object", "key"),
        changed(sample(S3_OBJECT), "", "detail", "bucket", "name"),
        changed(sample(S3_OBJECT), "example-bucket", "detail", "bucket"),
        changed(sample(S3_OBJECT), [], "detail"),
    ],
)
def test_other_news_of_objects_is_none(event: Any) -> None:
    """Only a new object counts, and only one that is named."""
    assert isinstance(aws(event), Foreign)
