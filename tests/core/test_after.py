"""Follow-ups of a training: once for each end, however often it is reported, never in the way of another training."""

import dataclasses

import pytest

from shared.errors import UnavailableError
from shared.ports import RunResult
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, trigger_event
from tests.core.following import DONE, MAIL, OUTLETS, SLACK, after, over
from tests.core.samples import HOUR, NOW, model_text, trigger
from tests.fakes.faults import Fault, Script
from tests.fakes.training import TrainingService


def test_a_success_is_dispatched_once() -> None:
    """However often the end is reported, GitHub gets one event, with the token and what workflows of Azure read."""
    deployment = Deployment(after())
    over(deployment, times=3)
    (dispatch,) = deployment.repositories.dispatched
    assert (dispatch.repository, dispatch.event_type) == ("acme/churn", DONE)
    assert dispatch.token == trigger().token
    assert dispatch.payload == {
        "data": {"runId": "run-1", "experimentName": "churn"},
        "model_id": "churn",
        "trigger_id": "t-1",
        "token": trigger().token,
        "result": "succeeded",
        "ended_at": "2026-11-21T04:00:00Z",
        "url": "",
        "cloud": "local",
    }
    assert deployment.state().pending == ()


def test_people_are_notified_once_through_each_channel() -> None:
    """`after` and `on` may both request it: one end is one notice for a channel, with why the training ran."""
    for on in ("", 'on = ["ended", "failed"]\n'):
        deployment = Deployment(after(outlets=OUTLETS.replace("[github]", f"{on}[github]")))
        over(deployment, times=3)
        assert [channel for channel, _ in deployment.channels.sent] == [SLACK, MAIL]
        notice = deployment.channels.sent[0][1]
        assert (notice.event, notice.result, notice.run_id, notice.at) == ("ended", "succeeded", "run-1", NOW + HOUR)
        assert (notice.reason, notice.severity, notice.requested_by) == ("PSI 0.4", "high", "ada")
        assert (notice.model_id, notice.trigger_id, notice.origin) == ("churn", "t-1", "event")


@pytest.mark.parametrize("result", [RunResult.FAILED, RunResult.STOPPED])
def test_a_failure_has_its_own_actions(result: RunResult) -> None:
    """A training that did not succeed has failed, however it ended."""
    deployment = Deployment(after(failed='["github:acme/churn#training-failed"]'))
    over(deployment, result)
    (dispatch,) = deployment.repositories.dispatched
    assert (dispatch.event_type, dispatch.payload["result"]) == ("training-failed", result)
    assert [notice.event for _, notice in deployment.channels.sent] == ["failed", "failed"]


def test_a_training_that_is_gone_has_failed() -> None:
    """No event reports its end, and the service does not either: the sweep finds it, and a late end changes nothing."""
    deployment = Deployment(after())
    deployment.receive(trigger_event())
    deployment.wait(2 * HOUR)
    for _ in range(2):
        assert sweep(deployment.receiver) == ["churn"]
    assert [notice.result for _, notice in deployment.channels.sent] == ["gone", "gone"]
    deployment.end(trigger(), "run-1")
    assert deployment.state().runs[0].result == "succeeded"
    assert deployment.repositories.dispatched == []


@pytest.mark.parametrize("on", ["", 'on = ["failed"]\n', 'on = ["launched", "rejected"]\n'])
def test_nothing_follows_where_nothing_is_configured(on: str) -> None:
    """A success is not notified unless the configuration requests it."""
    deployment = Deployment(model_text() + OUTLETS.replace("[github]", f"{on}[github]"))
    over(deployment)
    assert [notice.event for _, notice in deployment.channels.sent] == ["launched"] * 2 * ("launched" in on)
    assert deployment.repositories.dispatched == []


def test_nothing_follows_what_was_handed_over() -> None:
    """The end of such a training is not ours to see."""
    deployment = Deployment(after())
    deployment.service = TrainingService(deployment.clock, honours_tokens=False, shows_runs=False)
    deployment.receive(trigger_event())
    assert deployment.state().pending == ()
    assert deployment.channels.sent == []


def test_no_one_is_notified_without_a_notifier() -> None:
    """A bundle that has no way to people does what else follows, and waits for nothing."""
    deployment = Deployment(after())
    deployment.receiver = dataclasses.replace(deployment.receiver, notifier=None)
    over(deployment)
    assert (len(deployment.repositories.dispatched), deployment.state().pending) == (1, ())


def test_workflows_of_azure_find_their_experiment() -> None:
    """`experimentName` is the experiment of the target, where it names one."""
    target = 'kind = "azureml"\nworkspace = "w"\ncomponent = "c"\nexperiment = "churn-eu"\n'
    text = after().replace("[notify]", f'[models."churn".target.azure]\n{target}[notify]')
    deployment = Deployment(text)
    deployment.receiver = dataclasses.replace(deployment.receiver, cloud="azure")
    over(deployment)
    assert deployment.repositories.dispatched[0].payload["data"] == {"runId": "run-1", "experimentName": "churn-eu"}


def test_a_start_that_fails_does_not_keep_up_what_follows() -> None:
    """The news is delivered again for the queued trigger's sake, and what follows the end is done already."""
    deployment = Deployment(after(), launcher_gate=Script({1: Fault.THROTTLED}))
    deployment.receive(trigger_event())
    deployment.receive(trigger_event("t-2"))
    with pytest.raises(UnavailableError):
        deployment.end(trigger(), "run-1")
    assert (len(deployment.repositories.dispatched), len(deployment.channels.sent)) == (1, 2)
    assert deployment.end(trigger(), "run-1").decision == "ended"
    assert (len(deployment.repositories.dispatched), len(deployment.service.runs)) == (1, 2)
