"""A training that failed is started again, and its failure is reported once, when no attempt is left."""

import dataclasses
import hashlib
import json
from datetime import timedelta

import pytest

from shared.decision.retries import attempt_id, is_attempt_of
from shared.decision.state import ModelState
from shared.http.verbs import retry
from shared.notice import notice_text
from shared.ports import RunResult
from shared.training.sweep import sweep, sweep_model
from tests.core.deployment import Deployment
from tests.core.samples import HOUR, MINUTE, model_text

NOTIFIED = '[notify]\nchannels = ["slack://one"]'
FAILED = RunResult.FAILED


def deployment(settings: str = "retries = 2") -> Deployment:
    """Return a deployment whose model has these *settings* and notifies people of failures."""
    return Deployment(f"{model_text(settings=settings)}\n{NOTIFIED}")


def end(one: Deployment, result: RunResult = FAILED) -> None:
    """Let the newest training end."""
    run = list(one.service.runs.values())[-1]
    one.end(run.request.trigger, run.run_id, result)


def trained(one: Deployment) -> list[str]:
    """Return the triggers of all trainings."""
    return [run.request.trigger.trigger_id for run in one.service.runs.values()]


def after(one: Deployment, delay: timedelta) -> None:
    """Sweep after *delay*."""
    one.wait(delay)
    sweep(one.receiver)


def failures(one: Deployment) -> list[str]:
    """Return the triggers of the notices about failures."""
    return [notice.trigger_id for _, notice in one.channels.sent if notice.event == "failed"]


def test_a_failed_training_is_started_again_after_its_delay() -> None:
    """The delay doubles with each attempt, and people are notified once, of the last one."""
    one = deployment()
    one.emit("t-1", parameters={})
    end(one)
    page = one.get("/models/churn")
    assert (page["retry"]["trigger_id"], page["retry"]["at"], page["queued"]) == (
        "t-1~2",
        "2026-11-21T03:30:00Z",
        None,
    )
    assert page["decisions"][0]["detail"] == "attempt 2 of 3, not before 2026-11-21T03:30:00Z"
    after(one, 29 * MINUTE)
    assert trained(one) == ["t-1"]
    after(one, MINUTE)
    end(one)
    after(one, 59 * MINUTE)
    assert trained(one) == ["t-1", "t-1~2"]
    after(one, MINUTE)
    assert (trained(one), failures(one)) == (["t-1", "t-1~2", "t-1~3"], [])
    end(one)
    assert failures(one) == ["t-1~3"]
    assert "Attempts: 3" in notice_text(one.channels.sent[-1][1]).splitlines()
    assert [run["attempt"] for run in one.get("/models/churn")["runs"]] == [3, 2, 1]
    after(one, 24 * HOUR)
    assert (len(trained(one)), failures(one)) == (3, ["t-1~3"])


def test_a_retry_that_succeeds_hides_the_failure_before_it() -> None:
    """Nothing failed in the end."""
    one = deployment()
    one.emit("t-1")
    end(one)
    after(one, HOUR)
    end(one, RunResult.SUCCEEDED)
    assert (trained(one), failures(one)) == (["t-1", "t-1~2"], [])


@pytest.mark.parametrize("result", [RunResult.STOPPED, RunResult.SUCCEEDED])
def test_only_a_failure_is_retried(result: RunResult) -> None:
    """A training that was stopped, or that counts as gone, has no further attempt."""
    one = deployment()
    one.emit("t-1")
    end(one, result)
    assert one.state().retry is None


def test_a_newer_trigger_takes_the_place_of_a_retry() -> None:
    """The failure is reported then; the newer one is not held by the cooldown longer than the retry was."""
    one = deployment('retries = 2\ncooldown = "6h"\non_cooldown = "queue"')
    one.emit("t-1")
    end(one)
    one.emit("t-2")
    assert failures(one) == ["t-1"]
    assert one.reasons()[-2:] == ["superseded", "cooldown"]
    after(one, 29 * MINUTE)
    assert trained(one) == ["t-1"]
    after(one, MINUTE)
    assert trained(one) == ["t-1", "t-2"]


def test_a_trigger_that_is_skipped_leaves_the_retry_in_its_place() -> None:
    """The cooldown skips the newer one, and the retry starts all the same."""
    one = deployment('retries = 2\ncooldown = "6h"')
    one.emit("t-1")
    end(one)
    one.emit("t-2")
    after(one, 30 * MINUTE)
    assert (trained(one), failures(one)) == (["t-1", "t-1~2"], [])


def test_no_retry_is_made_where_a_trigger_is_kept() -> None:
    """The kept one starts instead, and the failure is reported immediately."""
    one = deployment()
    one.emit("t-1")
    one.emit("t-2")
    end(one)
    assert (trained(one), failures(one), one.state().retry) == (["t-1", "t-2"], ["t-1"], None)


def test_a_retry_that_is_refused_reports_the_failure_before_it() -> None:
    """The service would not start it: the training failed."""
    one = deployment()
    one.emit("t-1")
    end(one)
    one.service.refusing = True
    after(one, 30 * MINUTE)
    assert (trained(one), failures(one), one.reasons()[-1]) == (["t-1"], ["t-1"], "rejected")


@pytest.mark.parametrize(("delay", "passed"), [("30m", 30 * MINUTE), ("90d", 25 * HOUR)])
def test_a_retry_that_is_no_longer_configured_reports_the_failure_before_it(delay: str, passed: timedelta) -> None:
    """It is dropped when its time has come, by the next event of the model, or within a day by a sweep."""
    one = deployment(f'retries = 2\nretry_delay = "{delay}"')
    one.emit("t-1")
    end(one)
    for _ in range(2):  # Afterwards the index is complete.
        after(one, MINUTE)
        one.wait(MINUTE)
    one.receiver = dataclasses.replace(one.receiver, config=deployment("retries = 0").receiver.config)
    after(one, passed)
    assert (trained(one), failures(one), one.state().retry) == (["t-1"], ["t-1"], None)
    assert one.state().decisions[0].detail == "retries are no longer configured"


@pytest.mark.parametrize("pending", [True, False])
def test_a_retry_that_a_person_requests_starts_at_once_although_clocks_differ(*, pending: bool) -> None:
    """The machine that takes the request is a minute ahead of the one that starts trainings."""
    one = deployment("retries = 1" if pending else "")
    one.emit("t-1")
    end(one)
    ahead = dataclasses.replace(one.emitter, clock=lambda: one.now + MINUTE)
    retry(ahead, "churn", {"trigger_id": "t-1"}, "ada")
    sweep_model(one.receiver, "churn")
    assert trained(one) == ["t-1", "t-1~2"]


def test_a_retry_has_the_parameters_that_were_requested() -> None:
    """With today's defaults: what the first attempt set is set again."""
    one = Deployment(model_text(settings="retries = 1", tables='[models."churn".parameters]\nepochs = 8\nrate = 0.1'))
    one.emit("t-1", parameters={"epochs": 3})
    end(one)
    after(one, 30 * MINUTE)
    first, second = (run.request for run in one.service.runs.values())
    assert second.parameters == first.parameters == {"epochs": 3, "rate": 0.1}


def test_ids_of_attempts() -> None:
    """The next number that is not seen; a long base is replaced by its hash; the text of an id means nothing."""
    state = ModelState().remembering("t~2", launched=True)
    assert (attempt_id(state, "t"), attempt_id(state, "t~2")) == ("t~3", "t~2~2")
    base = "x" * 127
    assert attempt_id(state, base) == f"{hashlib.sha256(base.encode()).hexdigest()}~2"
    assert is_attempt_of(base, attempt_id(state, base))
    assert is_attempt_of("t", "t~12")
    assert not is_attempt_of("t", "t~x")
    assert not is_attempt_of("t", "u~2")


def test_an_id_of_a_retry_is_a_duplicate_for_everybody_else() -> None:
    """A pending retry counts as seen, so that no event can take its id."""
    one = deployment()
    one.emit("t-1")
    end(one)
    response = one.call("POST", "/retrain", {"model_id": "churn", "trigger_id": "t-1~2"}, query={"dry_run": "true"})
    assert json.loads(response.body) == {"decision": "skip", "reason": "duplicate"}
