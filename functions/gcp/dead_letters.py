"""Pub/Sub as destination of dead letters, over REST: the client for publishing would cost each cold start 0.8 s."""

import base64
import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Final

from functions.gcp.errors import RefusalError, translated
from functions.gcp.sessions import Session
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_text
from shared.wire.pubsub_delivery import LEGACY, PUBLISHED, kind_of

ENDPOINT: Final = "https://pubsub.googleapis.com"
# Pub/Sub quotas: a request, and so a message with its attributes, has at most 10 MB.
SIZE_LIMIT: Final = 10_000_000 - 2_000
# Of a letter of this size the whole request has less than 10 MB, base64 included.
SAFE_SIZE_LIMIT: Final = 7_000_000
TOO_LARGE: Final = frozenset({"INVALID_ARGUMENT", "OUT_OF_RANGE", "HTTP 413"})


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
        """Keep *letter*; see the port. Every refusal is raised, since the event must not be lost.

        If the event is a Pub/Sub message, its data is kept as text, as which a person can read and publish it.
        """
        letter = dataclasses.replace(letter, event=with_text(letter.event))
        data = letter_text(letter, SIZE_LIMIT).encode()
        try:
            self._publish(letter, data, TOO_LARGE if len(data) > SAFE_SIZE_LIMIT else ())
        except RefusalError:
            self._publish(letter, letter_text(letter, SAFE_SIZE_LIMIT).encode())

    def _publish(self, letter: DeadLetter, data: bytes, handled: Collection[str] = ()) -> None:
        attributes = {"event_type": "retrain_dead_letter", "reason": letter.reason, "cloud": letter.cloud}
        message = {"data": base64.b64encode(data).decode(), "attributes": attributes}
        with translated("Pub/Sub", f"take a dead letter for {self._topic}", handled):
            self._session.post(self._url, {"messages": [message]})


def with_text(event: object) -> object:
    """Return *event* with the data of the Pub/Sub message that it delivers as text, if the data is text.

    Data stays base64 if it is not UTF-8, or if its text could be taken for base64: so who reads a letter takes what is
    valid base64 for it, and anything else for text.
    """
    return _with_message(event, _with_text)


def with_base64(event: object) -> object:
    """Return *event* as it was delivered, from what `with_text` made of it."""
    return _with_message(event, _with_base64)


def _with_message(event: object, change: Callable[[object], object]) -> object:
    """Return *event* with the message that it delivers changed by *change*."""
    if not isinstance(event, Mapping):
        return event
    if "message" in event:
        return {**event, "message": change(event["message"])}
    if kind_of(event) in LEGACY:
        return {**event, "data": change(event.get("data"))}
    is_published = kind_of(event) == PUBLISHED and "data" in event
    return {**event, "data": _with_message(event["data"], change)} if is_published else event


def _with_base64(message: object) -> object:
    data = message.get("data") if isinstance(message, Mapping) else None
    if not isinstance(message, Mapping) or not isinstance(data, str) or _is_base64(data):
        return message
    return {**message, "data": base64.b64encode(data.encode()).decode()}


def _with_text(message: object) -> object:
    data = message.get("data") if isinstance(message, Mapping) else None
    if not isinstance(message, Mapping) or not isinstance(data, str):
        return message
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return message
    return message if _is_base64(text) else {**message, "data": text}


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return True
