"""A person releases or drops over HTTP what waits for an approval."""

import dataclasses
import json

import pytest

from shared.http.messages import Response
from shared.ledger.document import write_state
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, problem
from tests.core.samples import HOUR, MINUTE, model_text

WAITING = model_text(settings="approval = true")


def test_an_approval_releases_the_waiting_trigger() -> None:
    """It is written down by whom and when, and the training starts once the bus carries it."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    assert deployment.get("/models/churn")["state"] == "waiting"
    deployment.wait(MINUTE)
    for _ in range(2):
        response = deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"}, caller="ada")
        assert response.status == 200
        named = {"model_id": "churn", "trigger_id": "t-1"}
        assert json.loads(response.body) == named | {"state": "waiting", "status": "approved"}
    waiting = deployment.state().waiting
    assert waiting is not None
    assert (waiting.approved_by, waiting.approved_at) == ("ada", deployment.now)
    assert deployment.service.runs == {}
    deployment.carry()
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-1"]
    assert deployment.reasons() == ["awaiting_approval", "approved", "launched"]
    assert (deployment.state().decisions[1].decision, deployment.state().decisions[1].requested_by) == ("steer", "ada")
    assert deployment.state().decisions[0].detail == "approved by ada at 2026-11-21T03:01:00Z"


def approve(deployment: Deployment, name: str = "t-1", caller: str = "ada") -> Response:
    """Approve a trigger over HTTP."""
    return deployment.call("POST", "/models/churn/approve", {"trigger_id": name}, caller=caller)


def test_an_approval_that_comes_again_after_the_launch_is_answered_alike() -> None:
    """While it trains and after, nothing is sent again, and the first approval stands."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    first = approve(deployment)
    deployment.carry()
    for _ in range(2):
        again = approve(deployment, caller="bob")
        assert (again.status, json.loads(again.body)["status"]) == (first.status, "approved")
        assert deployment.bus.sweeps == []
        deployment.end(deployment.service.runs["run-1"].request.trigger, "run-1")
    assert len(deployment.service.runs) == 1
    assert deployment.state().decisions[0].detail.startswith("approved by ada at ")


def test_a_trigger_that_was_replaced_cannot_be_approved() -> None:
    """The newest trigger waits; who approves the one before learns which it is."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    deployment.emit("t-2")
    assert deployment.reasons() == ["awaiting_approval", "superseded", "awaiting_approval"]
    detail = problem(approve(deployment), 409, "Conflict")
    assert detail == "trigger_id: 't-1' no longer waits for an approval: replaced by t-2"
    assert approve(deployment, "t-2").status == 200


def test_a_released_trigger_is_kept_until_the_cooldown_is_over() -> None:
    """It is queued with one decision, approving it again is answered alike, and it starts without another event."""
    deployment = Deployment(model_text(settings='approval = true\ncooldown = "6h"'))
    deployment.emit("t-1")
    first = approve(deployment)
    waiting = deployment.state().waiting
    assert waiting is not None
    state = dataclasses.replace(deployment.state(), last_start=deployment.now)
    deployment.ledger.save("churn", write_state(state), deployment.ledger.peek("churn").version)
    deployment.carry()
    assert approve(deployment).status == first.status
    for _ in range(2):
        sweep(deployment.receiver)
    assert [line.reason for line in deployment.state().decisions] == ["cooldown", "approved", "awaiting_approval"]
    assert deployment.state().decisions[0].decision == "queue"
    assert deployment.state().decisions[0].detail == (
        "approved by ada at 2026-11-21T03:00:00Z; no training before 2026-11-21T09:00:00Z"
    )
    deployment.wait(6 * HOUR)
    sweep(deployment.receiver)
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-1"]
    assert approve(deployment).status == first.status


@pytest.mark.parametrize("approved_first", [True, False])
def test_of_an_approval_and_a_rejection_one_wins(*, approved_first: bool) -> None:
    """The second one is a conflict, and repeating either gets its first answer."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    actions = ["approve", "reject"] if approved_first else ["reject", "approve"]
    for _ in range(2):
        answers = [deployment.call("POST", f"/models/churn/{name}", {"trigger_id": "t-1"}) for name in actions]
        assert [answer.status for answer in answers] == [200, 409]
    deployment.carry()
    assert len(deployment.service.runs) == approved_first


def test_an_approval_is_requested_once() -> None:
    """A trigger that was released while a training ran starts when that ends, without a second approval."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    policy = dataclasses.replace(deployment.receiver.config.models[0].policy, approval=False)
    (model,) = deployment.receiver.config.models
    free = dataclasses.replace(deployment.receiver.config, models=(dataclasses.replace(model, policy=policy),))
    careful = deployment.receiver
    deployment.receiver = dataclasses.replace(careful, config=free)
    deployment.emit("t-2")
    deployment.receiver = careful
    approve(deployment)
    deployment.carry()
    queued = deployment.state().queued
    assert queued is not None
    assert (queued.trigger.trigger_id, queued.approved_by) == ("t-1", "ada")
    assert approve(deployment).status == 200
    deployment.end(deployment.service.runs["run-1"].request.trigger, "run-1")
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-2", "t-1"]
    assert deployment.state().decisions[0].detail == "approved by ada at 2026-11-21T03:00:00Z"


def test_a_person_with_a_long_name_may_approve() -> None:
    """A long name of a person from the platform is cut, and never an error."""
    deployment = Deployment(WAITING)
    deployment.call("POST", "/retrain", {"model_id": "churn", "trigger_id": "t-1"}, caller="a" * 2000)
    assert deployment.bus.published[0].requested_by == "a" * 512
    deployment.carry()
    assert approve(deployment, caller="b" * 2000).status == 200
    deployment.carry()
    assert deployment.state().decisions[0].detail == f"approved by {'b' * 300} at 2026-11-21T03:00:00Z"


def test_a_rejection_drops_the_waiting_trigger() -> None:
    """It never starts, an approval comes too late, and rejecting it again is not an error."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    for _ in range(2):
        response = deployment.call("POST", "/models/churn/reject", {"trigger_id": "t-1"}, caller="ada")
        named = {"model_id": "churn", "trigger_id": "t-1"}
        assert json.loads(response.body) == named | {"state": "idle", "status": "rejected"}
    late = deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"})
    assert problem(late, 409, "Conflict") == ("trigger_id: 't-1' no longer waits for an approval: rejected by ada")
    deployment.emit("t-1")
    assert deployment.service.runs == {}
    assert deployment.reasons() == ["awaiting_approval", "rejected", "not_approved"]
    assert deployment.state().decisions[0].detail == "rejected by ada"
    assert deployment.get("/models/churn")["waiting"] is None


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize(
    ("body", "status", "title", "detail"),
    [
        ({"trigger_id": "t-2"}, 409, "Conflict", "trigger_id: 't-2' does not wait for an approval"),
        ({}, 422, "Unprocessable Content", "trigger_id: must name a trigger, not None"),
        ({"trigger_id": 1}, 422, "Unprocessable Content", "trigger_id: must name a trigger, not 1"),
    ],
)
def test_only_the_waiting_trigger_can_be_judged(
    action: str, body: dict[str, object], status: int, title: str, detail: str
) -> None:
    """Another id is a conflict, none is 422, and what waits goes on waiting."""
    deployment = Deployment(WAITING)
    deployment.emit("t-1")
    response = deployment.call("POST", f"/models/churn/{action}", body)
    assert problem(response, status, title) == detail
    waiting = deployment.state().waiting
    assert waiting is not None
    assert (waiting.trigger.trigger_id, waiting.approved_by) == ("t-1", None)
    assert deployment.bus.sweeps == []


def test_nothing_on_the_bus_approves() -> None:
    """The same trigger again, however often and by whom, goes on waiting."""
    deployment = Deployment(WAITING)
    for fields in ({}, {"force": True}, {"approved_by": "me"}):
        requested = {"model_id": "churn", "trigger_id": "t-1", "requested_by": "me"} | fields
        deployment.receive({"source": "ml3_platform", "detail-type": "retrain_trigger", "detail": requested})
    assert deployment.get("/models/churn")["state"] == "waiting"
    assert deployment.service.runs == {}
