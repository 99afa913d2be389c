"""The story: an event, a request, a tick and a file arrive, some of them repeatedly; each training happens once."""

import json
from datetime import UTC, datetime

from examples.demo.models import MODELS
from examples.demo.report import Report
from examples.demo.review import conclude_review, review
from examples.demo.stage import UNKNOWN_MODEL, Stage
from examples.demo.waiting import wait
from shared.fields import format_time

# In the past, because some clouds do not accept a tick whose time is in the future.
MONDAY = datetime(2025, 11, 24, 9, 30, tzinfo=UTC)
DELIVERIES = 51


def play(stage: Stage, report: Report) -> None:
    """Play the story on *stage* and check every claim."""
    report.act(stage.title)
    report.line(
        "In production: models that predict bike rentals per day, trained in September 2011. Demand has grown since."
    )
    stage.request("GET", "/models", None)
    first_trigger = _event_and_request(stage, report)
    _cooldown(stage, report)
    _schedule(stage, report)
    _mistake(stage, report)
    reviewed = review(stage, report)
    wait(lambda: all(stage.is_free(model_id) for model_id in MODELS))
    stage.settle()
    _conclude(stage, report, first_trigger)
    conclude_review(stage, report, reviewed)
    if stage.services():
        report.line("Service calls: " + ", ".join(f"{name} {count}" for name, count in stage.services().items()))


def _event_and_request(stage: Stage, report: Report) -> str:
    report.act("1. ML cube Platform emits a trigger, and the bus delivers its event 51 times")
    trigger_id = stage.deliver(stage.ml_cube_event, 1)
    wait(lambda: stage.model("demand")["state"] == "training")
    report.line("The first delivery started a training.")
    report.act("2. Meanwhile, a person requests a training on newer data over HTTP, with force")
    body = {
        "model_id": "demand",
        "reason": "summer is over",
        "parameters": {"until": "2012-09-01"},
        "force": True,
        "trigger_id": "newer-data",
    }
    status, answer = stage.request("POST", "/retrain", body)
    report.line(f"POST /retrain -> {status} {json.dumps(answer)}")
    wait(lambda: stage.model("demand")["decisions"][0]["trigger_id"] == "newer-data")
    queued = stage.model("demand")["decisions"][0]
    report.claim("the request is queued until the running training ends", true=queued["reason"] == "queued")
    stage.deliver(stage.ml_cube_event, DELIVERIES - 1)
    report.line(f"The other {DELIVERIES - 1} deliveries of the first event arrived as well.")
    wait(lambda: stage.is_free("demand"))
    return trigger_id


def _cooldown(stage: Stage, report: Report) -> None:
    report.act("3. Another request, within the cooldown of six hours: first a dry run, then the request itself")
    rehearsed = stage.request("POST", "/retrain?dry_run=true", {"model_id": "demand"})[1]
    report.line(f"POST /retrain?dry_run=true -> {json.dumps(rehearsed)}")
    status, answer = stage.request("POST", "/retrain", {"model_id": "demand", "trigger_id": "once-more"})
    report.line(f"POST /retrain -> {status} {json.dumps(answer)}")
    wait(lambda: stage.model("demand")["decisions"][0]["trigger_id"] == "once-more")
    skipped = stage.model("demand")["decisions"][0]
    report.claim(f"skipped: {skipped['reason']}, {skipped['detail']}", true=skipped["reason"] == "cooldown")


def _schedule(stage: Stage, report: Report) -> None:
    report.act("4. Monday, 09:30: the schedule is due, and its tick is delivered twice")
    stage.tick(MONDAY)
    stage.tick(MONDAY)
    wait(lambda: bool(stage.model("demand-weekly")["decisions"]))


def _mistake(stage: Stage, report: Report) -> None:
    report.act("5. An event names a model that is not configured")
    stage.deliver(stage.mistaken_event, 1)
    wait(lambda: bool(stage.dead_letters()))
    letter = stage.dead_letters()[0]
    report.claim(f"rejected, and kept as a dead letter: {letter['error']}", true=UNKNOWN_MODEL in letter["error"])
    wait(lambda: bool(stage.messages()))
    notice = stage.messages()[0]
    report.claim(f"people are notified {stage.notified_by}: {notice.title}", true=UNKNOWN_MODEL in notice.text)


def _conclude(stage: Stage, report: Report, event: str) -> None:
    report.act("Results")
    for model_id in MODELS:
        report.decisions(model_id, stage.model(model_id))
    trainings = stage.trainings()
    report.trainings(trainings)
    by_trigger = [training["trigger_id"] for training in trainings]
    tick = f"schedule:demand-weekly:{format_time(MONDAY)}"
    report.claim(f"{DELIVERIES} deliveries of one event: 1 training", true=by_trigger.count(event) == 1)
    report.claim("the queued request ran afterwards, once", true=by_trigger.count("newer-data") == 1)
    report.claim("a tick delivered twice: 1 training", true=by_trigger.count(tick) == 1)
    report.claim(f"{len(trainings)} trainings in all", true=len(trainings) == 4)  # noqa: PLR2004 - the three above, and the reviewed one
    better = all(training["mae_after"] < training["mae_before"] for training in trainings)
    report.claim("each new model is better on recent days than the one before", true=better)
