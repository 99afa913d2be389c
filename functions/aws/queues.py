"""Sends one message to an SQS queue, standard or FIFO."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

# API reference of SendMessage: the characters and the length of a MessageGroupId.
GROUP: Final = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


class SqsClient(Protocol):
    """The operations of botocore's `sqs` client that are used."""

    def send_message(self, **arguments: object) -> Mapping[str, Any]:
        """Send a message."""

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""


def is_fifo(queue: str) -> bool:
    """Whether the queue with this URL or ARN is a FIFO queue, whose name always ends in `.fifo`."""
    return queue.endswith(".fifo")


def send(client: SqsClient, queue_url: str, body: str, *, group: str, deduplication_id: str) -> str:
    """Send *body* and return the id of the message; errors of botocore are not translated.

    Args:
        client: the `sqs` client.
        queue_url: the URL of the queue.
        body: the message.
        group: the message group, within which order is kept; any text. FIFO only.
        deduplication_id: of messages with the same id within five minutes only the first is delivered. FIFO only.

    """
    order = {"MessageGroupId": _legal(group), "MessageDeduplicationId": deduplication_id} if is_fifo(queue_url) else {}
    return str(client.send_message(QueueUrl=queue_url, MessageBody=body, **order)["MessageId"])


def _legal(group: str) -> str:
    return group if GROUP.fullmatch(group) else hashlib.sha256(group.encode()).hexdigest()
