"""Calls to the stand-in for Vertex AI, by plain HTTP."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from emulators.vertex import VertexStandIn
from tests.contracts.google_project import pipeline_specification

PARENT = "projects/acme/locations/europe-west4"
TEMPLATE = "https://europe-west4-kfp.pkg.dev/acme/pipelines/churn/latest"

Json = dict[str, Any]


class Caller:
    """Calls a stand-in by plain HTTP."""

    def __init__(self, vertex: VertexStandIn) -> None:
        """Call this one."""
        self.vertex = vertex

    def call(self, method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None) -> Json:
        """Return the status and the JSON of an answer, as one object."""
        connection = http.client.HTTPConnection(self.vertex.url.removeprefix("http://"), timeout=10)
        try:
            body = content if isinstance(content, bytes) else json.dumps(content)
            connection.request(method, f"/v1/{path}", body, dict(headers or {}))
            answer = connection.getresponse()
            return {"http": answer.status, **json.loads(answer.read())}
        finally:
            connection.close()

    def create(self, job_id: str = "retrain-1", **changes: object) -> Json:
        """Create a job; *changes* replace top-level fields of its body."""
        return self.call("POST", f"{PARENT}/pipelineJobs?pipelineJobId={job_id}", a_job(**changes))

    def get(self, job_id: str = "retrain-1") -> Json:
        """Return a job."""
        return self.call("GET", f"{PARENT}/pipelineJobs/{job_id}")


def a_job(**changes: object) -> Json:
    """Return a job as a launcher sends it; none removes a field."""
    runtime = {"gcsOutputDirectory": "gs://acme", "parameterValues": {"epochs": 5}}
    body = {"displayName": "t-1", "pipelineSpec": pipeline_specification(), "runtimeConfig": runtime}
    return {name: value for name, value in (body | changes).items() if value is not None}


def runtime(**changes: object) -> Json:
    """Return a runtime configuration."""
    return {"gcsOutputDirectory": "gs://acme", **changes}
