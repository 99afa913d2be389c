"""Sends one message to an SQS queue, standard or FIFO."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

# API reference of SendMessage: the characters and the length of a MessageGroupId.
GROUP: Final = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")


class SqsClient(Protocol):
    """What is used of botocore's client of `sqs`."""

    def send_message(self, **arguments: object) -> Mapping[str, Any]:
        """Send a message."""


def is_fifo(queue_url: str) -> bool:
    """Tell whether the queue keeps order and takes a deduplication id: its name must end in `.fifo` then."""
    return queue_url.endswith(".fifo")


def send(client: SqsClient, queue_url: str, body: str, *, group: str, deduplication_id: str) -> str:
    """Send *body* and return the message's id; what botocore raises goes through.

    Args:
        client: the client of `sqs`.
        queue_url: the queue.
        body: the message.
        group: what keeps its order among its like; any text. FIFO only.
        deduplication_id: of messages with the same one only the first is delivered, for five minutes. FIFO only.

    """
    order = {"MessageGroupId": _legal(group), "MessageDeduplicationId": deduplication_id} if is_fifo(queue_url) else {}
    return str(client.send_message(QueueUrl=queue_url, MessageBody=body, **order)["MessageId"])


def _legal(group: str) -> str:
    return group if GROUP.fullmatch(group) else hashlib.sha256(group.encode()).hexdigest()
