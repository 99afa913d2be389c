"""The dead letters of AWS, as the command reads them: messages of SQS queues, among them Lambda's failure records."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from functions.aws.clients import Clients, region_of
from functions.aws.entry import message_event
from functions.aws.errors import RefusalError, translated
from functions.aws.redriven import decode_queued, original
from shared.emit import REQUEST_FIELDS
from shared.errors import UnreadableEventError
from shared.training.letters import REJECTED, UNDELIVERED, Kind, LetterBox, StoredLetter, rejected_letter
from shared.wire.eventbridge import decode_tick
from shared.wire.incoming import Incoming, TriggerEvent
from shared.wire.reading import text

# API reference of ReceiveMessage and of the batch operations: at most ten messages.
BATCH: Final = 10
# Seconds for which letters are hidden from other readers: a command that is killed leaves them hidden for as long.
HIDDEN: Final = 120
# Seconds. With a wait, SQS looks at all servers of a queue, so an empty answer means an empty queue.
WAIT: Final = 1
GONE: Final = frozenset({"ReceiptHandleIsInvalid", "InvalidParameterValue"})


class LettersClient(Protocol):
    """The operations of botocore's `sqs` client that are used."""

    def receive_message(self, **arguments: object) -> Mapping[str, Any]:
        """Receive messages."""

    def delete_message(self, **arguments: object) -> Mapping[str, Any]:
        """Delete a message."""

    def change_message_visibility_batch(self, **arguments: object) -> Mapping[str, Any]:
        """Hide or show messages."""


def boxes(variables: Mapping[str, str]) -> list[LetterBox]:
    """Return the places of the deployment that *variables* name."""
    places: dict[Kind, str] = {
        REJECTED: variables.get("RETRAIN_DEAD_LETTERS", ""),
        UNDELIVERED: variables.get("RETRAIN_UNDELIVERED", ""),
    }
    clients = Clients()
    return [SqsLetters(clients.factory("sqs", region_of(url)), url, kind) for kind, url in places.items() if url]


class SqsLetters:
    """A `shared.training.letters.LetterBox`.

    Args:
        client: returns the `sqs` client.
        queue_url: the URL of the queue.
        kind: what is in it.

    """

    def __init__(self, client: Callable[[], LettersClient], queue_url: str, kind: Kind) -> None:
        """Keep the arguments."""
        self._client = client
        self._queue_url = queue_url
        self.kinds: tuple[Kind, ...] = (kind,)
        self._kind = kind
        self._held: dict[str, str] = {}

    def read(self, only: str = "") -> Iterator[StoredLetter]:  # noqa: ARG002 - a queue cannot be searched
        """Receive every message; see the port."""
        seen: set[str] = set()
        while True:
            with translated("SQS", f"read the dead letters in {self._queue_url}"):
                answer = self._client().receive_message(
                    QueueUrl=self._queue_url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=HIDDEN,
                    WaitTimeSeconds=WAIT,
                    AttributeNames=["SentTimestamp"],
                    MessageAttributeNames=["All"],
                )
            messages = answer.get("Messages", [])
            self._held |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            fresh = [message for message in messages if message["MessageId"] not in seen]
            if not fresh:
                return
            seen |= {message["MessageId"] for message in fresh}
            for message in fresh:
                yield self._letter(message)

    def delete(self, letter: StoredLetter) -> None:
        """Delete the message; see the port."""
        name = str(letter.handle)
        try:
            with translated("SQS", f"delete a dead letter in {self._queue_url}", GONE):
                self._client().delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._held[name])
        except RefusalError:
            pass
        self._held.pop(name, None)

    def release(self) -> None:
        """Make the messages visible again; see the port."""
        handles = list(self._held.values())
        self._held.clear()
        for start in range(0, len(handles), BATCH):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles[start : start + BATCH])
            ]
            with translated("SQS", f"release dead letters in {self._queue_url}"):
                self._client().change_message_visibility_batch(QueueUrl=self._queue_url, Entries=entries)

    def _letter(self, message: Mapping[str, Any]) -> StoredLetter:
        name, body = str(message["MessageId"]), str(message["Body"])
        if self._kind == REJECTED:
            return rejected_letter(name, body, name)
        event = message_event(body)
        sent = int(message.get("Attributes", {}).get("SentTimestamp", 0))
        return StoredLetter(
            letter_id=f"{UNDELIVERED}/{name}",
            kind=UNDELIVERED,
            at=datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=sent) if sent else None,
            reason=UNDELIVERED,
            error=_error(event, message.get("MessageAttributes", {})),
            events=(event,),
            handle=name,
        )


def decode(event: object, source: str) -> Incoming:
    """Decode the event in a letter, also a failed direct invocation of `emit`, which names a model.

    Raises:
        PermanentError: it cannot be read, or is for another function.

    """
    first = original(event)
    if first.function and decode_tick(first.event) is not None:
        raise UnreadableEventError("this is a tick of a schedule; request its trainings with `retrain emit`")
    is_invocation = isinstance(first.event, Mapping) and "detail-type" not in first.event
    if first.function and is_invocation and isinstance(first.event, Mapping) and text(first.event.get("model_id")):
        given = {name: first.event[name] for name in REQUEST_FIELDS if name in first.event}
        return TriggerEvent(fields={"origin": "manual", **given}, trigger_id=first.request_id)
    return decode_queued(event, source)


def _error(event: object, attributes: Mapping[str, Any]) -> str:
    """Return why an event could not be delivered: the last failure of the function, or the error of the rule."""
    match event:
        case {"requestContext": {"condition": condition}, "responsePayload": {"errorMessage": message}}:
            return f"{condition}: {message}"
        case {"requestContext": {"condition": condition, "functionArn": _}}:
            return str(condition)
    named = (attributes.get(name, {}).get("StringValue") for name in ("ERROR_CODE", "ERROR_MESSAGE"))
    return ": ".join(filter(None, named))
