"""The events by which Azure Machine Learning reports that a run has changed its status."""

import hashlib
from datetime import UTC
from typing import Final
from uuid import uuid4

from emulators.arm.jobs import Job
from emulators.arm.problems import Json

PROVIDER: Final = "Microsoft.MachineLearningServices"


def run_events(job: Job, workspace: str) -> list[Json]:
    """Return the Event Grid events of a job's last change; each has an id of its own.

    Every change is reported by a `RunStatusChanged`, completion by a `RunCompleted` as well. The events
    have the form of the samples in the documentation and in the SDK.

    Args:
        job: the job.
        workspace: the resource id of its workspace.

    """
    data = _data(job)
    events = [_event(job, workspace, "RunStatusChanged", data | {"runStatus": job.status}, "2")]
    if job.status == "Completed":
        events.append(_event(job, workspace, "RunCompleted", data, ""))
    return events


def _event(job: Job, workspace: str, kind: str, data: Json, version: str) -> Json:
    return {
        "topic": workspace,
        "eventType": f"{PROVIDER}.{kind}",
        "subject": f"experiments/{data['experimentId']}/runs/{job.name}",
        # Seven digits after the decimal point, as .NET formats a time.
        "eventTime": job.modified.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
        "id": str(uuid4()),
        "data": data,
        "dataVersion": version,
        "metadataVersion": "1",
    }


def _data(job: Job) -> Json:
    experiment = job.properties.get("experimentName") or "Default"
    return {
        "experimentId": hashlib.md5(experiment.encode(), usedforsecurity=False).hexdigest(),
        "experimentName": experiment,
        "runId": job.name,
        "runType": "azureml.PipelineRun",
        "runTags": job.tags,
        "runProperties": dict(job.properties.get("properties") or {}),
    }
