"""Faults on Azure, such as lost answers, bad batches and bad input: one training, or none and a clear reason."""

import json
from typing import Any

import pytest

from emulators.arm import FaultKind
from emulators.event_grid import Subscription
from tests.contracts.azure_deliveries import delivered
from tests.contracts.azure_gate import TOPIC, azure_refusal
from tests.contracts.gate import calls_from
from tests.contracts.on_azure import Azure
from tests.contracts.ports import CONTENDERS
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import state_of

pytestmark = pytest.mark.xdist_group("contracts-azure")

CALLS = [("GetEntity", 0), ("InsertEntity", 0), ("PUT job", 0), ("UpdateEntity", 0)]
# As often as one call is tried within one delivery.
ATTEMPTS = 4


def is_settled(azure: Azure) -> bool:
    """Whether the ledger holds the training with its run, and nothing else."""
    training = state_of(azure.ledger).training
    return training is not None and training.run_id is not None and len(state_of(azure.ledger).runs) == 1


def letter_of(azure: Azure) -> Any:
    """Return the only dead letter."""
    (letter,) = azure.letters()
    return json.loads(letter)


def test_sixteen_concurrent_processes_of_a_slow_service_are_one_run(azure: Azure) -> None:
    """While the answer to the first start is under way, the others find its job by name: sixteen starts are one."""
    azure.arm.add_fault(FaultKind.SLOW, seconds=0.5, times=CONTENDERS)
    deliveries = azure.deliver_concurrently([trigger_event(azure)] * CONTENDERS)
    assert [delivery.error for delivery in deliveries] == [""] * CONTENDERS
    assert len(azure.arm.jobs()) == 1


@pytest.mark.parametrize(("operation", "number"), CALLS)
def test_a_call_whose_answer_got_lost_once_is_repeated(azure: Azure, operation: str, number: int) -> None:
    """The adapter retries, finds its own work done, and the event is acknowledged as launched."""
    with azure.account.gate.failing(operation, None, calls_from(number), done=True):
        assert azure.deliver(trigger_event(azure)).verdict == ("launch", "launched")
    assert azure.trainings() == ["t-1"]
    assert is_settled(azure)
    assert azure.deliver(trigger_event(azure)).verdict == ("skip", "duplicate")


@pytest.mark.parametrize(("operation", "number"), CALLS[1:], ids=["claim", "start", "confirm"])
def test_a_call_whose_every_answer_got_lost_is_finished_by_the_redelivery(
    azure: Azure, operation: str, number: int
) -> None:
    """When the adapter has given up the event is not acknowledged; its redelivery finds what was done."""
    with azure.account.gate.failing(operation, None, calls_from(number, ATTEMPTS), done=True):
        assert azure.deliver(trigger_event(azure)).error.startswith("UnavailableError: ")
    assert azure.deliver(trigger_event(azure)).acknowledged
    assert azure.trainings() == ["t-1"]
    assert is_settled(azure)


# A refused token is replaced once.
@pytest.mark.parametrize(("fault", "times"), [(FaultKind.UNAUTHORIZED, 2), (FaultKind.FORBIDDEN, 1)])
def test_missing_rights_lose_no_event(azure: Azure, fault: FaultKind, times: int) -> None:
    """An operator repairs rights, no other event does: nothing is rejected, and the redelivery trains."""
    azure.arm.add_fault(fault, times=times)
    delivery = azure.deliver(trigger_event(azure))
    assert delivery.error.startswith("UnavailableError: ")
    assert azure.letters() == []
    assert azure.deliver(trigger_event(azure)).verdict == ("launch", "launched")
    assert azure.trainings() == ["t-1"]


def test_a_job_that_differs_from_what_would_be_started_now_is_the_same_training(azure: Azure) -> None:
    """The service refuses to change a job that exists: who comes again with another configuration finds its run."""
    azure.crash(trigger_event(azure), started=True)
    (job,) = azure.arm.jobs()
    # Meanwhile the configuration has another default.
    job.properties["inputs"]["epochs"]["value"] = "9"
    assert azure.deliver(trigger_event(azure)).verdict == ("launch", "launched")
    assert azure.trainings() == ["t-1"]
    assert is_settled(azure)


def test_a_bad_event_of_a_batch_is_a_letter_and_the_good_one_trains(azure: Azure) -> None:
    """A batch is acknowledged as a whole: the good event is launched, the bad one kept, and nothing comes again."""
    bad, good = trigger_event(azure, "t-bad", severity="huge"), trigger_event(azure, "t-good")
    assert azure.deliver_together(bad, good) == 202
    assert azure.trainings() == ["t-good"]
    assert letter_of(azure)["error"].startswith("severity: ")


def test_a_batch_of_which_one_event_must_come_again_comes_again_whole(azure: Azure) -> None:
    """The host answers with an error if any event fails: the repeats of all others change nothing."""
    late, good = trigger_event(azure, "t-late"), trigger_event(azure, "t-good", model_id="any-good")
    with azure.turned_away("t-late"):
        assert azure.deliver_together(late, good) == 500
    assert azure.trainings() == ["t-good"]
    assert azure.deliver_together(late, good) == 202
    assert azure.trainings() == ["t-good", "t-late"]


def test_a_received_trigger_publishes_nothing(azure: Azure) -> None:
    """The app sends to the topic that it listens on: if it sent on receiving, it would never end."""
    azure.deliver(trigger_event(azure))
    azure.deliver(trigger_event(azure, "t-2"))
    for event in azure.ended("t-1"):
        azure.deliver(event)
    assert azure.trainings() == ["t-1", "t-2"]
    assert "Publish" not in azure.traffic()
    assert azure.arrived() == []


def test_both_events_of_one_end_start_the_queued_training_once(azure: Azure) -> None:
    """Azure ML reports a completed run twice, by two types of events, in any order, and perhaps again."""
    azure.deliver(trigger_event(azure, "t-1"))
    azure.deliver(trigger_event(azure, "t-2"))
    changed, completed = azure.ended("t-1")
    for event in (completed, changed, completed):
        assert azure.deliver(event).verdict == ("ended", "succeeded")
    assert azure.trainings() == ["t-1", "t-2"]


def test_an_event_that_was_mapped_to_cloudevents_is_the_same_trigger(azure: Azure) -> None:
    """A subscription may deliver CloudEvents: source and subject are elsewhere then, the trigger is the same."""
    cloud_events = Subscription(url=azure.account.subscription.url, delivery_schema="CloudEventSchemaV1_0")
    event = trigger_event(azure)
    assert isinstance(event, dict)
    delivery = delivered(azure.account.host, cloud_events.deliver(event))
    assert delivery.verdict == ("launch", "launched")
    assert azure.deliver(event).verdict == ("skip", "duplicate")


def test_a_topic_that_is_throttled_once_gets_the_trigger_at_the_next_attempt(azure: Azure) -> None:
    """The SDK gives up on 429 without a Retry-After; the adapter does not."""
    throttled = azure_refusal(429, "TooManyRequests")
    with azure.account.gate.failing(f"{TOPIC}.", throttled, calls_from(0)):
        accepted = azure.tick("2025-11-17T09:30:00Z")
    assert len(accepted) == len(azure.arrived()) == 1
