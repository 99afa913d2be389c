"""Requests over HTTP: the input, answers and triggers of `POST /retrain`."""

import json
from typing import Any

import pytest

from shared.errors import ConfigError, UnavailableError
from shared.http.messages import problem_of
from tests.core.deployment import Deployment, problem
from tests.core.samples import HOUR, model_text, trigger
from tests.fakes.faults import Fault, Script
from tests.fakes.memory import MemoryBus

JSON = {"content-type": "application/json"}


def test_a_request_is_accepted_once_the_bus_has_it() -> None:
    """The answer names the trigger, which is on the bus with its requester and time; the ledger is not touched."""
    deployment = Deployment()
    response = deployment.call("POST", "/retrain", {"model_id": "churn"}, caller="ada@example.com")
    assert (response.status, dict(response.headers)) == (202, JSON)
    assert json.loads(response.body) == {"trigger_id": "id-1", "model_id": "churn", "status": "accepted"}
    assert deployment.bus.published == [trigger(trigger_id="id-1", requested_by="ada@example.com")]
    assert deployment.ledger.history == []


def test_every_field_of_a_request_is_sent() -> None:
    """All that a request may say is in the trigger."""
    deployment = Deployment(model_text(tables='[models."churn".parameters]\nepochs = 8'))
    fields: dict[str, Any] = {
        "model_id": "churn",
        "trigger_id": "t-7",
        "origin": "drift",
        "reason": "drifted",
        "severity": "high",
        "parameters": {"epochs": 9},
        "evidence": {"report_url": "https://reports/1"},
        "force": True,
    }
    assert deployment.call("POST", "/retrain", fields).status == 202
    assert [sent.to_fields() for sent in deployment.bus.published] == [
        fields | {"requested_at": "2026-11-21T03:00:00Z", "schema": 1}
    ]


def test_a_request_without_a_model_is_for_the_default_one() -> None:
    """The model that is marked as default takes it; without one the field is missing."""
    deployment = Deployment(model_text("churn") + model_text("price", "default = true"))
    assert json.loads(deployment.call("POST", "/retrain", {"model_id": None}).body)["model_id"] == "price"
    detail = problem(Deployment().call("POST", "/retrain", {}), 422, "Unprocessable Content")
    assert detail == "model_id: is missing, and no model of the configuration has default = true"


@pytest.mark.parametrize(
    ("named", "key", "trigger_id"),
    [
        (None, "k-1", "k-1"),
        ("k-1", "k-1", "k-1"),
        ("b-1", None, "b-1"),
        (None, "k" * 128, "k" * 128),
        # Servers decode headers as Latin-1; AWS decodes them as UTF-8.
        (None, "\u00c3\u00a9", "\u00e9"),
        ("\u00e9", "\u00c3\u00a9", "\u00e9"),
        ("\u00e9", "\u00e9", "\u00e9"),
    ],
)
def test_the_idempotency_key_is_the_trigger_id(named: str | None, key: str | None, trigger_id: str) -> None:
    """The header alone, the body alone, and both where they agree."""
    deployment = Deployment()
    headers = {} if key is None else {"idempotency-key": key}
    response = deployment.call("POST", "/retrain", {"model_id": "churn", "trigger_id": named}, headers=headers)
    assert (response.status, json.loads(response.body)["trigger_id"]) == (202, trigger_id)
    assert [sent.trigger_id for sent in deployment.bus.published] == [trigger_id]


REQUEST = "model_id, trigger_id, origin, reason, severity, parameters, evidence, force, traceparent, tracestate"
DIFFERENT = "trigger_id: the body and the header Idempotency-Key name different ids"
UNPROCESSABLE: list[tuple[dict[str, object], str | None, str]] = [
    ({"trigger_id": "b-1"}, "k-1", DIFFERENT),
    ({"trigger_id": 1}, "1", DIFFERENT),
    ({}, "k" * 300, "trigger_id: must have 1 to 128 characters, not 300"),
    ({}, "", "trigger_id: must have 1 to 128 characters, not 0"),
    ({"force": "yes"}, None, "force: must be true or false, not 'yes'"),
    ({"severity": "urgent"}, None, "severity: must be one of low, medium, high, not 'urgent'"),
    ({"reason": "r" * 513}, None, "reason: must have 0 to 512 characters, not 513"),
    ({"parameters": {"lr": [1]}}, None, "parameters.lr: must be a string, a number or a boolean, not [1]"),
    ({"parameters": {"lr": 1}}, None, "parameters.lr: is not a parameter of churn; it allows none"),
    *(
        (
            dict[str, object]({name: "x"}),
            None,
            f"{name}: is not a field of a request; valid fields: {REQUEST}",
        )
        for name in ("requested_by", "requested_at", "schema", "reasn", "")
    ),
]


@pytest.mark.parametrize(("fields", "key", "detail"), UNPROCESSABLE)
@pytest.mark.parametrize("query", [{}, {"dry_run": "true"}], ids=["request", "dry run"])
def test_a_wrong_field_is_422_by_name(
    fields: dict[str, object], key: str | None, detail: str, query: dict[str, str]
) -> None:
    """The problem names the field, in a dry run too, and nothing is sent."""
    deployment = Deployment()
    headers = {} if key is None else {"idempotency-key": key}
    response = deployment.call("POST", "/retrain", {"model_id": "churn"} | fields, headers=headers, query=query)
    assert problem(response, 422, "Unprocessable Content") == detail
    assert deployment.bus.published == []


TRACE_A = f"00-{'a' * 32}-{'b' * 16}-01"
TRACE_B = f"00-{'c' * 32}-{'d' * 16}-00"


@pytest.mark.parametrize(
    ("named", "header", "trace_id"),
    [
        ({}, TRACE_A, "a" * 32),
        ({"traceparent": TRACE_B}, TRACE_A, "c" * 32),
        ({"traceparent": "?"}, TRACE_A, "a" * 32),
        ({"traceparent": 7}, "?", ""),
        ({"tracestate": "acme=1"}, "", ""),
    ],
)
def test_the_trace_context_is_that_of_the_body_or_of_the_header(
    named: dict[str, object], header: str, trace_id: str
) -> None:
    """An invalid one is passed over, and the request is accepted."""
    one = Deployment()
    headers = {"traceparent": header} if header else {}
    assert one.call("POST", "/retrain", {"model_id": "churn"} | named, headers=headers).status == 202
    one.carry()
    training = one.state().training
    assert training is not None
    assert (training.trigger.trace_id, training.trigger.tracestate) == (trace_id, None)


@pytest.mark.parametrize("flag", ["1", "yes", "", "on"])
def test_a_dry_run_is_never_taken_for_a_real_one(flag: str) -> None:
    """A flag that is neither true nor false is an error, so that nothing trains by mistake."""
    deployment = Deployment()
    response = deployment.call("POST", "/retrain", {"model_id": "churn"}, query={"dry_run": flag})
    assert problem(response, 422, "Unprocessable Content") == f"dry_run: must be true or false, not {flag!r}"
    assert deployment.bus.published == []


@pytest.mark.parametrize("model_id", ["chrun", "Churn", "elsewhere"])
def test_an_unknown_model_is_404(model_id: str) -> None:
    """A model that is not configured, or does not train on this cloud, is not found."""
    deployment = Deployment(model_text() + '[models.elsewhere.target.aws]\nkind = "sagemaker"\npipeline = "p"')
    detail = problem(deployment.call("POST", "/retrain", {"model_id": model_id}), 404, "Not Found")
    assert detail.startswith("model_id: ")
    assert model_id in detail
    assert deployment.bus.published == []


@pytest.mark.parametrize(
    ("bus", "detail"),
    [
        (MemoryBus(Script({0: Fault.THROTTLED})), "The fake service could not publish: throttled; try again"),
        (MemoryBus(refused={"t-1": "too large"}), "The memory bus did not accept 1 trigger(s): t-1: too large"),
    ],
    ids=["away", "refused"],
)
def test_a_bus_that_does_not_take_it_is_503(bus: MemoryBus, detail: str) -> None:
    """The answer says when to try again."""
    response = Deployment(bus=bus).call("POST", "/retrain", {"model_id": "churn", "trigger_id": "t-1"})
    assert problem(response, 503, "Service Unavailable") == detail
    assert response.headers["retry-after"] == "5"


def test_only_errors_of_the_core_become_problems() -> None:
    """A wrong configuration is not an answer to a request: it is raised for the platform to see."""
    assert problem_of(ConfigError("retrain.toml", ["x"])) is None
    assert problem_of(ValueError("x")) is None
    away = problem_of(UnavailableError("DynamoDB", "read"))
    assert away is not None
    assert problem(away, 503, "Service Unavailable") == "DynamoDB could not read; try again"


@pytest.mark.parametrize(
    ("settings", "request_body", "verdict"),
    [
        ("", {}, ("launch", "launched")),
        ("approval = true", {}, ("wait", "awaiting_approval")),
        ('cooldown = "6h"', {}, ("skip", "cooldown")),
        ('cooldown = "6h"', {"force": True}, ("launch", "launched")),
        ('min_severity = "high"', {"origin": "drift", "severity": "low"}, ("skip", "low_severity")),
        ("consecutive = 2", {"origin": "drift"}, ("skip", "not_consecutive")),
        ("", {"trigger_id": "t-0"}, ("skip", "duplicate")),
    ],
)
def test_a_dry_run_only_returns_the_verdict(
    settings: str, request_body: dict[str, object], verdict: tuple[str, str]
) -> None:
    """It answers the decision and its reason; nothing is sent, stored or counted."""
    deployment = Deployment(model_text(settings=settings))
    deployment.call("POST", "/retrain", {"model_id": "churn", "trigger_id": "t-0", "force": True})
    (outcome,) = deployment.carry()
    if outcome.decision == "launch":
        deployment.end(trigger(trigger_id="t-0"), "run-1")
    deployment.wait(HOUR)
    before, counted = list(deployment.ledger.history), len(deployment.observed)
    response = deployment.call("POST", "/retrain", {"model_id": "churn"} | request_body, query={"dry_run": "TRUE"})
    assert (response.status, dict(response.headers)) == (200, JSON)
    assert json.loads(response.body) == dict(zip(("decision", "reason"), verdict, strict=True))
    assert (deployment.bus.published, deployment.ledger.history, len(deployment.observed)) == ([], before, counted)


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [("", ("queue", "cooldown")), ("approval = true", ("wait", "awaiting_approval"))],
)
def test_a_dry_run_lets_a_kept_trigger_start_first(settings: str, verdict: tuple[str, str]) -> None:
    """The cooldown is over, but no sweep has started the kept trigger yet: the next event would, and then be judged."""
    one = Deployment(model_text(settings=f'cooldown = "1h"\non_cooldown = "queue"\n{settings}'))
    one.emit("t-1")
    if settings == "approval = true":
        one.call("POST", "/models/churn/approve", {"trigger_id": "t-1"})
        one.carry()
    one.end(trigger(trigger_id="t-1"), "run-1")
    one.emit("t-2")
    assert one.reasons()[-1] == "cooldown"
    one.wait(2 * HOUR)
    answer = one.call("POST", "/retrain", {"model_id": "churn", "trigger_id": "t-3"}, query={"dry_run": "true"})
    one.emit("t-3")
    last = one.state().decisions[0]
    assert tuple(json.loads(answer.body).values()) == (last.decision, last.reason) == verdict
