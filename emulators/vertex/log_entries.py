"""The log entry by which Vertex AI reports that a pipeline job has changed its state.

Log, payload type, monitored resource and labels are taken from the list of service logs in the documentation of Cloud
Logging; a sink sends each entry to a topic, as the whole `LogEntry` in JSON.
"""

import base64
import json
from typing import Any
from uuid import uuid4

from emulators.vertex.jobs import FAILED, Job, timestamp

Json = dict[str, Any]


def log_entry(job: Job) -> Json:
    """Return the log entry of a job's last change."""
    _, project, _, location, *_ = job.name.split("/")
    project_id = job.parent.split("/")[1]
    payload = {
        "@type": "type.googleapis.com/google.cloud.aiplatform.logging.PipelineJobLogEntry",
        "pipelineName": job.spec.get("pipelineInfo", {}).get("name", ""),
        "state": job.state,
        **({"error": {"code": 9, "message": job.error}} if job.error else {}),
    }
    return {
        "insertId": uuid4().hex[:16],
        "jsonPayload": payload,
        "resource": {
            "type": "aiplatform.googleapis.com/PipelineJob",
            "labels": {"location": location, "pipeline_job_id": job.job_id, "resource_container": project},
        },
        "timestamp": timestamp(job.updated),
        "severity": "ERROR" if job.state == FAILED else "INFO",
        "labels": {"pipeline_name": payload["pipelineName"], "vertex-ai-pipelines-run-billing-id": job.job_id},
        "logName": f"projects/{project_id}/logs/aiplatform.googleapis.com%2Fpipeline_job_events",
        "receiveTimestamp": timestamp(job.updated),
    }


def sink_message(entry: Json) -> Json:
    """Return the Pub/Sub message that a sink publishes for an entry."""
    attributes = {"logging.googleapis.com/timestamp": entry["timestamp"]}
    return {"data": base64.b64encode(json.dumps(entry).encode()).decode(), "attributes": attributes}
