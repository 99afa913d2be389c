"""SNS as notification channel: one message with a form for each kind of subscriber, people and programs."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from functions.aws.errors import INVALID_REQUEST, RefusalError, translated
from shared.errors import PermanentError
from shared.json_text import compact, cut
from shared.notice import Notice, notice_document, notice_text, notice_title

# API reference of Publish: a message has at most 256 KiB, including its attributes, unless the topic's
# MaximumMessageSize allows more; a subject has less than 100 characters and no line breaks or control characters.
SIZE_LIMIT: Final = 262_144
_ROOM_FOR_ATTRIBUTES: Final = 4096
LONGEST_SUBJECT: Final = 99
# One SMS; longer ones are split and billed as several.
LONGEST_SMS: Final = 140
# Subscribers that are programs.
PROGRAMS: Final = ("sqs", "lambda", "http", "https", "firehose", "email-json")
# Service model of sns. A missing permission is not among them, because an operator can grant it.
REFUSED: Final = frozenset(
    {"NotFound", "InvalidParameter", "ParameterValueInvalid", "InvalidSecurity", "ValidationException", INVALID_REQUEST}
)


class SnsClient(Protocol):
    """The operations of botocore's `sns` client that are used."""

    def publish(self, **arguments: object) -> Mapping[str, Any]:
        """Publish a message."""


class SnsNotifier:
    """A `shared.ports.Notifier`.

    People get text; queues, functions and webhooks get the notice as JSON; phones get the title. Subscribers can
    filter by the attributes `event` and `model_id`.

    Args:
        client: returns the `sns` client of the topic's region.
        topic: the ARN of the topic, standard or FIFO.

    """

    def __init__(self, client: Callable[[], SnsClient], topic: str) -> None:
        """Keep the arguments."""
        self._client = client
        self._topic = topic

    def send(self, notice: Notice) -> None:
        """Send *notice*; see the port."""
        name = self._topic.rpartition(":")[2]
        try:
            with translated("SNS", f"take a notice for the topic {name}", REFUSED):
                self._client().publish(
                    TopicArn=self._topic,
                    Subject=subject(notice),
                    Message=message(notice),
                    MessageStructure="json",
                    MessageAttributes=_attributes(notice),
                    **self._order(notice),
                )
        except RefusalError as refusal:
            raise PermanentError(f"SNS refuses a notice for the topic {name}: {refusal}") from refusal

    def _order(self, notice: Notice) -> dict[str, str]:
        if not self._topic.endswith(".fifo"):
            return {}
        return {
            "MessageGroupId": _digest(notice.model_id),
            "MessageDeduplicationId": _digest(compact(notice_document(notice))),
        }


def subject(notice: Notice) -> str:
    """Return a subject that mail servers and SNS accept: one line of ASCII."""
    text = "".join(character if " " <= character <= "~" else "?" for character in notice_title(notice))
    return text if len(text) <= LONGEST_SUBJECT else f"{text[: LONGEST_SUBJECT - 3]}..."


def message(notice: Notice) -> str:
    """Return the forms of *notice* as a JSON object of strings; the evidence is left out if it is too long."""
    text = compact(_forms(notice))
    if len(text) <= SIZE_LIMIT - _ROOM_FOR_ATTRIBUTES:
        return text
    # Every form has its own copy of the reason, in which quotes are escaped twice.
    short: dict[str, Any] = {"evidence": {}, "reason": cut(notice.reason, 4096), "url": cut(notice.url, 4096)}
    return compact(_forms(dataclasses.replace(notice, **short)))


def _forms(notice: Notice) -> dict[str, str]:
    document = compact(notice_document(notice))
    return {"default": notice_text(notice), "sms": subject(notice)[:LONGEST_SMS]} | dict.fromkeys(PROGRAMS, document)


def _attributes(notice: Notice) -> dict[str, dict[str, str]]:
    # SNS refuses an empty value.
    values = {"event": notice.event, "model_id": notice.model_id}
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
