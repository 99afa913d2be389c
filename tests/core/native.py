"""Samples of what platforms send, and how each of their services delivers it."""

import base64
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from functions.aws.entry import is_batch, message_event
from shared.receive import Decode
from shared.wire import eventbridge, eventgrid, pubsub
from shared.wire.signals_azure import BREACHED

EVENTS: Final = Path(__file__).parents[1] / "events"
SOURCE: Final = "ml3_platform"

ALARM: Final = "aws/drift-detection-CloudWatchAlarm-feature_baseline_drift.json"
ALARM_ACTION: Final = "aws/powertools-cloudWatchAlarmEventSingleMetric.json"
ALARM_MESSAGE: Final = "aws/lambdago-cloudwatch-alarm-sns-payload-single-metric.json"
S3_OBJECT: Final = "aws/powertools-s3EventBridgeNotificationObjectCreatedEvent.json"
GCS_DATA: Final = "gcp/cloudevents-StorageObjectData-simple.json"
GCS_OBJECT: Final = "gcp/conformance-storage-cloudevent-input.json"
ANOMALY: Final = "gcp/docs-vertex-model-monitoring-anomaly-logentry.json"
BLOB: Final = "azure/docs-cloudevents-BlobCreated.json"
DATASET_DRIFT: Final = "azure/docs-eventgridschema-DatasetDriftDetected.json"
RUN_STATUS: Final = "azure/gosdk-RunStatusChanged.json"

BREACH: Final = (
    "The signal 'churn-monitor_data_drift' has failed due to one or more features violating metric thresholds."
)

# The types of the CloudEvents of which only the data is among the samples.
_TYPES: Final = {
    "BuildEventData": "google.cloud.cloudbuild.build.v1.statusChanged",
    "DocumentEventData": "google.cloud.firestore.document.v1.updated",
    "LogEntryData": "google.cloud.audit.log.v1.written",
    "MessagePublishedData": "google.cloud.pubsub.topic.v1.messagePublished",
    "SchedulerJobData": "google.cloud.scheduler.job.v1.executed",
    "StorageObjectData": "google.cloud.storage.object.v1.finalized",
}


def sample(name: str) -> Any:
    """Return a recorded event as it is in its file."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def aws(event: object) -> Any:
    """Read what EventBridge delivers."""
    return eventbridge.decode(event, SOURCE)


def gcp(event: object) -> Any:
    """Read what Eventarc or a push subscription delivers."""
    return pubsub.decode(event, SOURCE)


def azure(event: object) -> Any:
    """Read what Event Grid delivers."""
    return eventgrid.decode(event, SOURCE)


def message(body: object, **attributes: str) -> dict[str, Any]:
    """Return a push of the Pub/Sub message with *body* as JSON, or without any content where it is none."""
    data = b"" if body is None else json.dumps(body).encode()
    fields = {"messageId": "m-1", "publishTime": "2026-11-21T02:59:59Z", "attributes": attributes}
    content = {"data": base64.b64encode(data).decode()}
    return {"subscription": "projects/acme/subscriptions/retrain", "message": fields | content}


def cloud_event(kind: str, data: object) -> dict[str, Any]:
    """Return a CloudEvent of Google with *data*."""
    return {"specversion": "1.0", "type": kind, "source": "//acme", "id": "e-1", "data": data}


def delivered(name: str) -> list[tuple[object, Decode]]:
    """Return the events that the sample *name* makes, each with the codec that reads it."""
    content, folder, stem = sample(name), name.partition("/")[0], name.partition("/")[2]
    if folder == "azure" or "eventgrid" in stem:
        return [(event, azure) for event in eventgrid.events_of(content)]
    if folder == "aws" or "eventbridge" in stem:
        return [(event, aws) for event in _from_queue(content)]
    if stem.startswith("cloudevents-"):
        return [(cloud_event(_TYPES[stem.split("-")[1]], content), gcp)]
    # A log sink and ML cube both publish what is in the file.
    return [(content if stem.startswith("conformance-") else message(content), gcp)]


def _from_queue(content: Any) -> list[object]:
    return [message_event(record["body"]) for record in content["Records"]] if is_batch(content) else [content]


def changed(event: Any, value: object, *path: str | int) -> Any:
    """Return a copy of *event* in which *value* stands under *path*; an ellipsis leaves the field out."""
    event = copy.deepcopy(event)
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return event


def breach(**data: object) -> Any:
    """Return the status change of a monitor's run that found a threshold breached, with *data* instead of its own.

    No public sample has the tag. What it says is what Azure's documentation filters by ("Monitor the performance of
    models deployed to production", integration with Event Grid).
    """
    (event,) = sample(RUN_STATUS)
    tags = {BREACHED: BREACH}
    fields = {"experimentName": "monitoring", "runId": "run-1", "runStatus": "Failed", "runTags": tags}
    return changed(event, event["data"] | fields | data, "data")


def paths(event: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Go through the places of all fields and items in *event*."""
    inner = event.items() if isinstance(event, dict) else enumerate(event) if isinstance(event, list) else ()
    for name, value in inner:
        yield (*path, name)
        yield from paths(value, *path, name)


def natives() -> list[tuple[Any, Decode]]:
    """Return one event of every form of signal, each with the codec that reads it."""
    reason_data = json.dumps({"threshold": 0.4, "recentDatapoints": [0.85], "triggeringAlarms": [{"arn": "arn:1"}]})
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": "some-bucket", "objectId": "folder/Test.cs"}
    return [
        (changed(sample(ALARM), reason_data, "detail", "state", "reasonData"), aws),
        (sample(ALARM_ACTION), aws),
        (json.loads(sample(ALARM_MESSAGE)["Records"][0]["Sns"]["Message"]), aws),
        (sample(S3_OBJECT), aws),
        (sample(GCS_OBJECT), gcp),
        (message(None, **attributes, objectGeneration="1587627537231057"), gcp),
        (sample(ANOMALY), lambda entry: gcp(message(entry))),
        (breach(), azure),
        (sample(DATASET_DRIFT)[0], azure),
        (sample(BLOB)[0], azure),
    ]
