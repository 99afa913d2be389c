"""An SQS event source mapping: delivers a queue's messages to a function in batches, as Lambda does."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from emulators.workers import Workers

Json = dict[str, Any]


class SqsClient(Protocol):
    """The calls of boto3's SQS client that are used here."""

    def receive_message(self, **arguments: Any) -> Json:
        """Receive up to ten messages."""
        ...

    def delete_message_batch(self, **arguments: Any) -> Json:
        """Delete up to ten messages."""
        ...

    def get_queue_attributes(self, **arguments: Any) -> Json:
        """Return attributes of a queue."""
        ...


@dataclass(kw_only=True, eq=False)
class SqsEventSource(Workers):
    """Polls a queue and invokes a function with each batch, in the background between enter and exit.

    The messages of a batch that succeeded are deleted. Messages that failed stay invisible until the queue's visibility
    timeout has passed and are then received again, until the queue's redrive policy moves them away.

    Attributes:
        client: boto3's SQS client; it is used from several threads, which boto3's clients allow.
        queue_url: the queue.
        function: takes the event and returns the function's result; an exception fails the whole batch.
        batch_size: 1 to 10 messages.
        report_batch_item_failures: whether the mapping's FunctionResponseTypes hold `ReportBatchItemFailures`; without
            it, the result is ignored.
        concurrency: how many batches are handled at the same time.
        poll_interval: seconds between two polls of an empty queue.
    """

    client: SqsClient
    queue_url: str
    function: Callable[[Json], object]
    batch_size: int = 10
    report_batch_item_failures: bool = True
    poll_interval: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        arn = self._attributes("QueueArn")["QueueArn"]
        self._origin = {"eventSource": "aws:sqs", "eventSourceARN": arn, "awsRegion": arn.split(":")[3]}

    def drain(self, timeout: float) -> int:
        """Deliver, in this thread as well, until the queue is empty: nothing visible, delayed or in flight.

        Returns:
            How many messages this call delivered; a message that was delivered twice counts twice.

        Raises:
            TimeoutError: the queue was not empty after *timeout* seconds.
        """
        deadline = time.monotonic() + timeout
        delivered = 0
        while left := self._count():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} messages are left in {self.queue_url} after {timeout:g} seconds")
            handled = self.poll()
            delivered += handled
            if not handled:
                time.sleep(self.poll_interval)
        return delivered

    def poll(self) -> int:
        """Receive and deliver one batch; return the number of its messages, 0 if there are none."""
        answer = self.client.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=self.batch_size,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if messages:
            failed = self._deliver(messages)
            self._delete([message for message in messages if message["MessageId"] not in failed])
        return len(messages)

    def _step(self) -> None:
        if not self.poll():
            self._stopping.wait(self.poll_interval)

    def _deliver(self, messages: list[Json]) -> set[str]:
        """Invoke the function; return the ids of the messages that failed."""
        identifiers = {message["MessageId"] for message in messages}
        event = {"Records": [_record(message) | self._origin for message in messages]}
        # A future catches every exception of the function: to a mapping, every error is a failed batch.
        with ThreadPoolExecutor(max_workers=1) as worker:
            invocation = worker.submit(self.function, event)
        if invocation.exception():
            return identifiers
        return failures(invocation.result(), identifiers) if self.report_batch_item_failures else set()

    def _delete(self, messages: list[Json]) -> None:
        entries = [
            {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]} for place, message in enumerate(messages)
        ]
        if entries:
            self.client.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)

    def _count(self) -> int:
        kinds = ("", "NotVisible", "Delayed")
        found = self._attributes(*(f"ApproximateNumberOfMessages{kind}" for kind in kinds))
        return sum(int(number) for number in found.values())

    def _attributes(self, *names: str) -> Mapping[str, str]:
        answer = self.client.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=list(names))
        attributes: Mapping[str, str] = answer["Attributes"]
        return attributes


def failures(result: Any, identifiers: set[str]) -> set[str]:
    """Return the ids that a function's result reports as failed, by the rules of the Lambda developer guide.

    No result, or an empty or null list, is a complete success. A report that cannot be read is a complete failure, and
    so is an identifier that is empty, null, under a wrong key or not in the batch.
    """
    if not result:
        return set()
    try:
        reported = {entry["itemIdentifier"] for entry in result.get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        return identifiers
    return identifiers if reported - identifiers else reported


def _record(message: Json) -> Json:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
    }


def _attribute(value: Json) -> Json:
    """Return a message attribute as Lambda spells it."""
    spelled = {key[0].lower() + key[1:]: part for key, part in value.items()}
    return {"stringListValues": [], "binaryListValues": [], **spelled}
