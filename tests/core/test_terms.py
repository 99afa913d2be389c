"""A claim is finished and a run is watched on the terms of the claim, whatever the configuration says since."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.config.model import Configuration
from shared.decision.transitions import HAND_OVER_LEASE
from shared.errors import LaunchInProgressError, UnavailableError
from shared.ports import RunResult
from shared.receive import receive
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, decode, trigger_event
from tests.core.samples import HOUR, MINUTE, SECOND, configured, model_text, trigger
from tests.core.setting import REPOSITORY
from tests.core.world import place_of
from tests.fakes.faults import Fault, Gate, Script, perform
from tests.fakes.training import MemoryLauncher

SETTINGS = 'max_run = "2h"'
DAY = timedelta(days=1)


def churn(target: str, settings: str = SETTINGS) -> str:
    """Return a configuration of `churn` that trains at *target*."""
    return f'[models."churn"]\n{settings}\n[models."churn".target.local]\n{target}\n'


HERE = churn('kind = "command"\ncommand = ["train"]')
ELSEWHERE = churn('kind = "command"\ncommand = ["elsewhere"]')
GITHUB = f'[github]\nrepositories = ["{REPOSITORY}"]\n' + churn(
    f'kind = "github"\nrepository = "{REPOSITORY}"\nevent_type = "train"'
)
OTHER = model_text("other")


def deployed(text: str = HERE, gate: Gate = perform) -> Deployment:
    """Return a deployment in which each target is a place of its own."""
    deployment = Deployment(text)
    deployment.receiver = dataclasses.replace(
        deployment.receiver, launcher=lambda target: MemoryLauncher(deployment.service, gate, place_of(target))
    )
    return deployment


def redeploy(deployment: Deployment, text: str) -> None:
    """Deploy another configuration."""
    config: Configuration = configured(text)
    deployment.receiver = dataclasses.replace(deployment.receiver, config=config)
    deployment.emitter = dataclasses.replace(deployment.emitter, config=config)


@pytest.mark.parametrize("changed", [ELSEWHERE, GITHUB, OTHER], ids=["address", "kind", "model gone"])
def test_a_running_training_is_watched_where_it_runs(changed: str) -> None:
    """A changed or missing target neither frees the model nor hides the true end of its training."""
    deployment = deployed()
    deployment.receive(trigger_event())
    redeploy(deployment, changed)
    deployment.wait(HOUR)
    sweep(deployment.receiver)
    assert deployment.state().training is not None
    deployment.service.end("run-1", RunResult.FAILED)
    deployment.wait(HOUR)
    sweep(deployment.receiver)
    (run,) = deployment.state().runs
    assert (deployment.state().training, run.result) == (None, "failed")


@pytest.mark.parametrize("changed", [ELSEWHERE, GITHUB, OTHER], ids=["address", "kind", "model gone"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.THROTTLED])
def test_a_repeat_starts_what_was_claimed(changed: str, fault: Fault) -> None:
    """The start whose answer was lost is repeated at its own target, with its own parameters: one training."""
    deployment = deployed(gate=Script({0: fault}))
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    redeploy(deployment, changed)
    deployment.wait(2 * MINUTE)
    sweep(deployment.receiver)
    (run,) = deployment.service.runs.values()
    assert run.place == "command train"
    training = deployment.state().training
    assert training is not None
    assert training.run_id == run.run_id


def test_nothing_kept_starts_while_its_model_is_gone() -> None:
    """The end is recorded, what follows waits, and both go on once the configuration knows the model again."""
    text = HERE + '[models."churn".after]\nsucceeded = ["notify"]\n[notify]\nchannels = ["slack://a/b"]\n'
    deployment = deployed(text)
    deployment.receive(trigger_event("t-1"))
    deployment.receive(trigger_event("t-2"))
    redeploy(deployment, OTHER)
    deployment.end(trigger(), "run-1")
    assert deployment.state().queued is not None
    assert deployment.receive(trigger_event("t-3")).reason == "rejected"
    deployment.wait(DAY)
    sweep(deployment.receiver)
    assert (len(deployment.service.runs), deployment.channels.sent) == (1, [])
    redeploy(deployment, text)
    sweep(deployment.receiver)
    assert [notice.event for _, notice in deployment.channels.sent] == ["ended"]
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-1", "t-2"]


def test_an_overdue_run_waits_for_a_service_that_is_away() -> None:
    """No second training starts beside it until the service answers or a further day has passed."""
    deployment = deployed(gate=Script(dict.fromkeys(range(1, 20), Fault.THROTTLED)))
    deployment.receive(trigger_event("t-1"))
    deployment.wait(2 * HOUR)
    with pytest.raises(UnavailableError, match="run-1"):
        deployment.receive(trigger_event("t-2"))
    assert len(deployment.service.runs) == 1
    deployment.wait(DAY)
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event("t-2"))
    assert [run.result for run in deployment.state().runs] == ["gone"]


def test_an_overdue_run_is_looked_at_immediately() -> None:
    """The interval between status requests does not delay the moment when a training counts as gone."""
    deployment = deployed(HERE.replace(SETTINGS, f'{SETTINGS}\non_busy = "skip"'))
    deployment.receive(trigger_event("t-1"))
    deployment.wait(2 * HOUR - 30 * SECOND)
    assert deployment.receive(trigger_event("t-2")).reason == "busy"
    deployment.wait(30 * SECOND)
    assert deployment.receive(trigger_event("t-3")).decision == "launch"


@pytest.mark.parametrize("skew", [-5 * MINUTE, -90 * SECOND, 90 * SECOND, 5 * MINUTE])
def test_clocks_that_differ_hand_over_once(skew: timedelta) -> None:
    """A receiver whose clock differs by up to five minutes does not take a fresh claim for abandoned."""
    deployment = deployed(GITHUB)
    ahead = dataclasses.replace(deployment.receiver, clock=lambda: deployment.now + skew)

    def during(_call: str, effect: object) -> object:
        with pytest.raises(LaunchInProgressError):
            receive(ahead, trigger_event(), decode)
        return effect()  # type: ignore[operator]

    launcher = MemoryLauncher(deployment.service, during, "github")  # type: ignore[arg-type]
    behind = dataclasses.replace(deployment.receiver, launcher=lambda _: launcher)
    assert receive(behind, trigger_event(), decode).decision == "launch"
    assert len(deployment.service.runs) == 1
    assert skew < HAND_OVER_LEASE


def test_a_trigger_can_be_kept_until_the_cooldown_is_over() -> None:
    """With `on_cooldown` the newest trigger is kept, starts without another event, and is decided once."""
    deployment = deployed(HERE.replace(SETTINGS, 'cooldown = "6h"\non_cooldown = "queue"'))
    deployment.receive(trigger_event("t-1"))
    deployment.end(trigger(), "run-1")
    reasons = [deployment.receive(trigger_event(name)).reason for name in ("t-2", "t-3", "t-3")]
    assert reasons == ["cooldown", "cooldown", "duplicate"]
    for _ in range(3):
        sweep(deployment.receiver)
    deployment.wait(6 * HOUR)
    sweep(deployment.receiver)
    assert [run.request.trigger.trigger_id for run in deployment.service.runs.values()] == ["t-1", "t-3"]
    assert deployment.reasons() == ["launched", "cooldown", "superseded", "cooldown", "launched"]


def claimed(change: Callable[[dict[str, Any]], object]) -> Deployment:
    """Return a deployment with a claim whose start failed, in which *change* has changed the stored claim."""
    deployment = deployed(gate=Script({0: Fault.THROTTLED}))
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    stored = deployment.ledger.peek("churn")
    assert stored.document is not None
    content = json.loads(stored.document)
    change(content["training"])
    assert deployment.ledger.save("churn", json.dumps(content), stored.version)
    deployment.wait(2 * MINUTE)
    return deployment


def test_a_claim_of_the_version_before_is_finished_on_todays_terms() -> None:
    """It has no terms of its own: it waits while the configuration does not know its model, and starts nowhere else."""
    deployment = claimed(lambda training: training.pop("terms"))
    redeploy(deployment, OTHER)
    with pytest.raises(UnavailableError, match="'churn'"):
        sweep(deployment.receiver)
    assert deployment.service.runs == {}
    redeploy(deployment, ELSEWHERE)
    deployment.wait(2 * MINUTE)
    sweep(deployment.receiver)
    assert [run.place for run in deployment.service.runs.values()] == ["command elsewhere"]


def test_a_claim_for_a_target_of_another_cloud_is_refused() -> None:
    """Access to the ledger is worth no more than the targets that this cloud has."""
    target = {"kind": "sagemaker", "pipeline": "theirs"}
    deployment = claimed(lambda training: training["terms"].update(target=target))
    sweep(deployment.receiver)
    assert deployment.service.runs == {}
    assert deployment.reasons() == ["launched", "rejected"]
    assert "'sagemaker' is not a kind of target of this cloud" in deployment.state().decisions[0].detail
