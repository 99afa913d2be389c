"""The stand-in for Azure ML refuses what the service refuses, and fails exactly as ordered."""

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from emulators.arm import ArmStandIn, Component
from tests.azure.calls import COMPONENT, JOB, call, job_url, put


@pytest.fixture
def arm() -> Iterator[ArmStandIn]:
    """Return a workspace with one component, whose jobs last until they are ended."""
    with ArmStandIn(components={COMPONENT: Component(inputs=("epochs",))}) as stand_in:
        yield stand_in


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"jobType": ...}, 400, "jobType"),
        ({"componentId": ...}, 400, "componentId"),
        ({"jobType": "Command"}, 400, "Pipeline"),
        ({"componentId": f"{COMPONENT}0"}, 404, "components/train/versions/10"),
        ({"inputs": {"epochs": {"jobInputType": "literal", "value": 8}}}, 400, "epochs"),
        ({"inputs": {"epochs": {"jobInputType": "literal", "value": ""}}}, 400, "empty"),
        ({"inputs": {"epochs": "8"}}, 400, "jobInputType"),
        ({"inputs": {"data": {"jobInputType": "uri_folder"}}}, 400, "uri"),
        ({"inputs": {"secret": {"jobInputType": "literal", "value": "8"}}}, 400, "secret"),
        ({"inputs": []}, 400, "inputs"),
        ({"tags": {"by": 1}}, 400, "by"),
    ],
)
def test_an_invalid_job_is_refused(arm: ArmStandIn, change: dict[str, Any], status: int, word: str) -> None:
    """The error names the missing or invalid property, and no job is created."""
    answer = put(arm, **change)
    assert (answer.status, answer.body["error"]["code"]) == (status, "UserError")
    assert word in answer.body["error"]["message"]
    assert arm.jobs() == []


@pytest.mark.parametrize(
    ("method", "name", "version", "expected"),
    [
        ("PUT", "retrain-1", "", (400, "MissingApiVersionParameter")),
        ("PUT", "retrain-1", "?api-version=2020-08-01", (400, "InvalidApiVersionParameter")),
        ("PUT", "retrain-1", "?api-version=newest", (400, "InvalidApiVersionParameter")),
        ("PUT", "-retrain", "?api-version=2024-10-01", (400, "UserError")),
        ("GET", "retrain-1", "?api-version=2024-10-01", (404, "UserError")),
        ("GET", "a/b", "?api-version=2024-10-01", (404, "ResourceNotFound")),
        ("DELETE", "retrain-1", "?api-version=2024-10-01", (405, "MethodNotAllowed")),
    ],
)
def test_an_invalid_request_is_refused(
    arm: ArmStandIn, method: str, name: str, version: str, expected: tuple[int, str]
) -> None:
    """Version, name and method are checked before the job is."""
    answer = call(method, job_url(arm, name, version), {"properties": JOB} if method == "PUT" else None)
    assert (answer.status, answer.body["error"]["code"]) == expected
    assert arm.jobs() == []


def test_another_workspace_and_an_invalid_body_are_refused(arm: ArmStandIn) -> None:
    """Only one workspace exists, and a request must have properties."""
    other = call("PUT", job_url(arm).replace("/acme/", "/other/"), {"properties": JOB})
    assert (other.status, other.body["error"]["code"]) == (404, "ResourceNotFound")
    bodies: tuple[object, ...] = (b"{", {}, [])
    for body in bodies:
        assert call("PUT", job_url(arm), body).body["error"]["code"] == "InvalidRequestContent"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("throttle", 429, "TooManyRequests"),
        ("internal", 500, "InternalServerError"),
        ("unavailable", 503, "ServerTimeout"),
        ("refuse", 400, "UserError"),
        ("unauthorized", 401, "ExpiredAuthenticationToken"),
        ("forbidden", 403, "AuthorizationFailed"),
    ],
)
def test_a_fault_hits_one_request_and_does_nothing(arm: ArmStandIn, kind: str, status: int, code: str) -> None:
    """A fault answers one request of its operation, and is used up."""
    arm.add_fault(kind)
    assert call("GET", job_url(arm)).status == 404
    answer = put(arm)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert ("retry-after" in answer.headers) is (status == 429)
    assert arm.jobs() == []
    assert put(arm).status == 201
    assert arm.all_calls() == {"GET job": 1, "PUT job": 2}


def test_silence_after_nothing_and_after_the_work(arm: ArmStandIn) -> None:
    """After a hang nothing is done; with a lost or slow answer the work is done."""
    arm.add_fault("hang")
    arm.add_fault("lost_answer", times=2)
    arm.add_fault("slow", seconds=0.3)
    for jobs in (0, 1, 1):
        with pytest.raises(http.client.RemoteDisconnected):
            put(arm)
        assert len(arm.jobs()) == jobs
    with pytest.raises(TimeoutError):
        put(arm, "retrain-2", timeout=0.1)
    assert len(arm.jobs()) == 2
