"""The dead letters of Google Cloud, as the command reads them: messages of Pub/Sub subscriptions."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final

from functions.gcp import dead_letters
from functions.gcp.errors import translated
from functions.gcp.sessions import Session, Sessions
from shared.training.letters import REJECTED, UNDELIVERED, Kind, LetterBox, StoredLetter, rejected_letter
from shared.wire import pubsub
from shared.wire.incoming import Incoming
from shared.wire.reading import text, time

PAGE: Final = 100
# Seconds for which letters are hidden from other readers; the most that Pub/Sub accepts is 600.
HIDDEN: Final = 300
# An immediate answer may be empty although messages are left.
EMPTY_PULLS: Final = 3
# Attributes that Pub/Sub adds when it forwards a message to a dead-letter topic.
_ATTEMPTS: Final = "CloudPubSubDeadLetterSourceDeliveryCount"
_ERROR: Final = "CloudPubSubDeadLetterSourceDeliveryErrorMessage"


def boxes(variables: Mapping[str, str]) -> list[LetterBox]:
    """Return the places of the deployment that *variables* name; the subscription of a topic has the topic's name."""
    session, emulator = Sessions(variables).emulated("PUBSUB_EMULATOR_HOST")
    places: dict[Kind, str] = {
        REJECTED: variables.get("RETRAIN_DEAD_LETTERS", ""),
        UNDELIVERED: variables.get("RETRAIN_UNDELIVERED", ""),
    }
    return [
        PubSubLetters(session, name.replace("/topics/", "/subscriptions/"), kind, emulator or dead_letters.ENDPOINT)
        for kind, name in places.items()
        if name
    ]


class PubSubLetters:
    """A `shared.training.letters.LetterBox`.

    Args:
        session: calls Pub/Sub.
        subscription: `projects/P/subscriptions/S`.
        kind: what is in it.
        endpoint: base URL of Pub/Sub.

    """

    def __init__(self, session: Session, subscription: str, kind: Kind, endpoint: str = dead_letters.ENDPOINT) -> None:
        self._session = session
        self._subscription = subscription
        self.kinds: tuple[Kind, ...] = (kind,)
        self._kind = kind
        self._url = f"{endpoint}/v1/{subscription}"
        self._held: dict[str, str] = {}

    def read(self, only: str = "") -> Iterator[StoredLetter]:  # noqa: ARG002 - a subscription cannot be searched
        """Pull every message; see the port."""
        seen: set[str] = set()
        empty = 0
        while empty < EMPTY_PULLS:
            answer = self._call("pull", {"maxMessages": PAGE, "returnImmediately": True}, "read the dead letters")
            received = answer.get("receivedMessages", [])
            self._held |= {text(each["message"].get("messageId")): each["ackId"] for each in received}
            fresh = [each for each in received if text(each["message"].get("messageId")) not in seen]
            if not fresh:
                empty += 1
                continue
            self._extend([each["ackId"] for each in fresh], HIDDEN)
            for each in fresh:
                seen.add(text(each["message"].get("messageId")))
                yield self._letter(each["message"])

    def delete(self, letter: StoredLetter) -> None:
        """Acknowledge the message; see the port."""
        name = str(letter.handle)
        self._call("acknowledge", {"ackIds": [self._held[name]]}, "delete a dead letter")
        self._held.pop(name)

    def release(self) -> None:
        """Make the messages available again; see the port."""
        held = list(self._held.values())
        self._held.clear()
        for start in range(0, len(held), PAGE):
            self._extend(held[start : start + PAGE], 0)

    def _extend(self, ack_ids: list[str], seconds: int) -> None:
        self._call("modifyAckDeadline", {"ackIds": ack_ids, "ackDeadlineSeconds": seconds}, "hold dead letters")

    def _call(self, verb: str, content: object, action: str) -> Mapping[str, Any]:
        with translated("Pub/Sub", f"{action} in {self._subscription}"):
            answer: Mapping[str, Any] = self._session.post(f"{self._url}:{verb}", content)
        return answer

    def _letter(self, message: Mapping[str, Any]) -> StoredLetter:
        name, given = text(message.get("messageId")), message.get("attributes") or {}
        if self._kind == REJECTED:
            return rejected_letter(name, base64.b64decode(message.get("data") or ""), name)
        attempts, error = text(given.get(_ATTEMPTS)), text(given.get(_ERROR))
        return StoredLetter(
            letter_id=f"{UNDELIVERED}/{name}",
            kind=UNDELIVERED,
            at=time(message.get("publishTime")),
            reason=UNDELIVERED,
            error=error or (f"not acknowledged in {attempts} deliveries" if attempts else ""),
            events=({"subscription": self._subscription, "message": dict(message)},),
            handle=name,
        )


def decode(event: object, source: str) -> Incoming:
    """Decode the event in a letter, whose data may be kept as text.

    Raises:
        PermanentError: it cannot be read.

    """
    return pubsub.decode(dead_letters.with_base64(event), source)
