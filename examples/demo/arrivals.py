"""The events by which each platform reports a new file, as documented, for the file in the story."""

import base64
import json
from pathlib import Path
from typing import Any

from examples.demo.models import CONTAINER, FILE

Json = dict[str, Any]

EVENTS = Path(__file__).with_name("events")


def s3_event() -> Json:
    """Return the event that S3 sends to EventBridge."""
    event: Json = _read("s3-object-created.json")
    named = {"bucket": {"name": CONTAINER}, "object": event["detail"]["object"] | {"key": FILE}}
    return event | {"resources": [f"arn:aws:s3:::{CONTAINER}"], "detail": event["detail"] | named}


def gcs_message() -> Json:
    """Return the Pub/Sub message of a bucket's notification."""
    data = _read("gcs-object-finalized.json") | {"bucket": CONTAINER, "name": FILE}
    # Documentation, "Pub/Sub notifications for Cloud Storage": the attributes of every notification.
    attributes = {
        "notificationConfig": f"projects/_/buckets/{CONTAINER}/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": CONTAINER,
        "objectId": FILE,
        "objectGeneration": data["generation"],
        "eventTime": data["updated"],
    }
    return {"data": base64.b64encode(json.dumps(data).encode()).decode(), "attributes": attributes}


def blob_event() -> Json:
    """Return the event that a storage account sends to Event Grid, in the Event Grid schema."""
    (event,) = _read("blob-created.json")
    return {
        "topic": event["source"],
        "subject": f"/blobServices/default/containers/{CONTAINER}/blobs/{FILE}",
        "eventType": event["type"],
        "eventTime": event["time"],
        "id": event["id"],
        "data": event["data"] | {"url": f"https://my-storage-account.blob.core.windows.net/{CONTAINER}/{FILE}"},
        "dataVersion": "",
        "metadataVersion": "1",
    }


def _read(path: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((EVENTS / path).read_text(encoding="utf-8"))
