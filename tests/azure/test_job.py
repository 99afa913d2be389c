"""A training as the body of the request that creates its job."""

import dataclasses

from emulators.arm.standin import WORKSPACE
from functions.azure.job import LONGEST_TAG, job_document, job_inputs, provenance, studio_url
from shared.trigger import RetrainTrigger
from tests.azure.adapters import COMPONENT, TARGET
from tests.contracts.adapters import TRIGGER, request


def test_the_body_has_the_documented_form() -> None:
    """A pipeline job from a registered component, run anew whatever ran before."""
    assert job_document(TARGET, request(parameters={"epochs": 8})) == {
        "properties": {
            "jobType": "Pipeline",
            "componentId": COMPONENT,
            "experimentName": "churn",
            "displayName": "retrain churn",
            "tags": {
                "retrain-token": TRIGGER.token,
                "retrain-model-id": "churn",
                "retrain-trigger-id": "t-1",
                "retrain-origin": "drift",
                "retrain-reason": "Qualität fällt",
                "retrain-severity": "high",
                "retrain-requested-by": "monitor",
                "retrain-requested-at": "2026-11-21T03:00:00Z",
            },
            "inputs": {"epochs": {"jobInputType": "literal", "value": "8"}},
            "settings": {"force_rerun": True, "default_compute": f"{WORKSPACE}/computes/cpu-cluster"},
        }
    }


def test_compute_and_experiment_may_be_left_out() -> None:
    """Without a compute the component's own steps decide; without an experiment there is a common one."""
    body = job_document(dataclasses.replace(TARGET, compute="", experiment=""), request())["properties"]
    assert isinstance(body, dict)
    assert body["settings"] == {"force_rerun": True}
    assert body["experimentName"] == "retrain"


def test_a_compute_may_be_a_resource_id() -> None:
    """A compute of another workspace, or one written out, stays as it is."""
    compute = "/subscriptions/s/x/computes/gpu"
    body = job_document(dataclasses.replace(TARGET, compute=compute), request())["properties"]
    assert isinstance(body, dict)
    assert body["settings"]["default_compute"] == compute


def test_inputs_are_texts() -> None:
    """Every value is a text, booleans as in JSON; an empty one is left to the component's default."""
    values = job_inputs({"n": 8, "rate": 0.5, "on": True, "off": False, "zero": 0, "whole": 12.0, "empty": ""})
    assert {name: given["value"] for name, given in values.items()} == {
        "n": "8",
        "rate": "0.5",
        "on": "true",
        "off": "false",
        "zero": "0",
        "whole": "12",
    }
    assert {given["jobInputType"] for given in values.values()} == {"literal"}


def test_tags_are_never_too_long_and_never_empty() -> None:
    """The longest trigger has tags that Azure ML takes, the smallest has none that say nothing."""
    longest = dataclasses.replace(
        TRIGGER, model_id="m" * 256, trigger_id="t" * 128, reason="ü" * 512, requested_by="x" * 512
    )
    tags = provenance(request(longest))
    assert max(map(len, tags.values())) == LONGEST_TAG
    assert (tags["retrain-model-id"], tags["retrain-trigger-id"]) == ("m" * 256, "t" * 128)
    smallest = RetrainTrigger(model_id="m", trigger_id="t", origin="manual", requested_at=TRIGGER.requested_at)
    assert all(provenance(request(smallest)).values())
    assert set(provenance(request(smallest))) == {
        "retrain-token",
        "retrain-model-id",
        "retrain-trigger-id",
        "retrain-origin",
        "retrain-requested-at",
    }


def test_the_page_of_a_job_is_the_services_own() -> None:
    """The address in the job's document counts before the usual one."""
    job = {"properties": {"services": {"Studio": {"endpoint": "https://ml.azure.us/x"}}}}
    assert studio_url(job, "n", "/w") == "https://ml.azure.us/x"
    assert studio_url({}, "n", "/w") == "https://ml.azure.com/runs/n?wsid=/w"
