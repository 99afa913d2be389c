"""Pub/Sub as destination of dead letters, over REST: the client for publishing would cost each cold start 0.8 s."""

import base64
from typing import Final

from functions.gcp.errors import translated
from functions.gcp.rest import Session
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text

ENDPOINT: Final = "https://pubsub.googleapis.com"
# In bytes. A message may have 10 MB, and so may the event. Of a letter over this limit the beginning is kept: a pull
# returns up to 1000 letters in one answer.
SIZE_LIMIT: Final = 1_000_000


class PubSubDeadLetters:
    """A `shared.ports.DeadLetters`.

    Args:
        session: calls Pub/Sub.
        topic: `projects/P/topics/T`. Without a subscription, letters are lost.
        endpoint: base URL of Pub/Sub.

    """

    def __init__(self, session: Session, topic: str, endpoint: str = ENDPOINT) -> None:
        self._session = session
        self._topic = topic
        self._url = f"{endpoint}/v1/{topic}:publish"

    def put(self, letter: DeadLetter) -> None:
        """Keep *letter*; see the port. Every refusal is raised, since the event must not be lost."""
        data = base64.b64encode(letter_text(letter, SIZE_LIMIT).encode()).decode()
        attributes = {"event_type": "retrain_dead_letter", "reason": letter.reason, "cloud": letter.cloud}
        with translated("Pub/Sub", f"take a dead letter for {self._topic}"):
            self._session.post(self._url, {"messages": [{"data": data, "attributes": attributes}]})
