"""Events arrive, and at most one training starts."""

from datetime import timedelta

import pytest

from shared.errors import UnavailableError
from shared.training.arrivals import Outcome
from tests.core.deployment import Deployment, event, trigger_event
from tests.core.samples import HOUR, MINUTE, NOW, SECOND, model_text, trigger
from tests.fakes.faults import Fault, Script

LAUNCHED = Outcome(decision="launch", reason="launched", model_id="churn", trigger_id="t-1")


def test_51_deliveries_are_one_run() -> None:
    """The first delivery launches; every other one is a duplicate, which costs no write."""
    deployment = Deployment()
    first = deployment.receive(trigger_event())
    written = len(deployment.ledger.history)
    outcomes = [deployment.receive(trigger_event()) for _ in range(50)]
    assert first == LAUNCHED
    assert {(outcome.decision, outcome.reason) for outcome in outcomes} == {("skip", "duplicate")}
    (run,) = deployment.service.runs.values()
    assert (run.request.trigger.trigger_id, run.request.token) == ("t-1", trigger().token)
    assert len(deployment.ledger.history) == written
    assert [decided.reason for _, decided in deployment.observed] == ["launched"] + ["duplicate"] * 50


def test_an_event_without_an_id_is_known_by_its_delivery() -> None:
    """The id is made of what the transport repeats; another event with the same content is another trigger."""
    deployment = Deployment(model_text(settings='on_busy = "skip"'))
    outcomes = [deployment.receive(event({"model_id": "churn"}, name)) for name in ("e-1", "e-1", "e-2")]
    assert [outcome.reason for outcome in outcomes] == ["launched", "duplicate", "busy"]
    assert [outcome.trigger_id for outcome in outcomes] == [f"ml3_platform:{name}" for name in ("e-1", "e-1", "e-2")]


def test_ids_count_per_model() -> None:
    """The same id for two models is two triggers."""
    deployment = Deployment(model_text("churn") + model_text("price"))
    for name in ("churn", "price"):
        assert deployment.receive(trigger_event(model_id=name)).reason == "launched"
    assert len({run.request.token for run in deployment.service.runs.values()}) == 2


def test_the_default_model_takes_what_names_none() -> None:
    """An event without a model trains the model that is marked."""
    deployment = Deployment(model_text("churn") + model_text("price", "default = true"))
    outcome = deployment.receive(event({"trigger_id": "t-1"}))
    assert (outcome.model_id, outcome.reason) == ("price", "launched")


def test_the_pipeline_gets_defaults_under_what_the_trigger_sets() -> None:
    """An extra field that is an allowed parameter counts, `$field` is filled in, `$$` is a plain dollar."""
    parameters = (
        'epochs = 8\nlr = 0.1\nfull = true\nmodel = "$model_id"\nwhy = "$reason"\nby = "$requested_by"\n'
        'forced = "$force"\nevidence = "$evidence"\nprice = "$$5"\nplain = "5$"'
    )
    deployment = Deployment(model_text(tables=f'[models."churn".parameters]\n{parameters}'))
    deployment.receive(trigger_event(epochs=9, parameters={"lr": 0.5}, evidence={"url": "x"}, unknown="left alone"))
    (run,) = deployment.service.runs.values()
    assert run.request.parameters == {
        "epochs": 9,
        "lr": 0.5,
        "full": True,
        "model": "churn",
        "why": "",
        "by": "",
        "forced": False,
        "evidence": '{"url": "x"}',
        "price": "$5",
        "plain": "5$",
    }
    assert (run.request.claimed_at, run.request.max_run) == (NOW, timedelta(hours=24))


def test_a_skip_is_recorded_with_its_reason() -> None:
    """The model shows why nothing trained, and the same trigger again is a duplicate."""
    deployment = Deployment(model_text(settings='cooldown = "6h"'))
    deployment.receive(trigger_event())
    deployment.end(trigger(), "run-1")
    deployment.wait(HOUR)
    for reason in ("cooldown", "duplicate"):
        assert deployment.receive(trigger_event("t-2")).reason == reason
    assert deployment.receive(trigger_event("t-3", force=True)).reason == "launched"
    assert deployment.reasons() == ["launched", "cooldown", "launched"]
    assert deployment.get("/models/churn")["decisions"][1]["detail"] == "no training before 2026-11-21T09:00:00Z"


def test_drift_has_to_come_again() -> None:
    """The second drift trigger within the window trains; a redelivery of the first is not a second one."""
    deployment = Deployment(model_text(settings='consecutive = 2\nwindow = "1d"\nmin_severity = "medium"'))
    arrivals = [("t-1", "high", 0), ("t-1", "high", 1), ("t-2", "low", 1), ("t-3", "high", 25), ("t-4", "medium", 1)]
    reasons = []
    for name, severity, hours in arrivals:
        deployment.wait(HOUR * hours)
        reasons.append(deployment.receive(trigger_event(name, origin="drift", severity=severity)).reason)
    assert reasons == ["not_consecutive", "duplicate", "low_severity", "not_consecutive", "launched"]
    assert deployment.state().streak == ()


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST])
def test_a_start_without_an_answer_is_finished_by_its_redelivery(fault: Fault) -> None:
    """Whether it was throttled or its answer got lost: the event is not acknowledged, and its repeat trains once."""
    deployment = Deployment(launcher_gate=Script({0: fault}))
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    deployment.wait(MINUTE / 2)
    outcome = deployment.receive(trigger_event())
    assert (outcome.decision, outcome.reason) == ("launch", "launched")
    assert len(deployment.service.runs) == 1
    assert deployment.reasons() == ["launched"]
    assert deployment.receive(trigger_event()).reason == "duplicate"


def test_another_trigger_finishes_what_was_abandoned() -> None:
    """A claim that was not finished within the time that a function may run is finished by another process."""
    deployment = Deployment(launcher_gate=Script({0: Fault.THROTTLED}))
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    deployment.wait(MINUTE)
    assert deployment.receive(trigger_event("t-2")).reason == "queued"
    (run,) = deployment.service.runs.values()
    assert run.request.trigger.trigger_id == "t-1"


def test_every_decision_is_observed_once() -> None:
    """Whatever happened, each line of the history was observed exactly once and in its order, with its model."""
    deployment = Deployment(model_text(settings='approval = true\non_busy = "skip"'))
    for name in ("t-1", "t-1", "t-2"):
        deployment.receive(trigger_event(name))
        deployment.wait(SECOND)
    deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-2"})
    deployment.carry()
    deployment.receive(trigger_event("t-3"))
    deployment.end(trigger(trigger_id="t-2"), "run-1")
    history = list(reversed(deployment.state().decisions))
    assert [decided.reason for decided in history] == [
        *("awaiting_approval", "superseded", "awaiting_approval", "approved"),
        *("launched", "busy"),
    ]
    seen = [decided for model_id, decided in deployment.observed if model_id == "churn"]
    assert [decided for decided in seen if decided.reason != "duplicate"] == history
    assert len(seen) - len(history) == 1


def test_the_launcher_is_called_with_the_token_of_the_trigger() -> None:
    """A service that honours tokens sees one token for all attempts at a trigger."""
    calls = Script({0: Fault.LOST, 1: Fault.LOST})
    deployment = Deployment(launcher_gate=calls)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            deployment.receive(trigger_event())
    deployment.receive(trigger_event())
    assert calls.calls == ["start"] * 3
    assert [run.request.token for run in deployment.service.runs.values()] == [trigger().token]
