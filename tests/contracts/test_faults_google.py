"""Faults on Google Cloud: Pub/Sub's own redelivery, and a lost answer of each call of a launch."""

import base64
import json

import pytest

from emulators.vertex import FaultKind
from tests.contracts.gate import calls_from
from tests.contracts.google_gate import refused
from tests.contracts.google_project import KEPT, TOPIC
from tests.contracts.on_google import Google
from tests.contracts.ports import CONTENDERS
from tests.contracts.test_faults import trigger_event
from tests.contracts.training_folder import until
from tests.contracts.triggers import a_trigger, state_of

pytestmark = pytest.mark.xdist_group("contracts-gcp")

CALLS = [("documents.get", 0), ("documents.commit", 0), ("pipelineJobs.create", 0), ("documents.commit", 1)]


def message_of(gcp: Google, trigger_id: str = "t-1", **fields: object) -> dict[str, str]:
    """Return a message that requests a training, as it is published."""
    return {"data": gcp.event(a_trigger(trigger_id).to_fields() | fields)["message"]["data"]}


def is_settled(gcp: Google) -> bool:
    """Whether the ledger holds the training with its run, and nothing else."""
    training = state_of(gcp.ledger).training
    return training is not None and training.run_id is not None and len(state_of(gcp.ledger).runs) == 1


def test_a_message_whose_handler_failed_comes_again(gcp: Google) -> None:
    """Pub/Sub delivers the same message until it is acknowledged: first an error, then one training, then nothing."""
    (message_id,) = gcp.project.pubsub.publish("triggers", [message_of(gcp)])
    # Every attempt of the first delivery meets the quota.
    with gcp.project.gate.failing("pipelineJobs.create", refused(429), calls_from(0, 3)):
        gcp.drain()
    assert gcp.project.pushes.statuses(message_id) == [500, 200]
    assert gcp.trainings() == ["t-1"]
    assert gcp.letters() == []
    assert is_settled(gcp)


def test_five_messages_of_one_trigger_are_one_training(gcp: Google) -> None:
    """A publisher that tries again makes new messages with new ids; the trigger's own id makes them one."""
    identifiers = gcp.project.pubsub.publish("triggers", [message_of(gcp)] * 5)
    gcp.drain()
    assert len(set(identifiers)) == 5
    assert [gcp.project.pushes.statuses(identifier) for identifier in identifiers] == [[200]] * 5
    assert gcp.trainings() == ["t-1"]


def test_a_permanent_error_is_delivered_once_and_kept_with_its_reason(gcp: Google) -> None:
    """An event that cannot succeed is acknowledged immediately and kept on the dead-letter topic, with the reason."""
    (message_id,) = gcp.project.pubsub.publish("triggers", [message_of(gcp, severity="huge")])
    gcp.drain()
    assert gcp.project.pushes.statuses(message_id) == [200]
    ((kept),) = gcp.project.pubsub.take(KEPT)
    assert kept["attributes"]["reason"] == "rejected"
    letter = json.loads(base64.b64decode(kept["data"]))
    assert letter["error"].startswith("severity: must be one of low, medium, high, not 'huge'")
    assert letter["event"]["message"]["messageId"] == message_id
    assert json.loads(letter["event"]["message"]["data"])["payload"]["severity"] == "huge"
    assert gcp.trainings() == []


def test_what_fails_every_time_is_given_up_by_the_platform(gcp: Google) -> None:
    """After as many deliveries as the subscription allows a message is on the subscription's dead-letter topic."""
    pubsub = gcp.project.pubsub
    pubsub.make_topics("doomed", "given-up")
    policy = {"deadLetterTopic": pubsub.topic("given-up"), "maxDeliveryAttempts": 5}
    pubsub.subscribe("given-up", "given-up")
    push = {"pushEndpoint": f"{gcp.project.pushes.url}/{TOPIC}"}
    pubsub.subscribe("doomed", "doomed", pushConfig=push, deadLetterPolicy=policy)
    try:
        denied = gcp.project.gate.failing("pipelineJobs.create", refused(403))
        with denied, gcp.project.pushes.passing_on(gcp.project.receive.url):
            (message_id,) = pubsub.publish("doomed", [message_of(gcp)])
            given_up: list[dict[str, object]] = []

            def is_given_up() -> bool:
                given_up.extend(pubsub.take("given-up"))
                return bool(given_up)

            until(is_given_up)
    finally:
        pubsub.remove("doomed", "given-up")
    assert gcp.project.pushes.statuses(message_id) == [500] * 5
    attributes = given_up[0]["attributes"]
    assert isinstance(attributes, dict)
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "doomed"
    assert gcp.trainings() == []


def test_sixteen_concurrent_requests_of_a_slow_service_are_one_run(gcp: Google) -> None:
    """While the first start is under way all others use the same id: the id makes them one."""
    gcp.vertex.add_fault(FaultKind.SLOW, seconds=1.5, times=CONTENDERS)
    deliveries = gcp.deliver_concurrently([trigger_event(gcp)] * CONTENDERS)
    assert [delivery.error for delivery in deliveries] == [""] * CONTENDERS
    (job,) = gcp.vertex.jobs()
    assert job.create_calls > 1


@pytest.mark.parametrize(("operation", "number"), CALLS, ids=["load", "claim", "start", "confirm"])
def test_a_call_whose_answer_got_lost_once_is_repeated(gcp: Google, operation: str, number: int) -> None:
    """The session retries, finds its own work done, and the event is acknowledged as launched."""
    with gcp.project.gate.failing(operation, None, calls_from(number), done=True):
        assert gcp.deliver(trigger_event(gcp)).verdict == ("launch", "launched")
    assert gcp.trainings() == ["t-1"]
    assert is_settled(gcp)
    assert gcp.deliver(trigger_event(gcp)).verdict == ("skip", "duplicate")


@pytest.mark.parametrize(("operation", "number"), CALLS[1:], ids=["claim", "start", "confirm"])
def test_a_call_whose_every_answer_got_lost_is_finished_by_the_redelivery(
    gcp: Google, operation: str, number: int
) -> None:
    """When the session has given up the event is not acknowledged; its redelivery finds what was done."""
    with gcp.project.gate.failing(operation, None, calls_from(number, 3), done=True):
        assert gcp.deliver(trigger_event(gcp)).error.startswith("UnavailableError: ")
    assert gcp.deliver(trigger_event(gcp)).acknowledged
    assert gcp.trainings() == ["t-1"]
    assert is_settled(gcp)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_training_service_that_an_operator_must_repair_loses_no_event(gcp: Google, status: int) -> None:
    """Missing rights and outages are not refusals: the event comes again, and trains when all is well."""
    with gcp.project.gate.failing("pipelineJobs.create", refused(status)):
        assert gcp.deliver(trigger_event(gcp)).error.startswith("UnavailableError: ")
    assert gcp.deliver(trigger_event(gcp)).verdict == ("launch", "launched")
    assert gcp.letters() == []


def test_a_training_takes_no_result_of_an_earlier_one(gcp: Google) -> None:
    """The specification says that every task may reuse results; the job that is created says that none may."""
    gcp.deliver(trigger_event(gcp))
    (job,) = gcp.vertex.jobs()
    assert not job.would_reuse_steps
    assert job.parameters == {"epochs": 8, "note": "t-1"}
