"""A training ends: the model is free, and what was queued behind it starts."""

import pytest

from shared.ports import RunResult
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, NOW, SECOND, model_text, trigger
from tests.fakes.training import TrainingService


def test_the_newest_trigger_waits_for_the_running_training() -> None:
    """A trigger behind a running training is queued and supersedes the one before it; it starts when that ends."""
    deployment = Deployment()
    outcomes = [deployment.receive(trigger_event(f"t-{number}")) for number in (1, 2, 3)]
    assert [(outcome.decision, outcome.reason) for outcome in outcomes] == [
        ("launch", "launched"),
        ("queue", "queued"),
        ("queue", "queued"),
    ]
    assert deployment.reasons() == ["launched", "queued", "superseded", "queued"]
    assert deployment.receive(trigger_event("t-2")).reason == "duplicate"
    deployment.wait(HOUR)
    outcome = deployment.end(trigger(), "run-1")
    assert (outcome.decision, outcome.reason, outcome.model_id) == ("ended", "succeeded", "churn")
    first, second = deployment.service.runs.values()
    assert (first.request.trigger.trigger_id, second.request.trigger.trigger_id) == ("t-1", "t-3")
    assert deployment.reasons()[-1] == "launched"
    page = deployment.get("/models/churn")
    assert (page["state"], page["running"]["trigger_id"], page["queued"]) == ("training", "t-3", None)


@pytest.mark.parametrize("result", [RunResult.SUCCEEDED, RunResult.FAILED, RunResult.STOPPED])
def test_an_end_reported_thrice_changes_the_state_once(result: RunResult) -> None:
    """The model is free, the run has its end and result, and nothing more starts, however often it is reported."""
    deployment = Deployment()
    deployment.receive(trigger_event())
    deployment.receive(trigger_event("t-2"))
    deployment.wait(HOUR)
    deployment.end(trigger(), "run-1", result)
    after, observed = deployment.state(), list(deployment.observed)
    deployment.wait(SECOND)
    for _ in range(2):
        assert deployment.end(trigger(), "run-1", result).reason == result
    assert deployment.state() == after
    assert deployment.observed == observed
    assert (after.runs[1].ended_at, after.runs[1].result) == (NOW + HOUR, result)
    assert len(deployment.service.runs) == 2


def test_the_end_of_another_run_changes_nothing() -> None:
    """A run that we did not start, or that still goes on, frees no model."""
    deployment = Deployment()
    deployment.receive(trigger_event())
    before = deployment.state()
    for name, status, run_id in (("nightly", "Failed", "run-9"), ("retrain-" + "0" * 40, "Failed", "run-9")):
        detail = {"pipelineExecutionArn": run_id, "pipelineExecutionDisplayName": name}
        news = {"source": "aws.sagemaker", "detail-type": "SageMaker Model Building Pipeline Execution Status Change"}
        outcome = deployment.receive(news | {"detail": detail | {"currentPipelineExecutionStatus": status}})
        assert (outcome.decision, outcome.model_id) == ("ended", "")
    assert deployment.state() == before


def test_a_training_that_is_handed_over_leaves_the_model_free() -> None:
    """Its end is not ours to see: only the cooldown holds."""
    deployment = Deployment(model_text(settings='cooldown = "1h"'))
    deployment.service = TrainingService(deployment.clock, honours_tokens=False, shows_runs=False)
    assert deployment.receive(trigger_event()).reason == "launched"
    page = deployment.get("/models/churn")
    assert (page["state"], page["running"], page["runs"][0]["result"]) == ("cooling_down", None, "handed_over")
    assert deployment.receive(trigger_event("t-2")).reason == "cooldown"
    deployment.wait(HOUR)
    assert deployment.receive(trigger_event("t-3")).reason == "launched"
