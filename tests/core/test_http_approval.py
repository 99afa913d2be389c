"""A person releases or drops over HTTP what waits for an approval."""

import json

import pytest

from tests.core.deployment import Deployment, problem
from tests.core.samples import MINUTE, model_text

WAITING = model_text(settings="approval = true")


def test_an_approval_releases_the_waiting_trigger() -> None:
    """It is written down by whom and when, and the training starts once the bus carries it."""
    deployment = Deployment(WAITING)
    deployment.ask("t-1")
    assert deployment.get("/models/churn")["state"] == "waiting"
    deployment.wait(MINUTE)
    for _ in range(2):
        response = deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"}, caller="ada")
        assert response.status == 200
        assert json.loads(response.body) == {"model_id": "churn", "trigger_id": "t-1", "status": "approved"}
    waiting = deployment.state().waiting
    assert waiting is not None
    assert (waiting.approved_by, waiting.approved_at) == ("ada", deployment.now)
    assert deployment.service.runs == {}
    deployment.carry()
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-1"]
    assert deployment.reasons() == ["awaiting_approval", "launched"]
    assert deployment.state().decisions[0].detail == "approved by ada"


def test_a_rejection_drops_the_waiting_trigger() -> None:
    """It never starts, an approval comes too late, and rejecting it again is no error."""
    deployment = Deployment(WAITING)
    deployment.ask("t-1")
    for _ in range(2):
        response = deployment.call("POST", "/models/churn/reject", {"trigger_id": "t-1"}, caller="ada")
        assert json.loads(response.body) == {"model_id": "churn", "trigger_id": "t-1", "status": "rejected"}
    late = deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"})
    assert problem(late, 422, "Unprocessable Entity") == "trigger_id: 't-1' does not wait for an approval"
    deployment.ask("t-1")
    assert deployment.service.runs == {}
    assert deployment.reasons() == ["awaiting_approval", "not_approved"]
    assert deployment.state().decisions[0].detail == "rejected by ada"
    assert deployment.get("/models/churn")["waiting"] is None


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"trigger_id": "t-2"}, "trigger_id: 't-2' does not wait for an approval"),
        ({}, "trigger_id: must name the waiting trigger, not None"),
        ({"trigger_id": 1}, "trigger_id: must name the waiting trigger, not 1"),
    ],
)
def test_only_the_waiting_trigger_can_be_judged(action: str, body: dict[str, object], detail: str) -> None:
    """Another id, or none, is 422, and what waits goes on waiting."""
    deployment = Deployment(WAITING)
    deployment.ask("t-1")
    response = deployment.call("POST", f"/models/churn/{action}", body)
    assert problem(response, 422, "Unprocessable Entity") == detail
    waiting = deployment.state().waiting
    assert waiting is not None
    assert (waiting.trigger.trigger_id, waiting.approved_by) == ("t-1", None)
    assert deployment.bus.published == []


def test_nothing_on_the_bus_approves() -> None:
    """The same trigger again, however often and by whom, goes on waiting."""
    deployment = Deployment(WAITING)
    for fields in ({}, {"force": True}, {"approved_by": "me"}):
        asked = {"model_id": "churn", "trigger_id": "t-1", "requested_by": "me"} | fields
        deployment.receive({"source": "ml3_platform", "detail-type": "retrain_trigger", "detail": asked})
    assert deployment.get("/models/churn")["state"] == "waiting"
    assert deployment.service.runs == {}
