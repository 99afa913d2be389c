"""The models' own schedules: each time is requested once, whatever fails in between."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from shared.emit import PART
from shared.errors import UnavailableError
from shared.schedules import KEY, emit_own_schedules
from shared.training.sweep import sweep
from tests.core.deployment import Deployment
from tests.core.samples import HOUR, MINUTE, configured, model_text
from tests.fakes.faults import Crash, Fault, Script

ROME = 'schedule = "30 2 * * *"\ntimezone = "Europe/Rome"'
HOURLY = 'schedule = "0 * * * *"'
DAY = timedelta(days=1)


def evaluate(deployment: Deployment, *texts: str) -> list[str]:
    """Evaluate the schedules, with another configuration of *texts* if there is one; return the times, with models."""
    if texts:
        deployment.emitter = dataclasses.replace(deployment.emitter, config=configured("".join(texts)))
    triggers = emit_own_schedules(deployment.emitter)
    assert all((one.origin, one.force) == ("schedule", False) for one in triggers)
    return [one.trigger_id.removeprefix("schedule:") for one in triggers]


def test_a_time_is_requested_at_the_next_evaluation_and_once() -> None:
    """Evaluations every five minutes, one of them twice, request every hour of a day once."""
    deployment = Deployment(model_text(settings=HOURLY))
    deployment.wait(MINUTE)
    requested = []
    for number in range(24 * 12):
        deployment.wait(5 * MINUTE)
        requested += evaluate(deployment) + (evaluate(deployment) if number % 7 == 0 else [])
    assert requested[:2] == ["churn:2026-11-21T04:00:00Z", "churn:2026-11-21T05:00:00Z"]
    assert len(requested) == len(set(requested)) == 24


@pytest.mark.parametrize(
    ("begins", "times"),
    [
        ("2027-03-27T12:00", ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]),
        ("2027-10-30T12:00", ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]),
    ],
)
def test_the_changes_of_the_clocks(begins: str, times: list[str]) -> None:
    """02:30 in Rome does not exist in one night, and comes twice in another; it is requested once in each."""
    deployment = Deployment(model_text(settings=ROME))
    deployment.now = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    requested = []
    for _ in range(2 * 24 * 12):
        requested += evaluate(deployment)
        deployment.wait(5 * MINUTE)
    assert requested == [f"churn:{time}" for time in times]


def test_a_schedule_begins_with_the_evaluation_that_sees_it() -> None:
    """Nothing before the deployment, before a change, or before a schedule came back, is requested."""
    both = model_text(settings=HOURLY) + model_text("fraud", 'schedule = "30 * * * *"')
    changed = model_text(settings=HOURLY + '\ntimezone = "Asia/Kolkata"')
    deployment = Deployment(model_text(settings=HOURLY))
    assert evaluate(deployment) == []
    deployment.wait(2 * HOUR)
    assert evaluate(deployment, both) == ["churn:2026-11-21T05:00:00Z"]
    deployment.wait(HOUR)
    assert evaluate(deployment, changed) == []
    deployment.wait(HOUR)
    assert evaluate(deployment) == ["churn:2026-11-21T06:30:00Z"]
    assert evaluate(deployment, model_text()) == []
    deployment.wait(HOUR)
    assert evaluate(deployment, changed) == []


def test_only_the_last_of_several_missed_times_and_none_after_a_day() -> None:
    """A pause of the platform is made up for once, if the time is at most a day old."""
    deployment = Deployment(model_text(settings=HOURLY) + model_text("monthly", 'schedule = "0 4 21 * *"'))
    evaluate(deployment)
    deployment.wait(DAY + 2 * HOUR + MINUTE)
    assert evaluate(deployment) == ["churn:2026-11-22T05:00:00Z"]
    deployment.wait(29 * DAY - MINUTE)
    assert evaluate(deployment) == ["churn:2026-12-21T05:00:00Z", "monthly:2026-12-21T04:00:00Z"]


@pytest.mark.parametrize(("late", "times"), [(timedelta(), ["churn:2026-11-21T04:00:00Z"]), (timedelta.resolution, [])])
def test_a_time_that_is_exactly_a_day_old_is_requested(late: timedelta, times: list[str]) -> None:
    """At most a day old includes the instant itself, and nothing beyond it."""
    deployment = Deployment(model_text(settings='schedule = "0 4 21 * *"'))
    evaluate(deployment)
    deployment.wait(HOUR + DAY + late)
    assert evaluate(deployment) == times


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.THROTTLED])
def test_a_failure_of_any_call_loses_and_repeats_nothing(call: int, fault: Fault) -> None:
    """Whether reading, publishing or saving fails, before or after it was done: the next evaluation makes up for it."""
    script = Script({call: fault})
    deployment = Deployment(model_text(settings=HOURLY))
    evaluate(deployment)
    deployment.wait(HOUR)
    ledger, bus = deployment.ledger.through(script), deployment.bus.through(script)
    with pytest.raises(UnavailableError):
        emit_own_schedules(dataclasses.replace(deployment.emitter, ledger=ledger, bus=bus))
    deployment.wait(5 * MINUTE)
    evaluate(deployment)
    reasons = [outcome.reason for outcome in deployment.carry()]
    assert reasons in (["launched"], ["launched", "duplicate"])


def test_a_clock_that_was_wrong_stops_nothing() -> None:
    """An evaluation of the far future is forgotten; a clock that is set back a little repeats no time."""
    deployment = Deployment(model_text(settings=HOURLY))
    evaluate(deployment)
    deployment.wait(HOUR)
    assert len(evaluate(deployment)) == 1
    deployment.wait(-10 * MINUTE)
    assert evaluate(deployment) == []
    deployment.wait(10 * MINUTE)
    assert evaluate(deployment) == []
    deployment.wait(1000 * DAY)
    evaluate(deployment)
    deployment.wait(-1000 * DAY)
    assert evaluate(deployment) == []
    deployment.wait(HOUR)
    assert len(evaluate(deployment)) == 1


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"form": 2, "until": "2026-11-21T03:00:00Z", "known": ""}'])
def test_a_document_that_cannot_be_read_begins_anew(document: str) -> None:
    """Nothing fails permanently; a form of a later version is replaced, too."""
    deployment = Deployment(model_text(settings=HOURLY))
    deployment.ledger.save(KEY, document, None)
    assert evaluate(deployment) == []
    deployment.wait(HOUR)
    assert len(evaluate(deployment)) == 1


def test_without_own_schedules_nothing_is_written() -> None:
    """An evaluation then costs one read."""
    deployment = Deployment(model_text(settings="schedule = true"))
    assert evaluate(deployment) == []
    assert deployment.ledger.history == []


def test_the_document_is_not_a_model() -> None:
    """A pattern that matches everything neither lists nor sweeps it."""
    deployment = Deployment(model_text("*") + model_text(settings=HOURLY))
    evaluate(deployment)
    first = deployment.get("/models")
    assert [line["model_id"] for line in first["models"]] == ["churn"]
    assert deployment.get("/models", after=first["next"]) == {"models": []}
    assert sweep(deployment.receiver) == []


def test_a_repeat_of_a_large_evaluation_also_requests_what_became_due_since() -> None:
    """A crash before the document is written, with a thousand triggers published, loses no time of another model."""
    names = [f"m-{number:04}" for number in range(PART + 1)]
    models = [model_text("first", settings='schedule = "5 * * * *"'), *(model_text(name, HOURLY) for name in names)]
    deployment = Deployment("".join(models))
    evaluate(deployment)
    deployment.wait(HOUR)
    sound = deployment.emitter
    # The reads of both documents and the notes after both parts, then the document.
    gate = Script({4: Fault.CRASH_BEFORE})
    deployment.emitter = dataclasses.replace(sound, ledger=deployment.ledger.through(gate))
    with pytest.raises(Crash):
        evaluate(deployment)
    assert gate.calls == ["load", "load", "save", "save", "save"]
    deployment.emitter = sound
    deployment.bus.published.clear()
    deployment.wait(5 * MINUTE)
    evaluate(deployment)
    assert "first" in {one.model_id for one in deployment.bus.published}


@pytest.mark.deep
def test_ten_thousand_schedules_fit_into_the_ledger() -> None:
    """Their document stays below the limit of every ledger, and an evaluation takes seconds."""
    deployment = Deployment("".join(model_text(f"model-{number:05}", HOURLY) for number in range(10_000)))
    evaluate(deployment)
    deployment.wait(DAY)
    assert len(evaluate(deployment)) == 10_000
    assert len(deployment.ledger.peek(KEY).document or "") < 256 * 1024
