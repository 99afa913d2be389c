"""People steer models over HTTP, and policies keep triggers: the same on every cloud."""

import logging
import time
from typing import Any, Final

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.logs import log_lines
from tests.contracts.messages import HttpRequest, Reply
from tests.contracts.test_entry_points import model
from tests.contracts.test_faults import trigger_event

# Longer than `retry_delay` in the suite's configuration.
RETRY_DELAY_SECONDS: Final = 1.2


def steer(cloud: Cloud, model_id: str, verb: str, **fields: object) -> Reply:
    """Let a person carry out a verb twice: the answer is the same. The receiver acts on it."""
    request = HttpRequest(method="POST", path=f"/models/{model_id}/{verb}", content=fields)
    reply = cloud.send(request)
    again = cloud.send(request)
    assert (again.status, again.body) == (reply.status, reply.body)
    cloud.drain()
    return reply


def steering(cloud: Cloud, model_id: str) -> list[Any]:
    """Return what people did to a model, oldest first."""
    lines = [line for line in model(cloud, model_id)["decisions"] if line["decision"] == "steer"]
    return [(line["reason"], line["requested_by"], line["detail"]) for line in reversed(lines)]


def test_a_paused_model_starts_the_newest_trigger_once_it_is_resumed(cloud: Cloud) -> None:
    """Five triggers arrive; one training starts, once, and the history says who paused the model and why."""
    assert steer(cloud, "any-1", "pause", reason="labels").body == {"model_id": "any-1", "state": "paused"}
    for number in range(1, 6):
        delivery = cloud.deliver(trigger_event(cloud, f"t-{number}", model_id="any-1"))
        assert delivery.verdict == ("queue", "paused")
    assert cloud.trainings() == []
    assert steer(cloud, "any-1", "resume").status == 200
    assert cloud.trainings() == ["t-5"]
    assert steering(cloud, "any-1") == [("paused", cloud.caller, "labels"), ("resumed", cloud.caller, "")]


def test_a_running_training_is_cancelled(cloud: Cloud) -> None:
    """The service stops it, its real end is recorded, and what is kept behind it starts."""
    for name in ("t-1", "t-2"):
        cloud.deliver(trigger_event(cloud, name, model_id="retried-1"))
    assert cloud.trainings() == ["t-1"]
    assert steer(cloud, "retried-1", "cancel", trigger_id="t-1").status == 202
    if model(cloud, "retried-1")["runs"][-1]["result"] is None:  # The platform may have delivered the end already.
        cloud.deliver(cloud.stopped("t-1"))
    page = model(cloud, "retried-1")
    assert [(run["trigger_id"], run["result"]) for run in page["runs"]] == [("t-2", None), ("t-1", "stopped")]
    assert (page["retry"], cloud.trainings()) == (None, ["t-1", "t-2"])


def test_a_failed_training_is_retried(cloud: Cloud) -> None:
    """The sweep starts it after its delay; its end is reported as that of any other."""
    cloud.deliver(trigger_event(cloud, "t-1", model_id="retried-1"))
    cloud.deliver(cloud.end("t-1", well=False))
    assert model(cloud, "retried-1")["retry"]["trigger_id"] == "t-1~2"
    time.sleep(RETRY_DELAY_SECONDS)
    cloud.sweep()
    assert cloud.trainings() == ["t-1", "t-1~2"]
    cloud.deliver(cloud.end("t-1~2"))
    runs = model(cloud, "retried-1")["runs"]
    assert [(run["attempt"], run["result"]) for run in runs] == [(2, "succeeded"), (1, "failed")]


def test_a_person_retries_a_training_that_has_ended(cloud: Cloud) -> None:
    """The new attempt starts immediately, under the id in the answer."""
    cloud.deliver(trigger_event(cloud, "t-1", model_id="any-1"))
    cloud.deliver(cloud.end("t-1", well=False))
    reply = steer(cloud, "any-1", "retry", trigger_id="t-1")
    accepted = {"trigger_id": "t-1~2", "model_id": "any-1", "status": "accepted"}
    assert (reply.status, reply.body, cloud.trainings()) == (202, accepted, ["t-1", "t-1~2"])


def test_a_budget_holds_what_comes_beyond_it(cloud: Cloud) -> None:
    """A forced trigger, too."""
    cloud.deliver(trigger_event(cloud, "t-1", model_id="limited-1"))
    cloud.deliver(cloud.end("t-1"))
    delivery = cloud.deliver(trigger_event(cloud, "t-2", model_id="limited-1", force=True))
    assert (delivery.verdict, cloud.trainings()) == (("skip", "over_budget"), ["t-1"])


def test_a_budget_holds_after_a_restart(cloud: Cloud) -> None:
    """A process that has just begun knows the starts of those before it."""
    first, second = (trigger_event(cloud, name, model_id="limited-1") for name in ("t-1", "t-2"))
    assert [each.verdict for each in cloud.deliver_concurrently([first])] == [("launch", "launched")]
    cloud.deliver(cloud.end("t-1"))
    assert [each.verdict for each in cloud.deliver_concurrently([second])] == [("skip", "over_budget")]
    assert cloud.trainings() == ["t-1"]


def test_only_a_training_that_succeeded_starts_the_cooldown(cloud: Cloud) -> None:
    """One that runs starts none, so what arrives is kept; it starts when the training has failed."""
    for name, verdict in (("t-1", ("launch", "launched")), ("t-2", ("queue", "queued"))):
        assert cloud.deliver(trigger_event(cloud, name, model_id="cooling-1")).verdict == verdict
    cloud.deliver(cloud.end("t-1", well=False))
    cloud.drain()
    assert cloud.trainings() == ["t-1", "t-2"]
    cloud.deliver(cloud.end("t-2"))
    assert cloud.deliver(trigger_event(cloud, "t-3", model_id="cooling-1")).verdict == ("skip", "cooldown")
    assert cloud.trainings() == ["t-1", "t-2"]


def test_a_sweep_reports_the_age_of_the_oldest_queued_trigger(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    """Its log line, of which the platform makes a metric, names the model."""
    caplog.set_level(logging.INFO, "retrain")
    for name in ("t-1", "t-2"):
        cloud.deliver(trigger_event(cloud, name, model_id="any-queue-age"))
    assert cloud.sweep().acknowledged
    assert any("any-queue-age" in line for line in log_lines(cloud, caplog, "retrain.queue_age"))


def test_a_pattern_cannot_be_steered(cloud: Cloud) -> None:
    """The answer names the models that it matches; none of them is paused."""
    cloud.deliver(trigger_event(cloud, "t-1", model_id="any-1"))
    reply = cloud.send(HttpRequest(method="POST", path="/models/any-%2A/pause", content={}))
    assert (reply.status, "'any-*' is a pattern, not a model; it matches 'any-1';" in reply.body["detail"]) == (
        404,
        True,
    )
    assert model(cloud, "any-1")["paused"] is None


@pytest.mark.parametrize(("verb", "status"), [("cancel", 409), ("retry", 404)])
def test_what_is_not_there_cannot_be_steered(cloud: Cloud, verb: str, status: int) -> None:
    """A trigger that is not decided yet may be soon: the answer says when to try again."""
    reply = steer(cloud, "any-1", verb, trigger_id="t-9")
    assert (reply.status, "retry-after" in reply.headers) == (status, verb == "cancel")
