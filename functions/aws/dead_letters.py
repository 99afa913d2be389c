"""Dead letters as messages in an SQS queue."""

import hashlib
import re
from collections.abc import Callable, Collection
from typing import Final

from functions.aws.errors import RefusalError, translated
from functions.aws.queues import SqsClient, send
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

# API reference of SendMessage: a message has at most 1 MiB, unless the queue's MaximumMessageSize is smaller.
SIZE_LIMIT: Final = 1_048_576
# The limit until 2025: still that of older queues, and of those made by tools that set MaximumMessageSize to it.
FORMER_SIZE_LIMIT: Final = 262_144
# The service's answer to a message that is too long, among other parameters.
TOO_LONG: Final = frozenset({"InvalidParameterValue", "InvalidParameterValueException"})

_LIMIT: Final = re.compile(r"shorter than (\d{4,7}) bytes")


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
        try:
            self._send(letter_text(letter, SIZE_LIMIT), TOO_LONG)
        except RefusalError as refusal:
            limit = _LIMIT.search(refusal.message)
            self._send(letter_text(letter, int(limit[1]) if limit else FORMER_SIZE_LIMIT))

    def _send(self, body: str, judged: Collection[str] = ()) -> None:
        with translated("SQS", f"take a dead letter for {self._queue_url}", judged):
            send(
                self._client(),
                self._queue_url,
                body,
                group="dead-letters",
                deduplication_id=hashlib.sha256(body.encode()).hexdigest(),
            )
