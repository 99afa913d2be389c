"""Native events of Google Cloud: which log entries and objects are signals, and which of their facts are kept."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.wire.incoming import Foreign, Signal
from tests.core.native import ANOMALY, GCS_DATA, GCS_OBJECT, changed, cloud_event, gcp, message, sample

JOB = "projects/677687165274/locations/us-central1/modelDeploymentMonitoringJobs/6680511704087920640"
NOTICE = {
    "notificationConfig": "projects/_/buckets/some-bucket/notificationConfigs/3",
    "eventType": "OBJECT_FINALIZE",
    "payloadFormat": "JSON_API_V1",
    "bucketId": "some-bucket",
    "objectId": "folder/Test.cs",
    "objectGeneration": "1587627537231057",
    "overwroteGeneration": "1587627537231000",
    "eventTime": "2020-04-23T07:38:57.230Z",
}
OBJECT_ID = "gcs-object:some-bucket/folder/Test.cs#1587627537231057"


def entry(value: object, *path: str) -> Any:
    """Return a message with the sample of an anomaly, with *value* under *path*."""
    return message(changed(sample(ANOMALY), value, *path))


def test_an_anomaly_is_drift() -> None:
    """The documented log entry, through a sink, is a signal about its monitoring job, with the features as evidence."""
    assert gcp(message(sample(ANOMALY))) == Signal(
        kind="vertex-monitoring",
        subject="6680511704087920640",
        trigger_id="vertex-monitoring:6680511704087920640:b0e9c0e9-0979-4aff-a5d3-4c0912469f9a@a1",
        origin="drift",
        reason="RAW_FEATURE_SKEW of age, education",
        severity="medium",
        evidence={
            "job": JOB,
            "deployed_model": "1645828169292316672",
            "objective": "RAW_FEATURE_SKEW",
            "anomalies": [
                {"feature": "age", "deviation": 0.9, "threshold": 0.7},
                {"feature": "education", "deviation": 0.6, "threshold": 0.3},
            ],
            "total": 2,
            "start": "2022-02-03T18:00:00Z",
            "end": "2022-02-03T19:00:00Z",
        },
        sent_at=datetime(2022, 2, 3, 19, tzinfo=UTC),
    )


def test_an_alert_that_is_raised_again_is_a_new_trigger() -> None:
    """Each log entry is a trigger, however often Pub/Sub delivers it."""
    same = message(sample(ANOMALY)) | {"message": message(sample(ANOMALY))["message"] | {"messageId": "m-2"}}
    assert gcp(same).trigger_id == gcp(message(sample(ANOMALY))).trigger_id
    assert gcp(entry("other@a1", "insertId")).trigger_id != gcp(same).trigger_id
    assert gcp(entry(..., "insertId")).trigger_id == "pubsub:m-1"


def test_a_job_without_its_full_name_is_known_by_the_label() -> None:
    """The resource names the job too."""
    assert gcp(entry(..., "jsonPayload", "modelDeploymentMonitoringJob")).subject == "6680511704087920640"


@pytest.mark.parametrize(
    ("severity", "read"),
    [("ERROR", "high"), ("CRITICAL", "high"), ("NOTICE", "low"), ("DEFAULT", None), ("", None), (400, None)],
)
def test_the_severity_is_that_of_the_entry(severity: object, read: str | None) -> None:
    """An entry without one, or with an unknown one, has none."""
    assert gcp(entry(severity, "severity")).severity == read


def test_many_features_are_cut() -> None:
    """Ten features are enough; their number is kept."""
    anomalies = [{"featureDisplayName": f"f{number}", "deviation": "NaN"} for number in range(300)]
    event = changed(
        changed(sample(ANOMALY), anomalies, "jsonPayload", "featureAnomalies"),
        "300",
        "jsonPayload",
        "totalAnomaliesCount",
    )
    signal = gcp(message(event))
    assert (len(signal.evidence["anomalies"]), signal.evidence["total"]) == (10, "300")
    assert signal.reason == f"RAW_FEATURE_SKEW of {', '.join(f'f{number}' for number in range(10))}"


@pytest.mark.parametrize("anomalies", [None, {}, "age", [], [5, None, "x"]])
def test_features_that_cannot_be_read_are_left_out(anomalies: object) -> None:
    """They are only evidence."""
    signal = gcp(entry(anomalies, "jsonPayload", "featureAnomalies"))
    assert (signal.reason, "anomalies" in signal.evidence) == ("RAW_FEATURE_SKEW", False)


def test_an_anomaly_without_details_has_a_reason() -> None:
    """The job is named where the entry has no more."""
    event = entry({"@type": sample(ANOMALY)["jsonPayload"]["@type"]}, "jsonPayload")
    assert gcp(event).reason == "job 6680511704087920640 alerts"
    assert gcp(event).evidence == {"job": "6680511704087920640"}


NOTHING_FOUND = changed(
    changed(sample(ANOMALY), [], "jsonPayload", "featureAnomalies"), 0, "jsonPayload", "totalAnomaliesCount"
)


@pytest.mark.parametrize(
    "event",
    [
        message(NOTHING_FOUND),
        entry("type.googleapis.com/google.cloud.audit.AuditLog", "jsonPayload", "@type"),
        entry(..., "jsonPayload", "@type"),
        entry(["x"], "jsonPayload"),
        message(changed(changed(sample(ANOMALY), 5, "jsonPayload", "modelDeploymentMonitoringJob"), [], "resource")),
        message([sample(ANOMALY)]),
        message(sample("gcp/cloudevents-LogEntryData-pubsubCreateTopic.json")),
    ],
)
def test_other_log_entries_are_none(event: Any) -> None:
    """An entry without an anomaly, without a job, or of another log is foreign."""
    assert isinstance(gcp(event), Foreign)


def test_a_new_object_is_data() -> None:
    """The recorded CloudEvent is a signal about bucket and name."""
    assert gcp(sample(GCS_OBJECT)) == Signal(
        kind="gcs-object",
        subject="some-bucket/folder/Test.cs",
        trigger_id=OBJECT_ID,
        origin="data",
        reason="new object gs://some-bucket/folder/Test.cs",
        evidence={
            "bucket": "some-bucket",
            "name": "folder/Test.cs",
            "generation": "1587627537231057",
            "size": "352",
            "etag": "CNHZkbuF/ugCEAE=",
        },
        sent_at=datetime(2020, 4, 23, 7, 38, 57, 230000, UTC),
    )


@pytest.mark.parametrize("body", [None, sample(GCS_DATA)])
def test_both_ways_report_the_same_object(body: object) -> None:
    """A bucket's notification, with or without the object as its content, triggers the same as the CloudEvent."""
    notified, event = gcp(message(body, **NOTICE)), gcp(sample(GCS_OBJECT))
    assert (notified.kind, notified.subject, notified.trigger_id, notified.sent_at) == (
        *(event.kind, event.subject, event.trigger_id),
        event.sent_at,
    )
    assert notified.evidence == (
        event.evidence if body else {key: event.evidence[key] for key in ("bucket", "name", "generation")}
    )


def test_a_new_generation_is_a_new_trigger() -> None:
    """An object that is written over is a new one."""
    assert gcp(message(None, **NOTICE | {"objectGeneration": "2"})).trigger_id != OBJECT_ID


def test_an_object_without_a_generation_is_known_by_its_delivery() -> None:
    """Whatever the transport repeats makes the id then."""
    assert gcp(changed(sample(GCS_OBJECT), ..., "data", "generation")).trigger_id == (
        "//storage.googleapis.com/projects/_/buckets/some-bucket:aaaaaa-1111-bbbb-2222-cccccccccccc"
    )
    attributes = {name: value for name, value in NOTICE.items() if name != "objectGeneration"}
    assert gcp(message(None, **attributes)).trigger_id == "pubsub:m-1"
    nameless = cloud_event("google.cloud.storage.object.v1.finalized", {"bucket": "b", "name": "n"}) | {"id": 5}
    assert gcp(nameless).trigger_id == ""


@pytest.mark.parametrize(
    "event",
    [
        changed(sample(GCS_OBJECT), "google.cloud.storage.object.v1.deleted", "type"),
        changed(sample(GCS_OBJECT), "google.cloud.storage.object.v1.metadataUpdated", "type"),
        changed(sample(GCS_OBJECT), ..., "data"),
        changed(sample(GCS_OBJECT), 5, "data", "name"),
        changed(sample(GCS_OBJECT), "", "data", "bucket"),
        *(
            message(None, **NOTICE | {"eventType": kind})
            for kind in ("OBJECT_DELETE", "OBJECT_METADATA_UPDATE", "OBJECT_ARCHIVE")
        ),
        message(None, eventType="OBJECT_FINALIZE", bucketId="b"),
        message(json.loads("[1]"), eventType="OBJECT_FINALIZE"),
    ],
)
def test_other_news_of_objects_is_none(event: Any) -> None:
    """Only a new object counts, and only one that is named."""
    assert isinstance(gcp(event), Foreign)
