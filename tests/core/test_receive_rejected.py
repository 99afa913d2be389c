"""Events that cannot be acted on: kept with their error, listed at their model, and never a launch."""

import dataclasses
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from shared.errors import (
    InvalidTriggerError,
    PermanentError,
    TargetRefusedError,
    UnavailableError,
    UnreadableEventError,
)
from tests.core.deployment import Deployment, event, trigger_event
from tests.core.samples import model_text, trigger
from tests.fakes.faults import Fault, Script
from tests.fakes.training import MemoryLauncher

T = TypeVar("T")

CONFIG = model_text("churn", 'cooldown = "6h"', '[models."churn".parameters]\nepochs = 8') + model_text("price-*")

WRONG: list[tuple[object, str, str]] = [
    (
        event({"model_id": "churn", "trigger_id": "t-1", "parameters": {"lr": 1}}),
        "parameters.lr: is not a parameter of churn; it allows epochs",
        "churn",
    ),
    (
        event({"model_id": "churn", "trigger_id": "t-1", "severity": "urgent"}),
        "severity: must be one of low, medium, high, not 'urgent'",
        "churn",
    ),
    (
        event({"model_id": "price-1", "trigger_id": "t-1", "force": "yes"}),
        "force: must be true or false, not 'yes'",
        "price-1",
    ),
    (
        event({"model_id": "chrun", "trigger_id": "t-1"}),
        "model_id: the configuration has no model 'chrun'; it has churn, price-*",
        "",
    ),
    (event({"model_id": ["churn"], "trigger_id": "t-1"}), "model_id: must be a string, not ['churn']", ""),
    (event({"trigger_id": "t-1"}), "model_id: is missing, and no model of the configuration has default = true", ""),
]
UNREADABLE: list[tuple[object, str]] = [
    (None, "an event must be an object, not None"),
    ("{", "an event must be an object, not '{'"),
    ([event({})], "an event must be an object, not [{'id': 'e-1', 'source': 'ml3_platform', 'detail-type': 'ret... "),
    (event("churn"), "detail: must be an object, not 'churn'"),
    (event(None), "detail: must be an object, not None"),
]


@pytest.mark.parametrize(("delivered", "error", "model_id"), WRONG, ids=[error[:30] for _, error, _ in WRONG])
def test_what_is_ours_but_wrong_is_rejected(delivered: dict[str, Any], error: str, model_id: str) -> None:
    """It is acknowledged once it is a dead letter, listed at its model if any, observed once, and never launched."""
    deployment = Deployment(CONFIG)
    outcome = deployment.receive(delivered)
    assert (outcome.decision, outcome.reason, outcome.detail) == ("reject", "rejected", error)
    assert (outcome.model_id, outcome.trigger_id) == (model_id, "t-1")
    assert deployment.dead_letters.letters == [
        {"at": "2026-11-21T03:00:00Z", "cloud": "local", "reason": "rejected", "error": error, "event": delivered}
    ]
    assert [(name, decided.reason) for name, decided in deployment.observed] == [(model_id, "rejected")]
    assert deployment.service.runs == {}
    assert deployment.ledger.models(None, 10) == ([model_id] if model_id else [])


def test_a_model_shows_what_was_rejected() -> None:
    """The list has the id and the error; the model is free, and the corrected event trains."""
    deployment = Deployment(CONFIG)
    deployment.receive(event({"model_id": "churn", "trigger_id": "t-1", "parameters": {"lr": 1}}))
    page = deployment.get("/models/churn")
    assert page["rejected"] == [
        {
            "at": "2026-11-21T03:00:00Z",
            "trigger_id": "t-1",
            "decision": "reject",
            "reason": "rejected",
            "detail": "parameters.lr: is not a parameter of churn; it allows epochs",
            "origin": None,
            "why": "",
            "requested_by": None,
            "evidence": [],
        }
    ]
    assert page["state"] == "idle"
    assert deployment.receive(event({"model_id": "churn", "trigger_id": "t-1"})).reason == "launched"


def test_what_is_not_a_model_id_is_listed_nowhere() -> None:
    """A pattern matches it, but no ledger could keep it: it is a dead letter only."""
    deployment = Deployment(model_text("*"))
    assert deployment.receive(event({"model_id": "m" * 257})).model_id == ""
    assert len(deployment.dead_letters.letters) == 1
    assert deployment.ledger.history == []


@pytest.mark.parametrize(("delivered", "error"), UNREADABLE)
def test_what_cannot_be_read_is_rejected(delivered: object, error: str) -> None:
    """It is a dead letter as it came, and belongs to no model."""
    deployment = Deployment(CONFIG)
    outcome = deployment.receive(delivered)
    assert (outcome.decision, outcome.reason, outcome.model_id) == ("reject", "rejected", "")
    assert outcome.detail.startswith(error)
    (letter,) = deployment.dead_letters.letters
    assert (letter["event"], letter["reason"], letter["error"]) == (delivered, "rejected", outcome.detail)
    assert deployment.ledger.history == []


@pytest.mark.parametrize(("delivered", "error"), UNREADABLE)
def test_the_default_model_survives_what_cannot_be_read(delivered: object, error: str) -> None:
    """An event without a model is listed at the default one, which goes on as before."""
    deployment = Deployment(model_text(settings="default = true"))
    assert deployment.receive(delivered).model_id == "churn"
    (listed,) = deployment.get("/models/churn")["rejected"]
    assert listed["detail"].startswith(error)
    assert deployment.receive(event({"trigger_id": "t-1"})).reason == "launched"


@pytest.mark.parametrize(
    ("delivered", "error"),
    [
        (event({"model_id": "churn", "trigger_id": "t-1", "parameters": {"lr": 1}}), InvalidTriggerError),
        (event({"model_id": "chrun"}), PermanentError),
        (None, UnreadableEventError),
    ],
)
def test_without_dead_letters_a_rejected_event_is_raised(delivered: object, error: type[PermanentError]) -> None:
    """The platform keeps it then; the rejection is observed and listed all the same."""
    deployment = Deployment(CONFIG, dead_letters=False)
    with pytest.raises(error):
        deployment.receive(delivered)
    assert [decided.reason for _, decided in deployment.observed] == ["rejected"]
    assert len(deployment.state().rejected) == (error is InvalidTriggerError)
    assert (deployment.dead_letters.letters, deployment.service.runs) == ([], {})


def test_what_the_dead_letters_do_not_take_is_not_acknowledged() -> None:
    """The event must come again, and nothing is recorded before it is kept."""
    deployment = Deployment(CONFIG, letter_gate=Script({0: Fault.THROTTLED}))
    wrong = event({"model_id": "churn", "trigger_id": "t-1", "parameters": {"lr": 1}})
    with pytest.raises(UnavailableError):
        deployment.receive(wrong)
    assert (deployment.ledger.history, deployment.observed) == ([], [])
    assert deployment.receive(wrong).decision == "reject"


@pytest.mark.parametrize(
    ("delivered", "what"),
    [
        (event({"model_id": "churn"}, source="aws.s3"), "aws.s3 / retrain_trigger"),
        (event({"model_id": "churn"}, **{"detail-type": "other"}), "ml3_platform / other"),
        ({}, "no source / no detail-type"),
    ],
)
def test_what_is_not_ours_is_ignored(delivered: object, what: str) -> None:
    """It is answered with success and observed once; nothing is kept of it, not even at a default model."""
    deployment = Deployment(model_text(settings="default = true"))
    outcome = deployment.receive(delivered)
    assert (outcome.decision, outcome.reason, outcome.detail) == ("ignore", "ignored", what)
    assert [(name, decided.decision) for name, decided in deployment.observed] == [("", "ignore")]
    assert (deployment.dead_letters.letters, deployment.ledger.history, deployment.service.runs) == ([], [], {})


def test_a_refused_start_leaves_the_model_as_it_was() -> None:
    """Neither busy nor cooling down: the refusal is a dead letter and listed; the same trigger may be sent again."""
    deployment = Deployment(CONFIG)
    deployment.service.refusing = True
    delivered = event({"model_id": "churn", "trigger_id": "t-1"})
    outcome = deployment.receive(delivered)
    refusal = "The training service refuses to train"
    assert (outcome.decision, outcome.reason, outcome.detail) == ("reject", "rejected", refusal)
    assert [(letter["error"], letter["event"]) for letter in deployment.dead_letters.letters] == [(refusal, delivered)]
    page = deployment.get("/models/churn")
    assert (page["state"], page["running"], page["cooldown_until"], page["runs"]) == ("idle", None, None, [])
    assert [line["detail"] for line in page["rejected"]] == [refusal]
    assert [line["reason"] for line in page["decisions"]] == ["rejected", "launched"]
    deployment.service.refusing = False
    assert deployment.receive(delivered).reason == "launched"
    assert len(deployment.service.runs) == 1


def test_a_refused_start_without_dead_letters_is_raised() -> None:
    """The model is free all the same."""
    deployment = Deployment(CONFIG, dead_letters=False)
    deployment.service.refusing = True
    with pytest.raises(TargetRefusedError):
        deployment.receive(event({"model_id": "churn", "trigger_id": "t-1"}))
    assert deployment.get("/models/churn")["state"] == "idle"


def test_a_refusal_after_another_process_started_the_training_is_none() -> None:
    """The event is a launch: no dead letter, nothing rejected."""
    deployment = Deployment(CONFIG)
    first, launcher = trigger_event(), deployment.receiver.launcher

    def overtaken(call: str, effect: Callable[[], T]) -> T:
        if call == "start":
            deployment.receiver = dataclasses.replace(deployment.receiver, launcher=launcher)
            assert deployment.receive(first).decision == "launch"
            raise TargetRefusedError("The training service refuses this request")
        return effect()

    slow = dataclasses.replace(deployment.receiver, launcher=lambda _: MemoryLauncher(deployment.service, overtaken))
    deployment.receiver = slow
    assert deployment.receive(first).decision == "launch"
    assert (deployment.dead_letters.letters, deployment.state().rejected) == ([], ())
    training = deployment.state().training
    assert training is not None
    assert training.run_id == "run-1"


def test_a_kept_trigger_that_is_refused_without_dead_letters_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its event was acknowledged, so nothing else holds it: the line identifies it, and people are notified."""
    text = model_text(tables='[models."churn".parameters]\nepochs = 8')
    deployment = Deployment(f'{text}\n[notify]\nchannels = ["slack://one"]', dead_letters=False)
    deployment.receive(trigger_event("t-1"))
    report = {"report": "https://reports.example/1", "signed": "https://reports.example/1?sig=secret"}
    kept = trigger_event("t-2", parameters={"epochs": 3}, requested_by="ada", reason="PSI 0.4", evidence=report)
    assert deployment.receive(kept).decision == "queue"
    deployment.service.refusing = True
    assert deployment.end(trigger(), "run-1").decision == "ended"
    (line,) = [vars(record) for record in caplog.records if record.levelno == logging.ERROR]
    assert line["message"] == "retrain.letter_not_stored"
    known = {
        name: line[name] for name in ("model_id", "trigger_id", "parameters", "requested_by", "reason", "evidence")
    }
    assert known == {
        "model_id": "churn",
        "trigger_id": "t-2",
        "parameters": {"epochs": 3},
        "requested_by": "ada",
        "reason": "PSI 0.4",
        "evidence": ["https://reports.example/1"],
    }
    assert (line["error"], len(line["token"])) == ("The training service refuses to train", 64)
    assert [(notice.event, notice.trigger_id) for _, notice in deployment.channels.sent] == [("rejected", "t-2")]


def test_behind_a_refused_start_the_queued_trigger_goes_on() -> None:
    """A trigger that waited for a training that the service then refuses is tried in its place."""
    deployment = Deployment(CONFIG, launcher_gate=Script({0: Fault.THROTTLED}))
    first, second = (
        event({"model_id": "churn", "trigger_id": name, "force": name == "t-2"}) for name in ("t-1", "t-2")
    )
    with pytest.raises(UnavailableError):
        deployment.receive(first)
    assert deployment.receive(second).reason == "queued"
    deployment.service.refusing = True
    assert deployment.receive(first).decision == "reject"
    assert deployment.reasons() == ["launched", "queued", "rejected", "launched", "rejected"]
    assert [letter["event"]["trigger_id"] for letter in deployment.dead_letters.letters[1:]] == ["t-2"]
    assert deployment.get("/models/churn")["state"] == "idle"
