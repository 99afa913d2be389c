"""An SQS event source mapping: delivers a queue's messages to a function in batches, as Lambda does."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

Json = dict[str, Any]


class SqsClient(Protocol):
    """The calls of boto3's SQS client that are needed."""

    def receive_message(self, **arguments: Any) -> Json:
        """Receive up to ten messages."""
        ...

    def delete_message_batch(self, **arguments: Any) -> Json:
        """Delete up to ten messages."""
        ...

    def get_queue_attributes(self, **arguments: Any) -> Json:
        """Look a queue up."""
        ...


@dataclass(kw_only=True, eq=False)
class SqsEventSource:
    """Polls a queue and invokes a function with each batch, in a thread of its own between `start` and `stop`.

    A batch's messages are deleted when it succeeded; those that failed stay invisible until the queue's visibility
    timeout has passed, then come again, until the queue's redrive policy takes them away.

    Attributes:
        client: boto3's SQS client; it is used from several threads, which boto3's clients allow.
        queue_url: the queue.
        function: takes the event and returns the function's result; whatever it raises fails the whole batch.
        batch_size: 1 to 10 messages.
        report_batch_item_failures: whether the mapping's FunctionResponseTypes hold `ReportBatchItemFailures`; without
            it, a result is not looked at.
        concurrency: how many batches are worked on at once.
        poll_interval: seconds between two looks into an empty queue.
    """

    client: SqsClient
    queue_url: str
    function: Callable[[Json], object]
    batch_size: int = 10
    report_batch_item_failures: bool = True
    concurrency: int = 1
    poll_interval: float = 0.05
    _stopping: threading.Event = field(init=False, default_factory=threading.Event)
    _pollers: list[threading.Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        arn = self._attributes("QueueArn")["QueueArn"]
        self._origin = {"eventSource": "aws:sqs", "eventSourceARN": arn, "awsRegion": arn.split(":")[3]}

    def start(self) -> Self:
        """Begin to poll in the background."""
        self._stopping.clear()
        self._pollers = [threading.Thread(target=self._poll_on, daemon=True) for _ in range(self.concurrency)]
        for poller in self._pollers:
            poller.start()
        return self

    def stop(self) -> None:
        """Stop polling, after the batches in hand."""
        self._stopping.set()
        for poller in self._pollers:
            poller.join()
        self._pollers = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def drain(self, timeout: float) -> int:
        """Work, in this thread too, until the queue holds nothing: nothing visible, delayed or in flight.

        Returns:
            How many messages this call delivered; one that came twice counts twice.

        Raises:
            TimeoutError: something was still there after *timeout* seconds.
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
        """Receive and work on one batch; return the number of its messages, 0 when there is none."""
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

    def _poll_on(self) -> None:
        while not self._stopping.is_set():
            if not self.poll():
                self._stopping.wait(self.poll_interval)

    def _deliver(self, messages: list[Json]) -> set[str]:
        """Invoke the function; return the ids of the messages that failed."""
        identifiers = {message["MessageId"] for message in messages}
        event = {"Records": [_record(message) | self._origin for message in messages]}
        # A future takes whatever the function may raise: to a mapping, every error is a failed batch.
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

    Nothing, or an empty or null list, is a complete success. A report that cannot be read, an identifier that is empty,
    null, of a wrong key or of no message in the batch is a complete failure.
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
