"""Events of ours in envelopes, at the functions as deployed: what is understood trains once, nothing of it is lost."""

import base64
import json
from typing import Any, Final

import pytest

from tests.contracts.aws_account import Account
from tests.contracts.clouds import Cloud
from tests.contracts.gate import calls_from
from tests.contracts.google_project import TOPIC
from tests.contracts.google_requests import a_push, delivered
from tests.contracts.on_aws import Amazon, sqs_batch
from tests.contracts.on_azure import Azure
from tests.contracts.on_google import Google
from tests.contracts.training_folder import until
from tests.contracts.triggers import state_of

FIELDS: Final = {"model_id": "churn"}
ON_AWS: Final = pytest.mark.xdist_group("contracts-aws")
ON_GOOGLE: Final = pytest.mark.xdist_group("contracts-gcp")
ON_AZURE: Final = pytest.mark.xdist_group("contracts-azure")


def test_content_that_is_json_in_a_string_trains_once(cloud: Cloud) -> None:
    """A client that encodes once too often requests the same training as one that does not."""
    assert cloud.deliver(cloud.event(json.dumps(FIELDS))).verdict == ("launch", "launched")
    assert cloud.deliver(cloud.event(json.dumps(json.dumps(FIELDS)))).verdict == ("skip", "duplicate")
    assert cloud.deliver(cloud.event(FIELDS)).verdict == ("skip", "duplicate")
    assert (len(cloud.trainings()), cloud.letters()) == (1, [])


def forwarded(cloud: Cloud) -> object:
    """Return an event of another sender that contains one of ours."""
    inner: Any = cloud.event(FIELDS)
    if cloud.name == "gcp":
        content = json.loads(base64.b64decode(inner["message"]["data"]))
        return a_push(json.dumps({"forwarded": content}).encode())
    return cloud.event({"forwarded": inner}, source="acme", **{"detail-type": "forwarded"})


def test_our_event_in_another_envelope_is_kept(cloud: Cloud) -> None:
    """An event that contains both prefixes is a dead letter as it came, and nothing trains."""
    event = forwarded(cloud)
    assert cloud.deliver(event).verdict == ("reject", "rejected")
    (letter,) = map(json.loads, cloud.letters())
    assert letter["error"].startswith("the event contains 'ml3_platform' and 'retrain_trigger'")
    assert cloud.trainings() == []


def publish_by_topic(account: Account, message: object) -> None:
    """Publish to a topic that has the queue of `receive` as its subscriber, without raw delivery."""
    arn = str(account.sns.create_topic(Name="by-way-of")["TopicArn"])
    attributes = account.sqs.get_queue_attributes(QueueUrl=account.queue, AttributeNames=["QueueArn"])["Attributes"]
    account.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
    account.sns.publish(TopicArn=arn, Message=message if isinstance(message, str) else json.dumps(message))
    account.sns.delete_topic(TopicArn=arn)


@ON_AWS
def test_an_event_by_way_of_a_topic_trains_once(aws: Amazon) -> None:
    """In the queue of `receive`, and straight to the function, the notification carries the same trigger."""
    event = aws.event(FIELDS)
    publish_by_topic(aws.account, event)
    (notification,) = aws.arrived()
    assert isinstance(notification, dict)
    assert notification["Type"] == "Notification"
    assert aws.account.receive.invoke(sqs_batch([json.dumps(notification)])) == {"batchItemFailures": []}
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn:1", "Sns": notification}
    assert aws.deliver({"Records": [record]}).verdict == ("skip", "duplicate")
    assert aws.deliver(event).verdict == ("skip", "duplicate")
    assert (aws.trainings(), aws.letters()) == (["ml3_platform:e-1"], [])


@ON_AWS
def test_a_message_for_people_by_way_of_a_topic_is_ignored(aws: Amazon) -> None:
    """Not every message of a topic is an event."""
    publish_by_topic(aws.account, "the disk is full")
    aws.drain()
    assert (aws.trainings(), aws.letters(), aws.ledger.models(None, 10)) == ([], [], [])


@ON_AWS
def test_a_direct_invocation_that_lambda_retries_is_one_trigger(aws: Amazon) -> None:
    """After lost responses of the bus each attempt sends the trigger again, under the id of the request."""
    # More than the client's own attempts.
    with aws.account.gate.failing("PutEvents", None, calls_from(0, 5), done=True):
        outcomes = aws.account.emit.invoke_async(FIELDS)
    assert [outcome.error is None for outcome in outcomes][-2:] == [False, True]
    ((accepted),) = outcomes[-1].result["accepted"]  # type: ignore[index]  # that of an emitter
    events = aws.arrived()
    assert len(events) > 1
    assert {aws.fields(event)["trigger_id"] for event in events} == {accepted["trigger_id"]}
    verdicts = [aws.deliver(event).verdict for event in events]
    assert verdicts == [("launch", "launched"), *[("skip", "duplicate")] * (len(events) - 1)]


@ON_AWS
def test_two_direct_invocations_are_two_triggers(aws: Amazon) -> None:
    """Each request has an id of its own; a trigger id that the request names counts before it."""
    for fields in (FIELDS, FIELDS, FIELDS | {"trigger_id": "t-1"}, FIELDS | {"trigger_id": "t-1"}):
        aws.account.emit.invoke(fields)
    identifiers = [aws.fields(event)["trigger_id"] for event in aws.arrived()]
    assert len(set(identifiers)) == 3
    assert identifiers.count("t-1") == 2


def whole() -> dict[str, object]:
    """Return the documented message of Pub/Sub."""
    envelope = {"project_id": "acme", "topic_name": "triggers", "source": "ml3_platform"}
    return {**envelope, "event_type": "retrain_trigger", "payload": FIELDS}


def _is_confirmed(gcp: Google) -> bool:
    """Return whether the start of the training has been saved, without which a repeat would confirm it itself."""
    training = state_of(gcp.ledger).training
    return training is not None and training.run_id is not None


@pytest.mark.parametrize("in_attributes", [False, True], ids=["whole", "payload"])
@ON_GOOGLE
def test_a_push_without_its_wrapper_trains(gcp: Google, *, in_attributes: bool) -> None:
    """From the emulator, whose headers go through the functions' own server, to one training, and no letter."""
    pubsub, url = gcp.project.pubsub, f"{gcp.project.receive.url}/{TOPIC}"
    bare = {"pushEndpoint": url, "noWrapper": {"writeMetadata": True}}
    pubsub.subscribe("without-wrapper", "triggers", pushConfig=bare)
    try:
        attributes = {"source": "ml3_platform", "event_type": "retrain_trigger"} if in_attributes else {}
        data = base64.b64encode(json.dumps(FIELDS if in_attributes else whole()).encode()).decode()
        (message_id,) = pubsub.publish("triggers", [{"data": data, "attributes": attributes}])
        until(lambda: _is_confirmed(gcp))
    finally:
        pubsub.remove("without-wrapper")
    assert (gcp.trainings(), gcp.letters()) == ([f"ml3_platform:{message_id}"], [])
    # With its wrapper, the same message is the same trigger.
    (copy,) = gcp.arrived()
    assert gcp.deliver(copy).verdict == ("skip", "duplicate")


@ON_GOOGLE
def test_a_push_without_wrapper_and_metadata_is_kept(gcp: Google) -> None:
    """It has no message id, so that two messages could not be told apart; it is a dead letter."""
    assert gcp.deliver(whole()).verdict == ("reject", "rejected")
    assert gcp.deliver(whole()).verdict == ("reject", "rejected")
    assert (len(gcp.letters()), gcp.trainings()) == (2, [])


@ON_GOOGLE
def test_a_message_that_was_encoded_twice_trains(gcp: Google) -> None:
    """The data are JSON of a JSON text, as a client writes it that encodes once too often."""
    data = json.dumps(json.dumps(whole())).encode()
    assert gcp.deliver(a_push(data)).verdict == ("launch", "launched")
    cloud_event = {"specversion": "1.0", "id": "e-1", "source": f"//pubsub.googleapis.com/{TOPIC}"}
    event = {**cloud_event, "type": "google.cloud.pubsub.topic.v1.messagePublished", "data": json.dumps(a_push(data))}
    structured = delivered(gcp.project.receive, event, content_type="application/cloudevents+json")
    assert structured.verdict == ("skip", "duplicate")


@pytest.mark.parametrize("status", ["failed", "FAILED", "Failed"])
@ON_AZURE
def test_a_run_ends_in_any_case_of_its_status(azure: Azure, status: str) -> None:
    """Microsoft's own sample of a failed run has the status `failed`: the model is free, and the run is recorded."""
    azure.deliver(azure.event({"model_id": "churn", "trigger_id": "t-1"}))
    ended: Any = azure.end("t-1", well=False)
    assert ended["eventType"].endswith(".RunStatusChanged")
    ended["data"]["runStatus"] = status
    assert azure.deliver(ended).outcome["reason"] == "failed"
    state = state_of(azure.ledger)
    assert (state.training, [run.result for run in state.runs]) == (None, ["failed"])
