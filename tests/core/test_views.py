"""The view of a model for people, key by key."""

import dataclasses
import json
from datetime import timedelta

import pytest

from shared.config.file import load_configuration
from shared.config.model import Model
from shared.decision.state import Decided, ModelState, Parked, PastRun, Training
from shared.http.views import details, summary
from tests.core.samples import HOUR, MINUTE, NOW, SECOND, configured, model_text, trigger
from tests.core.test_config import FULL

CLAIMED = Training(
    trigger=trigger(trigger_id="t-2"), claimed_at=NOW, first_claimed_at=NOW - MINUTE, holder="another process's secret"
)
RUNNING = dataclasses.replace(CLAIMED, run_id="run-2", url="https://runs/2", started_at=NOW + SECOND)
PARKED = Parked(trigger=trigger(reason="again", origin="data"), since=NOW)
IDLE = ModelState()


def model(settings: str = 'cooldown = "1h"') -> Model:
    """Return a model with *settings*."""
    return configured(model_text(settings=settings)).models[0]


@pytest.mark.parametrize(
    ("state", "phase", "until"),
    [
        (IDLE, "idle", None),
        (ModelState(last_start=NOW - HOUR), "idle", None),
        (ModelState(last_start=NOW - HOUR + SECOND), "cooling_down", "2026-11-21T03:00:01Z"),
        (ModelState(last_start=NOW), "cooling_down", "2026-11-21T04:00:00Z"),
        (ModelState(last_start=NOW, waiting=PARKED), "waiting", "2026-11-21T04:00:00Z"),
        (ModelState(last_start=NOW, waiting=PARKED, training=RUNNING), "training", "2026-11-21T04:00:00Z"),
        (ModelState(training=CLAIMED), "training", None),
        (ModelState(queued=PARKED), "idle", None),
    ],
)
def test_the_state_of_a_model(state: ModelState, phase: str, until: str | None) -> None:
    """It trains, or waits for a person, or cools down until the very second, or is idle; the first of these counts."""
    page = details("churn", model(), "local", state, NOW)
    assert (page["state"], page["cooldown_until"]) == (phase, until)
    assert summary("churn", model(), state, NOW)["state"] == phase


def test_without_a_cooldown_nothing_cools_down() -> None:
    """A model without a cooldown is idle at the moment of its last start."""
    page = details("churn", model(""), "local", ModelState(last_start=NOW), NOW)
    assert (page["state"], page["cooldown_until"]) == ("idle", None)


def test_a_model_that_nothing_happened_to() -> None:
    """Every key is there from the beginning."""
    page = details("churn", model(""), "local", IDLE, NOW)
    configuration = page.pop("configuration")
    assert isinstance(configuration, dict)
    assert page == {
        "model_id": "churn",
        "state": "idle",
        "running": None,
        "cooldown_until": None,
        "queued": None,
        "waiting": None,
        "decisions": [],
        "runs": [],
        "rejected": [],
        "follow_ups": [],
    }
    assert summary("churn", model(), IDLE, NOW) == {"model_id": "churn", "state": "idle", "last_decision": None}


@pytest.mark.parametrize(
    ("training", "started"),
    [
        (CLAIMED, {"run_id": None, "started_at": None, "url": None}),
        (RUNNING, {"run_id": "run-2", "started_at": "2026-11-21T03:00:01Z", "url": "https://runs/2"}),
    ],
    ids=["claimed", "started"],
)
def test_what_runs(training: Training, started: dict[str, object]) -> None:
    """The trigger, the run and since when; a claim that was taken over counts from the first."""
    page = details("churn", model(), "local", ModelState(training=training), NOW)
    assert page["running"] == {"trigger_id": "t-2", "claimed_at": "2026-11-21T02:59:00Z"} | started
    assert "secret" not in json.dumps(page)


@pytest.mark.parametrize("place", ["queued", "waiting"])
def test_what_waits(place: str) -> None:
    """The trigger, its reason and since when it waits."""
    state = ModelState(queued=PARKED) if place == "queued" else ModelState(waiting=PARKED)
    assert details("churn", model(), "local", state, NOW)[place] == {
        "trigger_id": "t-1",
        "origin": "data",
        "reason": "again",
        "since": "2026-11-21T03:00:00Z",
    }


def test_the_histories() -> None:
    """Decisions, runs and rejected events as lines of their own, newest first, with the contract's keys."""
    lines = tuple(
        Decided(at=NOW - MINUTE * place, trigger_id=f"t-{place}", decision="skip", reason="cooldown", detail="why")
        for place in range(3)
    )
    runs = (
        PastRun(run_id="run-2", trigger_id="t-2", started_at=NOW),
        PastRun(run_id="run-1", trigger_id="t-1", started_at=NOW, ended_at=NOW, result="failed", url="https://runs/1"),
    )
    state = ModelState(decisions=lines, rejected=lines[1:], runs=runs)
    page = details("churn", model(), "local", state, NOW)
    shown = [
        {"at": f"2026-11-21T{at}:00Z", "trigger_id": name, "decision": "skip", "reason": "cooldown", "detail": "why"}
        for at, name in (("03:00", "t-0"), ("02:59", "t-1"), ("02:58", "t-2"))
    ]
    assert (page["decisions"], page["rejected"]) == (shown, shown[1:])
    at = "2026-11-21T03:00:00Z"
    assert page["runs"] == [
        {"run_id": "run-2", "trigger_id": "t-2", "started_at": at, "ended_at": None, "result": None, "url": None},
        {
            "run_id": "run-1",
            "trigger_id": "t-1",
            "started_at": at,
            "ended_at": at,
            "result": "failed",
            "url": "https://runs/1",
        },
    ]
    assert summary("churn", model(), state, NOW)["last_decision"] == shown[0]


def test_the_configuration_of_a_model() -> None:
    """As it is written in the file, defaults filled in, with the target of this cloud only."""
    (churn,) = load_configuration(FULL).models
    shown = details("churn", churn, "aws", IDLE, NOW)["configuration"]
    assert shown == {
        "name": "churn",
        "default": False,
        "schedule": True,
        "timezone": None,
        "max_age": None,
        "signals": list(churn.signals),
        "cooldown": "6h",
        "cooldown_after": "start",
        "on_cooldown": "queue",
        "on_busy": "queue",
        "max_trainings": None,
        "retries": 0,
        "retry_delay": "30m",
        "max_run": "12h",
        "min_severity": "medium",
        "consecutive": 2,
        "window": "7d",
        "approval": False,
        "parameters": {"epochs": 8, "model_id": "$model_id"},
        "target": {"kind": "sagemaker", "pipeline": "churn-training"},
        "after": {"succeeded": churn.after.succeeded, "failed": churn.after.failed},
    }
    elsewhere = details("x", model("cooldown = '90s'"), "aws", IDLE, NOW)["configuration"]
    assert isinstance(elsewhere, dict)
    assert (elsewhere["target"], elsewhere["cooldown"], elsewhere["max_run"]) == (None, "90s", "1d")
    assert timedelta(days=1) == model().policy.max_run
