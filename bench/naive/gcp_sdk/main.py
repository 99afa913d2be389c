"""The usual function between Pub/Sub and Vertex AI: the official client, made at import."""

import base64
import hashlib
import json
import os
from typing import Any
from urllib.parse import urlsplit

import flask
import functions_framework
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import PipelineJob, PipelineServiceClient
from google.cloud.aiplatform_v1.services.pipeline_service.transports import PipelineServiceRestTransport
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

endpoint = urlsplit(os.environ["RETRAIN_VERTEX_ENDPOINT"])
transport = PipelineServiceRestTransport(
    host=endpoint.netloc, url_scheme=endpoint.scheme, credentials=AnonymousCredentials()
)
client = PipelineServiceClient(transport=transport)
with open(os.environ["SPECIFICATION"], encoding="utf-8") as file:  # noqa: PTH123 - as it is usually written
    specification = ParseDict(json.load(file), Struct())


@functions_framework.http
def receive(request: flask.Request) -> dict[str, Any]:
    """Start the pipeline for a trigger, with an id that makes repeats of the same trigger harmless."""
    message = json.loads(base64.b64decode(request.get_json()["message"]["data"]))["payload"]
    token = hashlib.sha256(f"{message['model_id']}/{message['trigger_id']}".encode()).hexdigest()[:40]
    job = PipelineJob(
        display_name="churn",
        pipeline_spec=specification,
        runtime_config=PipelineJob.RuntimeConfig(gcs_output_directory="gs://contracts"),
    )
    made = client.create_pipeline_job(
        parent="projects/contracts/locations/europe-west4", pipeline_job=job, pipeline_job_id=f"retrain-{token}"
    )
    return {"job": made.name}
