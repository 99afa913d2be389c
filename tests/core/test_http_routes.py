"""Requests find their route, or get a problem that says why not."""

import json

import pytest

from tests.core.deployment import Deployment, problem
from tests.core.samples import model_text
from tests.fakes.faults import Fault, Script

METHODS = {
    "/retrain": "POST",
    "/tick": "POST",
    "/schedules": "POST",
    "/models": "GET",
    "/models/churn": "GET",
    "/models/churn/approve": "POST",
    "/models/churn/reject": "POST",
    "/openapi.yaml": "GET",
    "/health": "GET",
    "/": "GET",
}


@pytest.mark.parametrize("path", METHODS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_405(path: str, method: str) -> None:
    """The answer names the method that the path takes, in its header too."""
    response, allowed = Deployment().call(method, path), {"GET": "GET, HEAD", "POST": "POST"}[METHODS[path]]
    if method == METHODS[path]:
        assert response.status != 405
    else:
        detail = problem(response, 405, "Method Not Allowed")
        assert detail == f"{path} accepts {allowed}, not {method}"
        assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", [path for path, method in METHODS.items() if method == "GET"])
def test_head_is_like_get(path: str) -> None:
    """A monitor that only looks at the status gets the one of GET; the server leaves the body out."""
    assert Deployment().call("HEAD", path) == Deployment().call("GET", path)


@pytest.mark.parametrize(
    "path",
    [
        *("/retrains", "/retrain/", "/retrain/churn", "//retrain", "/models/", "/models//approve", "/Health"),
        *("/models/churn/drop", "/models/churn/approve/", "/models/a/b/approve", "/models/{model_id}/x"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404(path: str, method: str) -> None:
    """The problem names the requested path and the known ones."""
    detail = problem(Deployment(model_text("*")).call(method, path), 404, "Not Found")
    assert detail.startswith(
        f"{path} does not exist; the paths are /retrain, /tick, /schedules, /models, /models/{{model_id}}, "
    )


def test_health() -> None:
    """The function runs and its configuration is right; no service is called."""
    assert Deployment().get("/health") == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "model_id"),
    [
        ("/models/churn-a%2Fb", "churn-a/b"),
        ("/models/churn-%C3%A9%20x", "churn-é x"),
        ("/models/churn-a+b", "churn-a+b"),
        ("/models/churn-%252F", "churn-%2F"),
        ("/models/churn-" + "m" * 250, "churn-" + "m" * 250),
    ],
)
def test_a_model_in_the_path_is_percent_encoded(path: str, model_id: str) -> None:
    """It is decoded once, after the path was split: a model's id may hold any character, a slash too."""
    deployment = Deployment(model_text("churn-*", "approval = true"))
    assert deployment.get(path)["model_id"] == model_id
    deployment.call("POST", "/retrain", {"model_id": model_id, "trigger_id": "t-1"})
    deployment.carry()
    response = deployment.call("POST", f"{path}/approve", {"trigger_id": "t-1"})
    named = {"model_id": model_id, "trigger_id": "t-1"}
    assert json.loads(response.body) == named | {"state": "waiting", "status": "approved"}


@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("POST", "/approve"), ("POST", "/reject")])
def test_an_unknown_model_is_404(method: str, rest: str) -> None:
    """A model that is not configured has no page and nothing to release."""
    response = Deployment().call(method, f"/models/chrun{rest}", {"trigger_id": "t"})
    assert problem(response, 404, "Not Found") == "model_id: the configuration has no model 'chrun'; it has churn"


def test_a_path_that_is_not_utf_8_is_400() -> None:
    """No two paths name the same model by a replacement character."""
    detail = problem(Deployment(model_text("*")).call("GET", "/models/a%ff"), 400, "Bad Request")
    assert detail == "'a%ff' in the path is not percent-encoded UTF-8"


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/models/a%00b", "model_id: must have no control characters, not 'a\\x00b'"),
        ("/models/" + "m" * 257, "model_id: must have 1 to 256 characters, not 257"),
    ],
)
def test_what_is_not_a_model_id_is_422(path: str, detail: str) -> None:
    """A pattern that matches everything still takes no id that breaks the rule, and the ledger is not read for it."""
    ledger = Script()
    deployment = Deployment(model_text("*"), gate=ledger)
    assert problem(deployment.call("GET", path), 422, "Unprocessable Content") == detail
    assert ledger.calls == []


def test_a_ledger_that_is_away_is_503() -> None:
    """Lists, pages and approvals say when to try again."""
    requests = (
        ("GET", "/models", "load_many"),
        ("GET", "/models/churn", "load"),
        ("POST", "/models/churn/approve", "load"),
    )
    for method, path, call in requests:
        deployment = Deployment(gate=Script({0: Fault.THROTTLED}))
        response = deployment.call(method, path, {"trigger_id": "t-1"})
        detail = problem(response, 503, "Service Unavailable")
        assert detail == f"The fake service could not {call}: throttled; try again"
        assert response.headers["retry-after"] == "5"
