"""A sweep ends in time, however many models there are, and none is always left out."""

import dataclasses
import logging
from typing import Any

import pytest

from shared.config.targets import Target
from shared.decision import pending
from shared.errors import UnavailableError
from shared.ledger.document import write_state
from shared.ledger.index import OWN
from shared.ports import Launcher, RunResult
from shared.training.channels import channel_label
from shared.training.sweep import SWEEP_TIME_LIMIT, sweep
from tests.core.deployment import Deployment, trigger_event
from tests.core.following import OUTLETS, SLACK
from tests.core.samples import HOUR, MINUTE, SECOND, model_text
from tests.fakes.faults import Fault, Script
from tests.fakes.outlets import MemoryNotifier

NAMES = [f"m-{number:02}" for number in range(20)]


def many() -> Deployment:
    """Return a deployment with twenty models that train."""
    deployment = Deployment(model_text("m-*"))
    for name in NAMES:
        deployment.receive(trigger_event(name, model_id=name))
    return deployment


class Slow:
    """A ledger that takes four seconds to load a model."""

    def __init__(self, deployment: Deployment) -> None:
        """Be slow in the time of *deployment*."""
        self._deployment, self._ledger = deployment, deployment.receiver.ledger

    def load(self, model_id: str) -> Any:
        """Take a while."""
        self._deployment.wait(4 * SECOND)
        return self._ledger.load(model_id)

    def __getattr__(self, name: str) -> Any:
        """Do all else as fast as ever."""
        return getattr(self._ledger, name)


def test_every_model_is_looked_after_once() -> None:
    """Wherever it begins, a sweep that has the time sees each model once."""
    deployment = many()
    for _ in range(5):
        assert sorted(sweep(deployment.receiver)) == NAMES


def test_a_sweep_ends_in_time_and_the_next_begins_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    """It stops before its function is stopped, and says so; within a day every model had its turn."""
    deployment = many()
    deployment.receiver = dataclasses.replace(deployment.receiver, ledger=Slow(deployment))
    seen: set[str] = set()
    for _ in range(24):
        began = deployment.now
        with caplog.at_level(logging.WARNING, logger="retrain"):
            swept = sweep(deployment.receiver)
        assert len(swept) < len(NAMES)
        assert SWEEP_TIME_LIMIT < deployment.now - began < MINUTE
        seen |= set(swept)
        deployment.wait(HOUR)
    assert seen == set(NAMES)
    (record, *_) = [record for record in caplog.records if record.message == "retrain.sweep_cut_short"]
    assert vars(record)["next"] in NAMES


def test_a_mistake_of_a_client_stops_no_other_model(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged with the name of its model; all others are looked after."""
    deployment = many()
    sound, failed = deployment.receiver.launcher, list[Target]()

    def launcher(target: Target) -> Launcher:
        if not failed:
            failed.append(target)
            raise KeyError("secret")
        return sound(target)

    deployment.receiver = dataclasses.replace(deployment.receiver, launcher=launcher)
    deployment.wait(HOUR)
    with pytest.raises(UnavailableError, match=r"m-[0-9]+: KeyError; try again"):
        sweep(deployment.receiver)
    trainings = [deployment.state(name).training for name in NAMES]
    assert sum(one is not None and one.checked_at == deployment.now for one in trainings) >= len(NAMES) - 1
    (record,) = [record for record in caplog.records if record.message == "retrain.sweep_failed"]
    assert (vars(record)["model_id"] in NAMES, vars(record)["error"]) == (True, "KeyError")


class Failing:
    """A ledger of which one call fails: `method`, or `method key`."""

    def __init__(self, deployment: Deployment, call: str) -> None:
        """Let *call* of the ledger of *deployment* fail."""
        self._ledger, self._call = deployment.receiver.ledger, call

    def __getattr__(self, name: str) -> Any:
        """Return the call, which fails if it is the one."""
        call = getattr(self._ledger, name)

        def gated(*given: Any) -> Any:
            if self._call in (name, f"{name} {given[0]}"):
                raise UnavailableError("The ledger", name)
            return call(*given)

        return gated


PARTS = {
    "due": "the models that are due",
    "models": "the pass through all models",
    f"load {OWN}index": "the record of the index",
    f"save {OWN}index": "the pass through all models",
    f"load {OWN}watched": "models that are seen for the first time",
}


@pytest.mark.parametrize("call", PARTS)
def test_a_part_that_fails_stops_no_other_part(call: str) -> None:
    """Whatever cannot be read, a training that is over ends and is followed up, and a new model is watched."""
    texts = [model_text("a", tables='[models."a".after]\nsucceeded = ["notify"]'), model_text("new", 'max_age = "14d"')]
    deployment = Deployment("".join([*texts, OUTLETS]), outlet_gate=Script({0: Fault.THROTTLED, 1: Fault.THROTTLED}))
    deployment.receive(trigger_event(model_id="a"))
    (run,) = deployment.service.running()
    deployment.end(run.request.trigger, run.run_id)
    deployment.receive(trigger_event("second", model_id="a"))
    deployment.wait(HOUR)
    deployment.service.end("run-2", RunResult.FAILED)
    deployment.receiver = dataclasses.replace(deployment.receiver, ledger=Failing(deployment, call))
    with pytest.raises(UnavailableError, match=PARTS[call]):
        sweep(deployment.receiver)
    state = deployment.state("a")
    assert [run.result for run in state.runs] == ["failed", "succeeded"]
    assert (state.pending, {notice.trigger_id for _, notice in deployment.channels.sent}) == ((), {"t-1", "second"})
    watched = deployment.state("new").first_seen == deployment.now
    assert watched or call.endswith("watched")


def test_nothing_is_swept_where_nothing_is() -> None:
    """A deployment that never saw a trigger has nothing to look after."""
    assert sweep(Deployment(model_text()).receiver) == []


def test_each_sweep_reports_the_age_of_the_oldest_queued_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """Zero while none is queued; a trigger that starts no longer counts."""
    deployment = Deployment(model_text("m-*"))
    ages: list[tuple[object, object, object]] = []

    def swept() -> None:
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="retrain"):
            sweep(deployment.receiver)
        (line,) = [vars(record) for record in caplog.records if record.message == "retrain.queue_age"]
        ages.append((line["queued"], line["seconds"], line.get("model_id")))

    swept()
    for model_id in ("m-1", "m-2"):
        for name in ("t-1", "t-2"):
            deployment.receive(trigger_event(name, model_id=model_id))
        deployment.wait(HOUR)
    swept()
    first = next(run for run in deployment.service.runs.values() if run.request.trigger.model_id == "m-1")
    deployment.end(first.request.trigger, first.run_id)
    deployment.wait(MINUTE)
    swept()
    assert ages == [(0, 0.0, None), (2, 7200.0, "m-1"), (1, 3660.0, "m-2")]


def test_follow_ups_end_with_the_time_of_the_sweep() -> None:
    """A channel that takes the whole time for the first model leaves the follow-ups of the second to another sweep."""
    texts = [model_text(name, settings="approval = true") for name in ("a", "b")]
    deployment = Deployment("".join([*texts, OUTLETS]))
    for name in ("a", "b"):
        deployment.receive(trigger_event(model_id=name))
    sent = len(deployment.channels.sent)
    assert sent == 4
    states = {name: deployment.state(name) for name in ("a", "b")}
    for name, state in states.items():
        waiting = state.waiting
        assert waiting is not None
        due = pending.approval_requested(
            state, waiting, ("notify:" + channel_label(SLACK),), now=deployment.now, holder="gone"
        )
        deployment.ledger.save(name, write_state(due), deployment.ledger.peek(name).version)
    deployment.wait(2 * MINUTE)

    def slow(_channel: str) -> MemoryNotifier:
        deployment.wait(SWEEP_TIME_LIMIT + SECOND)
        return MemoryNotifier(deployment.channels, SLACK)

    deployment.receiver = dataclasses.replace(deployment.receiver, notifier=slow)
    sweep(deployment.receiver)
    assert len(deployment.channels.sent) == sent + 1
