"""One trigger is one training, whatever dies or falls silent between its steps."""

from datetime import timedelta

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import abandon_claim, state_of


def test_an_answer_that_got_lost_after_the_start_is_one_run(cloud: Cloud) -> None:
    """The receiver of the redelivered event finds the running training, and confirms it."""
    cloud.crash(trigger_event(cloud), started=True)
    claimed = state_of(cloud.ledger).training
    assert claimed is not None
    assert claimed.run_id is None
    assert cloud.deliver(trigger_event(cloud)).verdict == ("launch", "launched")
    assert cloud.trainings() == ["t-1"]
    confirmed = state_of(cloud.ledger).training
    assert confirmed is not None
    assert confirmed.run_id is not None


def test_an_answer_that_got_lost_is_found_although_the_token_is_forgotten(cloud: Cloud) -> None:
    """No service says how long it knows a token; the run is found by its name, however late the event comes again."""
    cloud.crash(trigger_event(cloud), started=True)
    cloud.forget_tokens()
    abandon_claim(cloud.ledger, age=timedelta(minutes=10))
    assert cloud.deliver(trigger_event(cloud)).acknowledged
    assert cloud.trainings() == ["t-1"]


def test_a_process_killed_between_claim_and_start_is_one_run(cloud: Cloud) -> None:
    """The redelivered event starts what its claimer left undone."""
    cloud.crash(trigger_event(cloud), started=False)
    assert cloud.trainings() == []
    assert cloud.deliver(trigger_event(cloud)).verdict == ("launch", "launched")
    assert cloud.deliver(trigger_event(cloud)).verdict == ("skip", "duplicate")
    assert cloud.trainings() == ["t-1"]


@pytest.mark.parametrize("started", [False, pytest.param(True, marks=pytest.mark.deep)])
def test_what_was_killed_and_never_comes_again_is_started_by_the_next_trigger(cloud: Cloud, *, started: bool) -> None:
    """Another trigger finds the abandoned claim, finishes that launch first, and then waits behind it."""
    cloud.crash(trigger_event(cloud, "t-1"), started=started)
    abandon_claim(cloud.ledger)
    assert cloud.deliver(trigger_event(cloud, "t-2")).verdict == ("queue", "queued")
    assert cloud.trainings() == ["t-1"]
    cloud.deliver(cloud.end("t-1"))
    assert cloud.trainings() == ["t-1", "t-2"]


@pytest.mark.parametrize("started", [False, pytest.param(True, marks=pytest.mark.deep)])
def test_what_was_killed_and_never_comes_again_is_started_by_the_sweep(cloud: Cloud, *, started: bool) -> None:
    """The sweep finishes abandoned launches, and a second one finds nothing to do."""
    cloud.crash(trigger_event(cloud), started=started)
    abandon_claim(cloud.ledger)
    for _ in range(2):
        assert cloud.sweep().outcome == {"swept": ["churn"]}
    assert cloud.trainings() == ["t-1"]
    assert [run.trigger_id for run in state_of(cloud.ledger).runs] == ["t-1"]


def test_a_fresh_claim_is_left_to_its_claimer(cloud: Cloud) -> None:
    """The process that made a young claim may still be at work: neither the next trigger nor the sweep starts it."""
    cloud.crash(trigger_event(cloud, "t-1"), started=False)
    assert cloud.deliver(trigger_event(cloud, "t-2")).verdict == ("queue", "queued")
    assert cloud.sweep().acknowledged
    assert cloud.trainings() == []


def test_a_throttled_service_is_called_again_until_it_works(cloud: Cloud) -> None:
    """While the service turns starts away the event is not acknowledged; the delivery after that is one training."""
    with cloud.training_away():
        for _ in range(2):
            delivery = cloud.deliver(trigger_event(cloud))
            assert not delivery.acknowledged
            assert delivery.error.startswith("UnavailableError: ")
    assert cloud.trainings() == []
    assert cloud.deliver(trigger_event(cloud)).verdict == ("launch", "launched")
    assert cloud.deliver(trigger_event(cloud)).verdict == ("skip", "duplicate")
    assert cloud.trainings() == ["t-1"]


def test_a_ledger_that_is_away_keeps_events_from_being_acknowledged(cloud: Cloud) -> None:
    """Without the ledger nothing is decided: neither an event nor a queue's message is acknowledged, nor started."""
    with cloud.ledger_away():
        assert cloud.deliver(trigger_event(cloud)).error.startswith("UnavailableError: ")
        assert cloud.round([trigger_event(cloud)]) == [False]
        assert not cloud.sweep().acknowledged
    assert cloud.trainings() == []
    assert cloud.letters() == []
    assert cloud.deliver(trigger_event(cloud)).verdict == ("launch", "launched")
    assert cloud.trainings() == ["t-1"]


def test_the_platform_delivers_again_until_it_is_one_run(cloud: Cloud) -> None:
    """An event that waits in the platform's queue while the service is away trains once when the service is back."""
    cloud.put(trigger_event(cloud))
    with cloud.training_away(), pytest.raises(TimeoutError):
        cloud.drain(0.5)
    cloud.drain()
    assert cloud.trainings() == ["t-1"]
    assert cloud.letters() == []


def test_a_refused_start_leaves_the_model_free(cloud: Cloud) -> None:
    """A training that the service refuses is rejected, leaves nothing running or cooling down, and may be repeated."""
    event = trigger_event(cloud, model_id="broken", parameters={})
    for _ in range(2):
        delivery = cloud.deliver(event)
        assert (delivery.acknowledged, delivery.verdict) == (True, ("reject", "rejected"))
    state = state_of(cloud.ledger, "broken")
    assert (state.training, state.last_start) == (None, None)
    assert len(cloud.letters()) == 2
