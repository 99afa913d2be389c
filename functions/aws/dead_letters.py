"""SQS as the place for dead letters."""

import hashlib
from collections.abc import Callable
from typing import Final

from functions.aws.errors import translated
from functions.aws.queues import SqsClient, send
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

# API reference of SendMessage: a message has at most 1 MiB. It was 256 KiB, which is what older queues, and those of
# tools that set MaximumMessageSize to its former default, still take.
SIZE_LIMIT: Final = 262_144


class SqsDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        client: makes the client of `sqs`.
        queue_url: the queue, standard or FIFO.

    """

    def __init__(self, client: Callable[[], SqsClient], queue_url: str) -> None:
        """Send nothing yet."""
        self._client = client
        self._queue_url = queue_url

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Whatever the queue says against it, the event must not be lost."""
        body = letter_text(letter, SIZE_LIMIT)
        with translated("SQS", f"take a dead letter for {self._queue_url}"):
            send(
                self._client(),
                self._queue_url,
                body,
                group="dead-letters",
                deduplication_id=hashlib.sha256(body.encode()).hexdigest(),
            )
