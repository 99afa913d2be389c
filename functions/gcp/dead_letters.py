"""Pub/Sub as the place for dead letters, over REST: the client for publishing would cost each cold start 0.8 s."""

import base64
from typing import Final

from functions.gcp.errors import translated
from functions.gcp.rest import Session
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

ENDPOINT: Final = "https://pubsub.googleapis.com"
# A message may have 10 MB, and an event that was delivered had at most as much. Of a larger one the beginning is kept:
# who reads the letters by a pull gets up to 1000 of them in one answer.
SIZE_LIMIT: Final = 1_000_000


class PubSubDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        session: calls Pub/Sub.
        topic: `projects/P/topics/T`; what nobody subscribes to is lost.
        endpoint: base URL of Pub/Sub.

    """

    def __init__(self, session: Session, topic: str, endpoint: str = ENDPOINT) -> None:
        """Send nothing yet."""
        self._session = session
        self._topic = topic
        self._url = f"{endpoint}/v1/{topic}:publish"

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Whatever the topic says against it, the event must not be lost."""
        data = base64.b64encode(letter_text(letter, SIZE_LIMIT).encode()).decode()
        attributes = {"event_type": "retrain_dead_letter", "reason": letter.reason, "cloud": letter.cloud}
        with translated("Pub/Sub", f"take a dead letter for {self._topic}"):
            self._session.post(self._url, {"messages": [{"data": data, "attributes": attributes}]})
