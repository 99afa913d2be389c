"""Native events of the platforms, at the functions as deployed: a model that names one trains, once.

The events are the recorded samples, with the names that the suite's configuration has. This machine's bus carries no
events of other platforms.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.conftest import Opened
from tests.contracts.google_requests import delivered
from tests.contracts.on_google import Google
from tests.contracts.triggers import state_of
from tests.core.native import (
    ALARM,
    ALARM_ACTION,
    ALARM_MESSAGE,
    ANOMALY,
    BLOB,
    DATASET_DRIFT,
    GCS_OBJECT,
    S3_OBJECT,
    breach,
    changed,
    message,
    sample,
)

MODEL: Final = "signalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A native event.

    Attributes:
        cloud: the cloud that sends it.
        named: as `signals` names it.
        other: one of the same kind that they do not name.
        origin: the origin of the trigger that it becomes.
        sender: the requester, if there is one.

    """

    cloud: str
    named: Any
    other: Any
    origin: str
    sender: str


def _alarm() -> Sign:
    named = changed(sample(ALARM), "churn-drift", "detail", "alarmName")
    return Sign(cloud="aws", named=named, other=sample(ALARM), origin="drift", sender="cloudwatch-alarm:churn-drift")


def _alarm_action() -> Sign:
    """Return the event by which an alarm invokes the function itself."""
    named = changed(sample(ALARM_ACTION), "churn-drift", "alarmData", "alarmName")
    return Sign(
        cloud="aws", named=named, other=sample(ALARM_ACTION), origin="drift", sender="cloudwatch-alarm:churn-drift"
    )


def _alarm_message() -> Sign:
    """Return the event by which a topic invokes the function with the message of an alarm."""
    other = sample(ALARM_MESSAGE)
    place = ("Records", 0, "Sns", "Message")
    message_ = json.loads(other["Records"][0]["Sns"]["Message"]) | {"AlarmName": "churn-drift"}
    named = changed(other, json.dumps(message_), *place)
    return Sign(cloud="aws", named=named, other=other, origin="drift", sender="cloudwatch-alarm:churn-drift")


def _s3_event(key: str, size: int = 184662) -> Any:
    in_bucket = changed(sample(S3_OBJECT), "training-data", "detail", "bucket", "name")
    return changed(changed(in_bucket, key, "detail", "object", "key"), size, "detail", "object", "size")


def _s3() -> Sign:
    in_bucket = changed(sample(S3_OBJECT), "training-data", "detail", "bucket", "name")
    named = _s3_event("churn/2026/11.csv")
    sender = "s3-object:training-data/churn/2026/11.csv"
    return Sign(cloud="aws", named=named, other=in_bucket, origin="data", sender=sender)


def _anomaly() -> Sign:
    job = "projects/677687165274/locations/us-central1/modelDeploymentMonitoringJobs/1234567890"
    entry = changed(sample(ANOMALY), job, "jsonPayload", "modelDeploymentMonitoringJob")
    sender = "vertex-monitoring:1234567890"
    return Sign(cloud="gcp", named=message(entry), other=message(sample(ANOMALY)), origin="drift", sender=sender)


def _gcs(name: str = "churn/2026/11.csv") -> Any:
    """Return the attributes of a bucket's notification that has no payload."""
    attributes = {"bucketId": "training-data", "objectId": name, "objectGeneration": "1587627537231057"}
    return message(None, eventType="OBJECT_FINALIZE", payloadFormat="NONE", **attributes)


def _gcs_event(name: str, size: str = "352") -> Any:
    """Return a bucket's notification with its payload, which has the size as a text."""
    body = {"bucket": "training-data", "name": name, "generation": "1587627537231057", "size": size}
    attributes = {"bucketId": "training-data", "objectId": name, "objectGeneration": "1587627537231057"}
    return message(body, eventType="OBJECT_FINALIZE", payloadFormat="JSON_API_V1", **attributes)


def _gcs_object() -> Sign:
    sender = "gcs-object:training-data/churn/2026/11.csv"
    return Sign(cloud="gcp", named=_gcs(), other=_gcs("fraud/2026/11.csv"), origin="data", sender=sender)


def _breach() -> Sign:
    other = breach(runTags={"azureml_modelmonitor_threshold_breached": "The signal 'fraud_data_drift' has failed."})
    # The documented text of the tag names the monitor, the experiment is another one.
    return Sign(cloud="azure", named=breach(), other=other, origin="drift", sender="azureml-monitor:monitoring")


def _dataset_drift() -> Sign:
    other = sample(DATASET_DRIFT)[0]
    named = changed(other, "churn-monitor", "data", "DataDriftName")
    return Sign(cloud="azure", named=named, other=other, origin="drift", sender="azureml-monitor:churn-monitor")


def _blob(*, cloud_event: bool) -> Sign:
    other = sample(BLOB)[0]
    named = changed(other, "/blobServices/default/containers/trainingdata/blobs/churn/11.csv", "subject")
    if not cloud_event:
        named, other = _in_grid_schema(named), _in_grid_schema(other)
    return Sign(cloud="azure", named=named, other=other, origin="data", sender="blob:trainingdata/churn/11.csv")


def _blob_event(name: str, size: int = 524288) -> Any:
    named = changed(sample(BLOB)[0], f"/blobServices/default/containers/trainingdata/blobs/{name}", "subject")
    return _in_grid_schema(changed(named, size, "data", "contentLength"))


def _in_grid_schema(event: Any) -> Any:
    """Return a CloudEvent of Azure as a subscription in Event Grid's own schema delivers it."""
    same = {name: event[name] for name in ("id", "subject", "data")}
    times = {"eventType": event["type"], "eventTime": event["time"]}
    return same | times | {"topic": event["source"], "dataVersion": "", "metadataVersion": "1"}


SIGNS: Final = {
    "CloudWatch alarm": _alarm(),
    "CloudWatch alarm that invokes the function": _alarm_action(),
    "CloudWatch alarm by way of a topic": _alarm_message(),
    "S3 object": _s3(),
    "Vertex AI monitoring": _anomaly(),
    "GCS object": _gcs_object(),
    "Azure ML monitor": _breach(),
    "Azure ML dataset drift": _dataset_drift(),
    "blob": _blob(cloud_event=False),
    "blob as CloudEvent": _blob(cloud_event=True),
}


@pytest.fixture
def signed(sign: Sign, opened: Opened, tmp_path: Path) -> Iterator[Cloud]:
    """Return the cloud that sends the signal, on which nothing has happened yet."""
    with opened(sign.cloud)(tmp_path) as fresh:
        yield fresh


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(sign, id=name, marks=pytest.mark.xdist_group(f"contracts-{sign.cloud}"))
        for name, sign in SIGNS.items()
    ],
)
def test_a_signal_trains_the_model_that_names_it_once(signed: Cloud, sign: Sign) -> None:
    """One that no model names is ignored; one that is named launches, and is a duplicate when it is delivered again."""
    assert signed.deliver(sign.other).verdict == ("ignore", "ignored")
    assert signed.ledger.models(None, 10) == []
    assert signed.deliver(sign.named).verdict == ("launch", "launched")
    assert signed.deliver(sign.named).verdict == ("skip", "duplicate")
    # As the platform's own queue brings it, too.
    assert signed.round([sign.named, sign.other]) == [True, True]
    (trigger_id,) = signed.trainings()
    training = state_of(signed.ledger, MODEL).training
    assert training is not None
    assert training.trigger.trigger_id == trigger_id
    assert (training.trigger.origin, training.trigger.requested_by) == (sign.origin, sign.sender)
    assert training.trigger.evidence
    assert signed.letters() == []


OBJECTS: Final[dict[str, Callable[..., Any]]] = {"aws": _s3_event, "gcp": _gcs_event, "azure": _blob_event}


@pytest.fixture
def store(storing: str, opened: Opened, tmp_path: Path) -> Iterator[Cloud]:
    """Return the cloud of an object store, on which nothing has happened yet."""
    with opened(storing)(tmp_path) as fresh:
        yield fresh


@pytest.mark.parametrize(
    "storing", [pytest.param(name, marks=pytest.mark.xdist_group(f"contracts-{name}")) for name in OBJECTS]
)
def test_an_object_without_data_is_not_a_signal_but_a_named_marker_is(store: Cloud, storing: str) -> None:
    """Folder markers and empty objects train nothing; an empty marker does whose name is in a signal."""
    made = OBJECTS[storing]
    nothing: Any = "0" if storing == "gcp" else 0
    for event in (made("churn/2026/", nothing), made("churn/2026/"), made("churn/2026/11.csv", nothing)):
        assert store.deliver(event).verdict == ("ignore", "ignored")
    assert (store.trainings(), store.letters(), store.ledger.models(None, 10)) == ([], [], [])
    assert store.deliver(made("fraud/2026/_SUCCESS", nothing)).verdict == ("launch", "launched")


@pytest.mark.xdist_group("contracts-gcp")
def test_a_bucket_may_report_an_object_in_two_ways(gcp: Google) -> None:
    """Its own notification over Pub/Sub and Eventarc's CloudEvent of the same object are one training."""
    assert gcp.deliver(_gcs()).verdict == ("launch", "launched")
    event = changed(changed(sample(GCS_OBJECT), "training-data", "data", "bucket"), "churn/2026/11.csv", "data", "name")
    context = {f"ce_{name}": value for name, value in event.items() if name not in ("data", "datacontenttype")}
    binary = delivered(gcp.project.receive, event["data"], **context)
    structured = delivered(gcp.project.receive, event, content_type="application/cloudevents+json")
    assert [binary.verdict, structured.verdict] == [("skip", "duplicate")] * 2
    assert len(gcp.trainings()) == 1
