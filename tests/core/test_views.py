"""The view of a model for people, key by key."""

import dataclasses
import json
from datetime import timedelta

import pytest

from shared.config.file import load_configuration
from shared.config.model import Model
from shared.decision.reasons import Result
from shared.decision.record import record_of
from shared.decision.state import Decided, ModelState, Parked, PastRun, Training, decided_about
from shared.http.views import details, summary
from tests.core.bodies import CHURN, UNUSED
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
        (ModelState(training=CLAIMED), "training", "2026-11-21T03:59:00Z"),
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
    assert page == {name: value for name, value in CHURN.items() if name != "configuration"}
    assert summary("churn", model(), IDLE, NOW) == UNUSED | {"model_id": "churn"}


REQUESTED: dict[str, object] = {
    "origin": "manual",
    "reason": "",
    "severity": None,
    "requested_by": None,
    "requested_at": "2026-11-21T03:00:00Z",
    "parameters": {},
    "evidence": {},
}


@pytest.mark.parametrize(
    ("training", "started"),
    [
        (CLAIMED, {"run_id": None, "started_at": None, "url": None, "since": "2026-11-21T02:59:00Z"}),
        (
            RUNNING,
            {
                "run_id": "run-2",
                "started_at": "2026-11-21T03:00:01Z",
                "url": "https://runs/2",
                "since": "2026-11-21T03:00:01Z",
            },
        ),
    ],
    ids=["claimed", "started"],
)
def test_what_runs(training: Training, started: dict[str, object]) -> None:
    """The trigger, the run and since when; a claim that was taken over counts from the first."""
    page = details("churn", model(), "local", ModelState(training=training), NOW)
    assert (
        page["running"]
        == {
            "trigger_id": "t-2",
            "claimed_at": "2026-11-21T02:59:00Z",
            "attempt": 1,
            "trigger": REQUESTED,
        }
        | started
    )
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
        "trigger": REQUESTED | {"origin": "data", "reason": "again"},
    }


ASKED = trigger(
    reason="drift in 5 of 12 columns",
    severity="high",
    requested_by="drift-monitor",
    parameters={"epochs": 3},
    evidence={"report_url": "https://reports/1", "signed": "https://reports/1?X-Amz-Signature=secret", "share": 0.42},
)


def test_the_histories() -> None:
    """Decisions, runs and rejected events newest first, with the contract's keys; what is unknown is null."""
    line = Decided(at=NOW, trigger_id="t-0", decision="reject", reason="rejected", detail="why")
    asked = decided_about(ASKED, at=NOW, decision="skip", reason="cooldown", detail="no training before noon")
    run = PastRun(
        run_id="run-1",
        trigger_id="t-1",
        started_at=NOW,
        ended_at=NOW,
        result="failed",
        url="https://runs/1",
        attempt=2,
        error="AlgorithmError: exit code 1",
        trigger=record_of(ASKED, {"epochs": 3, "mode": "full"}),
    )
    state = ModelState(
        decisions=(line, asked), rejected=(line,), runs=(PastRun(run_id="run-2", trigger_id="t-2", started_at=NOW), run)
    )
    page = details("churn", model(), "local", state, NOW)
    at = "2026-11-21T03:00:00Z"
    unknown: dict[str, object] = {
        "at": at,
        "trigger_id": "t-0",
        "decision": "reject",
        "reason": "rejected",
        "detail": "why",
    }
    unknown |= {"origin": None, "why": "", "requested_by": None, "evidence": []}
    assert page["decisions"] == [
        unknown,
        {
            "at": at,
            "trigger_id": "t-1",
            "decision": "skip",
            "reason": "cooldown",
            "detail": "no training before noon",
            "origin": "manual",
            "why": "drift in 5 of 12 columns",
            "requested_by": "drift-monitor",
            "evidence": ["https://reports/1"],
        },
    ]
    assert page["rejected"] == [unknown]
    assert page["runs"] == [
        {
            "run_id": "run-2",
            "trigger_id": "t-2",
            "started_at": at,
            "ended_at": None,
            "result": None,
            "url": None,
            "attempt": 1,
            "error": None,
            "trigger": None,
        },
        {
            "run_id": "run-1",
            "trigger_id": "t-1",
            "started_at": at,
            "ended_at": at,
            "result": "failed",
            "url": "https://runs/1",
            "attempt": 2,
            "error": "AlgorithmError: exit code 1",
            "trigger": {
                "origin": "manual",
                "reason": "drift in 5 of 12 columns",
                "severity": "high",
                "requested_by": "drift-monitor",
                "requested_at": at,
                "parameters": {"epochs": 3, "mode": "full"},
                "evidence": dict(ASKED.evidence),
            },
        },
    ]


def test_large_parameters_and_evidence_are_cut() -> None:
    """Over 1 KB each becomes its size and the first 900 characters of its JSON; smaller ones stay as they are."""
    large = {"text": "x" * 2000}
    run = PastRun(run_id="r", trigger_id="t-1", started_at=NOW, trigger=record_of(trigger(evidence=large), large))
    page = json.loads(json.dumps(details("churn", model(), "local", ModelState(runs=(run,)), NOW)))
    cut = {"cut": True, "bytes": 2011, "text": '{"text":"' + "x" * 891}
    assert (page["runs"][0]["trigger"]["parameters"], page["runs"][0]["trigger"]["evidence"]) == (cut, cut)


def test_a_person_sees_what_a_waiting_training_would_get() -> None:
    """The parameters of a waiting trigger are shown with the defaults, as its training would get them."""
    waiting = Parked(trigger=trigger(parameters={"epochs": 3}), since=NOW)
    settings = '[models.churn.parameters]\nepochs = 8\nmode = "full"\nwho = "$model_id"'
    page = json.loads(json.dumps(details("churn", model(settings), "local", ModelState(waiting=waiting), NOW)))
    assert page["waiting"]["trigger"]["parameters"] == {"epochs": 3, "mode": "full", "who": "churn"}


def test_the_strip_of_a_model() -> None:
    """The last twenty runs and skips, newest first, each as one letter; other decisions are not in it."""
    results: tuple[Result | None, ...] = (None, "succeeded", "failed", "stopped", "gone", "handed_over")
    runs = tuple(
        PastRun(run_id=f"r-{place}", trigger_id="t", started_at=NOW - HOUR * place, result=result)
        for place, result in enumerate(results)
    )
    lines = tuple(
        Decided(at=NOW - HOUR * place - MINUTE, trigger_id="t", decision="skip", reason="cooldown")
        for place in range(20)
    )
    launch = Decided(at=NOW, trigger_id="t", decision="launch", reason="launched")
    state = ModelState(runs=runs, decisions=(launch, *lines), last_success=NOW)
    entry = json.loads(json.dumps(summary("churn", model(), state, NOW)))
    assert "".join(one["as"] for one in entry["strip"]) == "r-s-f-x-g-h---------"
    assert entry["strip"][:2] == [
        {"at": "2026-11-21T03:00:00Z", "as": "r"},
        {"at": "2026-11-21T02:59:00Z", "as": "-", "reason": "cooldown"},
    ]
    assert entry["last_success"] == "2026-11-21T03:00:00Z"
    last = {"trigger_id": "t", "started_at": "2026-11-21T03:00:00Z", "ended_at": None, "result": None, "error": None}
    assert entry["last_run"] == last


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
