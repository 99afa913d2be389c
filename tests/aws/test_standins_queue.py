"""The event source mapping delivers and deletes a real queue's messages by Lambda's rules."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from emulators.aws_client import client
from emulators.event_source import SqsEventSource, failures


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    """Return an SQS client of a moto server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield client("sqs", f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def queue_url(sqs: Any) -> str:
    """Return the URL of a new queue whose messages become visible again after a second."""
    attributes = {"VisibilityTimeout": "1"}
    return str(sqs.create_queue(QueueName=uuid4().hex, Attributes=attributes)["QueueUrl"])


def bodies(event: Any) -> list[str]:
    """Return the bodies of an event's messages."""
    return [record["body"] for record in event["Records"]]


def test_an_event_has_the_form_that_lambda_gives_it(sqs: Any, queue_url: str) -> None:
    """A message arrives with all fields of the documented batch event."""
    events: list[Any] = []
    attribute = {"testAttr": {"StringValue": "100", "DataType": "Number"}}
    sent = sqs.send_message(QueueUrl=queue_url, MessageBody='{"a": 1}', MessageAttributes=attribute)
    source = SqsEventSource(client=sqs, queue_url=queue_url, function=events.append)
    assert source.drain(5) == 1
    ((record,),) = (event["Records"] for event in events)
    attributes = record.pop("attributes")
    assert attributes["ApproximateReceiveCount"] == "1"
    assert attributes["SentTimestamp"].isdigit()
    assert attributes["ApproximateFirstReceiveTimestamp"].isdigit()
    assert attributes["SenderId"]
    assert record.pop("receiptHandle")
    assert record == {
        "messageId": sent["MessageId"],
        "body": '{"a": 1}',
        "messageAttributes": {
            "testAttr": {"stringValue": "100", "dataType": "Number", "stringListValues": [], "binaryListValues": []}
        },
        "md5OfBody": sent["MD5OfMessageBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-west-3:123456789012:{queue_url.rsplit('/', 1)[-1]}",
        "awsRegion": "eu-west-3",
    }


def test_only_the_messages_reported_as_failed_are_redelivered(sqs: Any, queue_url: str) -> None:
    """The rest of the batch is deleted; the failed message is redelivered after the visibility timeout, and counted."""
    for body in ("good", "bad", "fine"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    seen: list[tuple[str, str, float]] = []

    def function(event: Any) -> object:
        failed = []
        for record in event["Records"]:
            count = record["attributes"]["ApproximateReceiveCount"]
            seen.append((record["body"], count, time.monotonic()))
            if (record["body"], count) == ("bad", "1"):
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    assert SqsEventSource(client=sqs, queue_url=queue_url, function=function).drain(10) == 4
    assert sorted(entry[:2] for entry in seen) == [("bad", "1"), ("bad", "2"), ("fine", "1"), ("good", "1")]
    assert seen[-1][2] - seen[0][2] > 0.9


def test_a_raising_function_deletes_nothing_and_the_redrive_policy_ends_it(sqs: Any, queue_url: str) -> None:
    """A batch that fails is redelivered as a whole, until the queue moves it to its dead-letter queue."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=queue_url, MessageBody="poison")
    deliveries: list[str] = []

    def function(event: Any) -> None:
        deliveries.extend(bodies(event))
        raise ValueError("no good")

    SqsEventSource(client=sqs, queue_url=queue_url, function=function).drain(10)
    assert deliveries == ["poison", "poison"]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["poison"]


def test_without_the_response_type_a_report_is_ignored(sqs: Any, queue_url: str) -> None:
    """A mapping without ReportBatchItemFailures also deletes messages that the function reports as failed."""
    sqs.send_message(QueueUrl=queue_url, MessageBody="lost")
    deliveries: list[str] = []

    def function(event: Any) -> object:
        deliveries.extend(bodies(event))
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}

    source = SqsEventSource(client=sqs, queue_url=queue_url, function=function, report_batch_item_failures=False)
    assert source.drain(5) == 1
    assert deliveries == ["lost"]


def test_a_drain_that_cannot_finish_times_out(sqs: Any, queue_url: str) -> None:
    """Messages that keep failing lead to a TimeoutError rather than an endless loop."""
    sqs.send_message(QueueUrl=queue_url, MessageBody="stuck")
    source = SqsEventSource(client=sqs, queue_url=queue_url, function=lambda _: {"batchItemFailures": [{}]})
    with pytest.raises(TimeoutError, match="1 messages are left"):
        source.drain(0.2)


def test_it_polls_in_the_background_and_stops(sqs: Any, queue_url: str) -> None:
    """Until the end of the context every message is delivered, two batches at the same time; after it none is."""
    delivered: list[str] = []
    together = threading.Barrier(2)

    def function(event: Any) -> None:
        together.wait(timeout=5)
        delivered.extend(bodies(event))

    with SqsEventSource(client=sqs, queue_url=queue_url, function=function, batch_size=1, concurrency=2):
        for number in range(4):
            sqs.send_message(QueueUrl=queue_url, MessageBody=str(number))
        deadline = time.monotonic() + 10
        while len(delivered) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
    sqs.send_message(QueueUrl=queue_url, MessageBody="late")
    time.sleep(0.2)
    assert sorted(delivered) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"messageId": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]}, {"a", "b"}),
        ({"batchItemFailures": "a"}, {"a", "b"}),
        ("done", {"a", "b"}),
    ],
)
def test_a_report_is_read_as_lambda_reads_it(result: object, failed: set[str]) -> None:
    """Nothing reported is a success; an unreadable report or an unknown id is a failure of the whole batch."""
    assert failures(result, {"a", "b"}) == failed
