"""One trigger is one training, however often and to however many it is delivered."""

import itertools
from collections import Counter

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.messages import HttpRequest
from tests.contracts.ports import CONTENDERS
from tests.contracts.triggers import a_trigger, state_of


def trigger_event(cloud: Cloud, trigger_id: str = "t-1", **fields: object) -> object:
    """Return the native event that requests a training of the first model, unless *fields* name another one."""
    content = a_trigger(trigger_id).to_fields() | fields
    return cloud.event(content, id=f"e-{trigger_id}")


def test_fifty_one_deliveries_are_one_run(cloud: Cloud) -> None:
    """An event that is delivered 51 times is acknowledged every time and trains once."""
    deliveries = [cloud.deliver(trigger_event(cloud)) for _ in range(51)]
    assert all(delivery.acknowledged for delivery in deliveries)
    assert Counter(delivery.verdict for delivery in deliveries) == {
        ("launch", "launched"): 1,
        ("skip", "duplicate"): 50,
    }
    assert cloud.trainings() == ["t-1"]


def test_the_same_request_in_another_event_is_one_run(cloud: Cloud) -> None:
    """An emitter that sends again after a lost answer makes a new event with the same trigger id: one training."""
    for event_id in ("e-1", "e-2"):
        assert cloud.deliver(cloud.event(a_trigger().to_fields(), id=event_id)).acknowledged
    assert cloud.trainings() == ["t-1"]


def test_an_event_without_a_trigger_id_is_one_run(cloud: Cloud) -> None:
    """An id that the transport repeats on a redelivery is used as trigger id; another event is another training."""
    for event_id in ("e-1", "e-1", "e-2"):
        assert cloud.deliver(cloud.event({"model_id": f"any-{event_id}"}, id=event_id)).acknowledged
    assert len(cloud.trainings()) == 2


def test_one_event_in_sixteen_processes_is_one_run(cloud: Cloud) -> None:
    """Sixteen processes that get the same event at the same moment all acknowledge it and train once."""
    deliveries = cloud.deliver_concurrently([trigger_event(cloud)] * CONTENDERS)
    assert [delivery.error for delivery in deliveries] == [""] * CONTENDERS
    assert {delivery.verdict for delivery in deliveries} <= {("launch", "launched"), ("skip", "duplicate")}
    assert cloud.trainings() == ["t-1"]
    assert [run.trigger_id for run in state_of(cloud.ledger).runs] == ["t-1"]


def test_sixteen_concurrent_triggers_are_one_run_and_fifteen_reasons(cloud: Cloud) -> None:
    """One of sixteen triggers of a model trains; each other one has its reason in the API, the last one waits."""
    ids = [f"t-{number}" for number in range(CONTENDERS)]
    deliveries = cloud.deliver_concurrently([trigger_event(cloud, trigger_id) for trigger_id in ids])
    assert [delivery.error for delivery in deliveries] == [""] * CONTENDERS
    (started,) = cloud.trainings()
    model = cloud.send(HttpRequest(method="GET", path="/models/churn")).body
    reasons = {trigger_id: _reasons(model["decisions"], trigger_id) for trigger_id in ids}
    assert reasons.pop(started) == ["launched"]
    assert reasons.pop(model["queued"]["trigger_id"]) == ["queued"]
    assert list(reasons.values()) == [["queued", "superseded"]] * 14
    assert (model["state"], model["running"]["trigger_id"]) == ("training", started)


def test_sixteen_concurrent_triggers_of_a_model_that_does_not_queue(cloud: Cloud) -> None:
    """Where nothing queues the other fifteen are skipped, and the API says why."""
    events = [trigger_event(cloud, f"t-{number}", model_id="fraud", force=True) for number in range(CONTENDERS)]
    assert Counter(delivery.verdict for delivery in cloud.deliver_concurrently(events)) == {
        ("launch", "launched"): 1,
        ("skip", "busy"): 15,
    }
    assert len(cloud.trainings()) == 1
    decisions = cloud.send(HttpRequest(method="GET", path="/models/fraud")).body["decisions"]
    assert len({line["trigger_id"] for line in decisions}) == CONTENDERS
    assert Counter(line["reason"] for line in decisions) == {"launched": 1, "busy": 15}


def test_sixteen_concurrent_models_do_not_disturb_each_other(cloud: Cloud) -> None:
    """Triggers of different models that come together all train."""
    events = [trigger_event(cloud, f"t-{number}", model_id=f"any-{number}") for number in range(CONTENDERS)]
    assert {delivery.verdict for delivery in cloud.deliver_concurrently(events)} == {("launch", "launched")}
    assert len(cloud.trainings()) == CONTENDERS


def test_an_end_that_is_reported_three_times_starts_one_run(cloud: Cloud) -> None:
    """The queued trigger starts when the training ends, once, however often the end is reported."""
    cloud.deliver(trigger_event(cloud, "t-1"))
    assert cloud.deliver(trigger_event(cloud, "t-2")).verdict == ("queue", "queued")
    ended = cloud.end("t-1")
    for delivery in (cloud.deliver(ended) for _ in range(3)):
        assert delivery.verdict == ("ended", "succeeded")
    assert cloud.trainings() == ["t-1", "t-2"]
    state = state_of(cloud.ledger)
    assert state.training is not None
    assert state.training.trigger.trigger_id == "t-2"
    assert [(run.trigger_id, run.result) for run in state.runs] == [("t-2", None), ("t-1", "succeeded")]


def test_an_end_that_three_processes_receive_starts_one_run(cloud: Cloud) -> None:
    """Three processes that hear of the end at the same moment start the queued trigger once."""
    cloud.deliver(trigger_event(cloud, "t-1"))
    cloud.deliver(trigger_event(cloud, "t-2"))
    ended = cloud.end("t-1")
    assert all(delivery.acknowledged for delivery in cloud.deliver_concurrently([ended] * 3))
    assert cloud.trainings() == ["t-1", "t-2"]


def test_an_end_that_nobody_reported_is_found_by_the_sweep(cloud: Cloud) -> None:
    """The sweep queries the service, frees the model and starts what waits."""
    cloud.deliver(trigger_event(cloud, "t-1"))
    cloud.deliver(trigger_event(cloud, "t-2"))
    cloud.end("t-1")
    swept = cloud.sweep()
    assert swept.outcome == {"swept": ["churn"]}
    assert cloud.trainings() == ["t-1", "t-2"]


def test_a_model_that_is_free_trains_again(cloud: Cloud) -> None:
    """Three triggers, each after the end of the training before, are three trainings, each with its result."""
    for number in range(3):
        assert cloud.deliver(trigger_event(cloud, f"t-{number}")).verdict == ("launch", "launched")
        assert cloud.deliver(cloud.end(f"t-{number}")).acknowledged
    assert cloud.trainings() == ["t-0", "t-1", "t-2"]
    assert [run.result for run in state_of(cloud.ledger).runs] == ["succeeded"] * 3
    assert state_of(cloud.ledger).training is None


def test_a_launch_costs_few_calls_and_a_duplicate_one(cloud: Cloud) -> None:
    """A launch is two reads and writes around the start, a duplicate is one read, whatever the cloud calls them."""
    if not cloud.launch_calls:
        pytest.skip("there is no service to call")
    spent = []
    for trigger_id in ("t-1", "t-1"):
        before = len(cloud.traffic())
        cloud.deliver(trigger_event(cloud, trigger_id))
        spent.append(cloud.traffic()[before:])
    assert spent == [list(cloud.launch_calls), list(cloud.duplicate_calls)]


def _reasons(decisions: list[dict[str, str]], trigger_id: str) -> list[str]:
    """Return the reasons of a trigger in the order in which they were given, repeats left out."""
    reasons = [line["reason"] for line in reversed(decisions) if line["trigger_id"] == trigger_id]
    return [reason for reason, _ in itertools.groupby(reasons)]
