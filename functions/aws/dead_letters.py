"""Dead letters as messages in an SQS queue."""

import hashlib
from collections.abc import Callable
from typing import Final

from functions.aws.errors import translated
from functions.aws.queues import SqsClient, send
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

# API reference of SendMessage: a message has at most 1 MiB. It was 256 KiB, which is still the limit of older queues
# and of those made by tools that set MaximumMessageSize to its former default.
SIZE_LIMIT: Final = 262_144


class SqsDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        client: returns the `sqs` client.
        queue_url: the URL of the queue, standard or FIFO.

    """

    def __init__(self, client: Callable[[], SqsClient], queue_url: str) -> None:
        """Keep the arguments."""
        self._client = client
        self._queue_url = queue_url

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Any failure is transient, even a refusal: the event must not be lost."""
        body = letter_text(letter, SIZE_LIMIT)
        with translated("SQS", f"take a dead letter for {self._queue_url}"):
            send(
                self._client(),
                self._queue_url,
                body,
                group="dead-letters",
                deduplication_id=hashlib.sha256(body.encode()).hexdigest(),
            )
