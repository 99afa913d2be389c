"""The usual function between Event Grid and Azure Machine Learning: the official client, made at import."""

import hashlib
import io
import os
import time

import azure.functions as func
from azure.ai.ml import MLClient, load_job
from azure.core.credentials import AccessToken

workspace = os.environ["WORKSPACE"].split("/")
endpoint = os.environ["RETRAIN_ARM_ENDPOINT"] + "/"


class Credential:
    """A token without signature, in the form that the client insists on; azure-identity would cost another 0.3 s."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return the token."""
        return AccessToken(os.environ["TOKEN"], int(time.time()) + 3600)


client = MLClient(
    Credential(),
    subscription_id=workspace[2],
    resource_group_name=workspace[4],
    workspace_name=workspace[8],
    enable_telemetry=False,
    # The stand-in speaks http on loopback.
    enforce_https=False,
    cloud="bench",
    cloud_metadata={
        "azure_portal": endpoint,
        "resource_manager": endpoint,
        "active_directory": endpoint,
        "aml_resource_id": "https://ml.azure.com/",
        "storage_endpoint": "bench",
        "registry_discovery_endpoint": endpoint,
    },
)
app = func.FunctionApp()


@app.event_grid_trigger(arg_name="event")
def retrain_receive(event: func.EventGridEvent) -> None:
    """Start the pipeline for a trigger, with a name that makes repeats of the same trigger harmless."""
    trigger = event.get_json()
    token = hashlib.sha256(f"{trigger['model_id']}/{trigger['trigger_id']}".encode()).hexdigest()[:40]
    job = load_job(
        io.StringIO(f"""
            type: pipeline
            name: retrain-{token}
            component: azureml:{os.environ["COMPONENT"]}
            experiment_name: churn
            settings: {{force_rerun: true}}
        """)
    )
    client.jobs.create_or_update(job)
