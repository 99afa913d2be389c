"""`docs/openapi.yaml` equals the code: routes, words and fields, none missing and none too many.

Requests made from the description are in `tests/contracts/test_description.py`.
"""

import json
from datetime import timedelta
from typing import Any, get_args

import openapi_spec_validator

from shared.api import DESCRIPTION, ROUTES
from shared.decision.reasons import Decision, Reason, Result
from shared.emit import REQUEST_FIELDS
from shared.ports import RunResult
from shared.trigger import ORIGINS, SEVERITIES
from tests.contracts.openapi import closed, description, objects, operations, problems
from tests.core.deployment import Deployment
from tests.core.samples import model_text, trigger
from tests.fakes.faults import Fault, Script

CONFIGURATION = (
    model_text(
        "churn",
        'schedule = true\ncooldown = "1h"\non_cooldown = "queue"\n[models.churn.parameters]\nepochs = 8',
        '[models.churn.after]\nsucceeded = ["notify"]',
    )
    + model_text("reviewed", "approval = true")
    + model_text("damaged")
    + '[notify]\nchannels = ["slack://one"]\n'
)
# Fields that only some answers have; every other documented field is in each of them.
OPTIONAL = {
    ("Page", "next"),
    ("Summary", "error"),
    ("StripEntry", "reason"),
    ("Steered", "trigger_id"),
    ("Steered", "status"),
}


def test_it_is_a_valid_description() -> None:
    """Tools that read OpenAPI 3.1 can read it, and no operation lacks an id or a summary."""
    document = description()
    openapi_spec_validator.validate(document)
    named = operations(document).values()
    assert all({"operationId", "summary", "tags"} <= operation.keys() for operation in named)


def test_it_has_every_route_and_no_other() -> None:
    """A new route is described, and one that is gone is not."""
    served = {(method, path) for path, methods in ROUTES.items() for method in methods}
    assert operations(description()).keys() == served


def test_it_is_served_as_it_is() -> None:
    """A deployment serves the same text as the repository."""
    response = Deployment().call("GET", "/openapi.yaml")
    assert (response.status, response.headers) == (200, {"content-type": "application/yaml"})
    assert response.body == DESCRIPTION.read_text(encoding="utf-8")


def test_its_words_are_those_of_the_code() -> None:
    """Decisions, reasons, results, origins and severities, in the code's order, and the fields of a request."""
    schemas = description()["components"]["schemas"]
    words = {name: tuple(schema["enum"]) for name, schema in schemas.items() if "enum" in schema}
    assert words.pop("State")
    assert words == {
        "DecisionName": get_args(Decision),
        "Reason": get_args(Reason),
        "Result": get_args(Result),
        "Origin": ORIGINS,
        "Severity": SEVERITIES,
    }
    assert tuple(schemas["TrainingRequest"]["properties"]) == REQUEST_FIELDS


def test_answers_have_the_described_fields_and_no_other() -> None:
    """Whatever state a model is in, each object of an answer has all fields that are described, and only those."""
    document = closed(description())
    for method, path, status, body in _answers():
        assert not problems(document, method, path, status, body), (method, path, status)
    shown = [body for _, path, status, body in _answers() if path == "/models/{model_id}" and status == 200]
    assert {field for body in shown for field, value in body.items() if value} >= shown[0].keys() - {"paused", "retry"}
    described = {
        (name, field)
        for name, found in objects(document["components"]["schemas"])
        for field in found["properties"].keys() - set(found.get("required", ()))
        if name != "TrainingRequest"
    }
    assert described == OPTIONAL


def _answers() -> list[tuple[str, str, int, Any]]:
    """Return method, path, status and body of answers about models in all states, each with a route."""
    made: list[tuple[str, str, int, Any]] = []
    deployment = Deployment(CONFIGURATION, outlet_gate=Script(dict.fromkeys(range(9), Fault.THROTTLED)))

    def ask(method: str, path: str, body: object = None, *, of: str = "", **query: str) -> None:
        response = deployment.call(method, path, body, query=query)
        made.append((method, of or path, response.status, json.loads(response.body)))

    deployment.ledger.save("damaged", "garbage{", deployment.ledger.load("damaged").version)
    for name in ("t-1", "t-2"):
        ask("POST", "/retrain", {"model_id": "churn", "trigger_id": name})
        deployment.carry()
    ask("POST", "/retrain", {"model_id": "churn"}, dry_run="true")
    ask("GET", "/models/churn", of="/models/{model_id}")
    (run,) = deployment.service.running()
    deployment.end(trigger(), run.run_id, RunResult.SUCCEEDED)
    deployment.wait(timedelta(minutes=5))
    deployment.emit("t-3", "reviewed")
    deployment.receive(
        {
            "source": "ml3_platform",
            "detail-type": "retrain_trigger",
            "id": "x",
            "detail": {"model_id": "churn", "force": 1},
        }
    )
    deployment.wait(timedelta(hours=1))
    for name in ("t-4", "t-5"):
        deployment.emit(name)
    for model_id in ("churn", "reviewed"):
        ask("GET", f"/models/{model_id}", of="/models/{model_id}")
    ask("GET", "/models")
    for verb in ("approve", "reject"):
        ask("POST", f"/models/reviewed/{verb}", {"trigger_id": "t-3"}, of=f"/models/{{model_id}}/{verb}")
    ask("POST", "/models/reviewed/approve", {"trigger_id": 1}, of="/models/{model_id}/approve")
    ask("GET", "/models/absent", of="/models/{model_id}")
    ask("POST", "/tick")
    ask("POST", "/schedules")
    ask("GET", "/health")
    return made
