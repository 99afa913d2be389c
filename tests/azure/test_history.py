"""Where the reason of a failed job is, and which text it is."""

from typing import Any

import pytest

from functions.azure.history import error_message, history_address

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/acme"
PUBLIC = "https://management.azure.com"


def job(host: str) -> dict[str, Any]:
    """Return a job as Azure Resource Manager shows it."""
    return {"properties": {"services": {"Tracking": {"endpoint": f"azureml://{host}/mlflow/v1.0{WORKSPACE}?"}}}}


@pytest.mark.parametrize("host", ["westeurope.api.azureml.ms", "usgovvirginia.api.ml.azure.us", "x.api.ml.azure.cn"])
def test_the_run_history_of_a_job(host: str) -> None:
    """It is at the address that the job names, if that is one of Microsoft's."""
    expected = f"https://{host}/history/v1.0{WORKSPACE}/runs/retrain-1/details"
    assert history_address(job(host), "retrain-1", PUBLIC) == expected


@pytest.mark.parametrize(
    "named",
    [
        job("api.azureml.ms.evil.example"),
        job("evil.example"),
        {},
        {"properties": {"services": None}},
        {"properties": {"services": {"Tracking": "x"}}},
        {"properties": {"services": {"Tracking": {"endpoint": "https://westeurope.api.azureml.ms"}}}},
    ],
)
def test_a_token_goes_to_no_other_address(named: dict[str, Any]) -> None:
    """A job that names none, or one of others, has no run history for us."""
    assert history_address(named, "retrain-1", PUBLIC) is None


def test_a_stand_in_is_its_own_run_history() -> None:
    """On loopback every name leads to the stand-in."""
    found = history_address(job("evil.example"), "retrain-1", "http://127.0.0.1:7071")
    assert found == f"http://127.0.0.1:7071/history/v1.0{WORKSPACE}/runs/retrain-1/details"


@pytest.mark.parametrize(
    ("details", "message"),
    [
        ({"error": {"error": {"message": "out of memory"}}}, "out of memory"),
        ({"error": {"error": {"message": 1}}}, ""),
        ({"error": {"error": "x"}}, ""),
        ({"error": None}, ""),
        ({}, ""),
    ],
)
def test_the_message_of_a_failure(details: dict[str, Any], message: str) -> None:
    """Anything but a text is left out."""
    assert error_message(details) == message
