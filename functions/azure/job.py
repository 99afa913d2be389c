"""The documents of a training as a job of Azure Machine Learning."""

from collections.abc import Mapping
from typing import Any, Final

from shared.config.parameters import spelled
from shared.config.targets import AzureMlTarget
from shared.fields import Parameter
from shared.ports import LaunchRequest

EXPERIMENT: Final = "retrain"
TOKEN_TAG: Final = "retrain-token"  # noqa: S105 - a name, and an idempotency token is not a secret
# The longest value that Azure ML accepts for a tag.
LONGEST_TAG: Final = 256
STUDIO: Final = "https://ml.azure.com"


def job_document(target: AzureMlTarget, request: LaunchRequest) -> dict[str, object]:
    """Return the body that creates the job of *request* (REST API, Jobs - Create Or Update, PipelineJob)."""
    # Without force_rerun Azure ML may reuse the outputs of an equal earlier job.
    settings: dict[str, object] = {"force_rerun": True}
    if target.compute:
        settings["default_compute"] = _compute(target)
    return {
        "properties": {
            "jobType": "Pipeline",
            "componentId": target.component,
            "experimentName": target.experiment or EXPERIMENT,
            "displayName": f"retrain {request.trigger.model_id}"[:LONGEST_TAG],
            "tags": provenance(request),
            "inputs": job_inputs(request.parameters),
            "settings": settings,
        }
    }


def job_inputs(parameters: Mapping[str, Parameter]) -> dict[str, dict[str, str]]:
    """Return *parameters* as inputs: every value a string, `true` and `false` as in JSON.

    An empty value is left out, so the component's default applies: the REST API accepts no empty literal.
    """
    return {
        name: {"jobInputType": "literal", "value": spelled(value)} for name, value in parameters.items() if value != ""
    }


def provenance(request: LaunchRequest) -> dict[str, str]:
    """Return the tags that show why a job runs, `MODEL_TAG` of `eventgrid_runs` among them; long texts are cut."""
    tags = {f"retrain-{name.replace('_', '-')}": text for name, text in request.trigger.provenance.items()}
    return {name: text[:LONGEST_TAG] for name, text in {TOKEN_TAG: request.token, **tags}.items() if text}


def studio_url(job: Mapping[str, Any], name: str, workspace: str) -> str:
    """Return the address of a job in the studio: the one in its document, else the usual one."""
    place: object = job
    for step in ("properties", "services", "Studio", "endpoint"):
        place = place.get(step) if isinstance(place, Mapping) else None
    return place if isinstance(place, str) and place else f"{STUDIO}/runs/{name}?wsid={workspace}"


def _compute(target: AzureMlTarget) -> str:
    if target.compute.startswith("/"):
        return target.compute
    return f"/{target.workspace.strip('/')}/computes/{target.compute}"
