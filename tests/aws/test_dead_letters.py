"""SQS keeps every dead letter, or the event is not acknowledged."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.aws.clients import Clients
from functions.aws.dead_letters import FORMER_SIZE_LIMIT, SqsDeadLetters
from shared.errors import UnavailableError
from shared.ports import DeadLetter
from tests.aws.adapters import IMPATIENT
from tests.contracts.adapters import Answering

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def letter(event: object) -> DeadLetter:
    """Return a letter about *event*."""
    return DeadLetter(at=AT, cloud="aws", reason="rejected", error="model_id: is missing", event=event)


def queue(clients: Clients, name: str = "", **attributes: str) -> str:
    """Return the URL of a new queue."""
    sqs = clients.factory("sqs")()
    return str(sqs.create_queue(QueueName=f"dead-{uuid.uuid4()}{name}", Attributes=attributes)["QueueUrl"])


def received(clients: Clients, url: str) -> list[dict[str, Any]]:
    """Return the letters in a queue."""
    answer = clients.factory("sqs")().receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_letter_holds_the_event_as_it_came(clients: Clients) -> None:
    """A person finds when, where and why, and the event to send again."""
    url = queue(clients)
    event = {"source": "ml3_platform", "detail": {"reason": "ü\U0001f4c9\x00", "nested": [1, None]}}
    SqsDeadLetters(clients.factory("sqs"), url).put(letter(event))
    assert received(clients, url) == [
        {
            "at": "2026-11-21T03:00:00Z",
            "cloud": "aws",
            "reason": "rejected",
            "error": "model_id: is missing",
            "event": event,
        }
    ]


def test_a_fifo_queue_takes_letters_too(clients: Clients) -> None:
    """Every different letter is kept, although the queue requires a group and drops repeats."""
    url = queue(clients, ".fifo", FifoQueue="true")
    for number in range(3):
        SqsDeadLetters(clients.factory("sqs"), url).put(letter({"number": number}))
    assert [message["event"] for message in received(clients, url)] == [{"number": n} for n in range(3)]


@pytest.mark.parametrize("detail", ["x" * 1_000_000, "ü\U0001f4c9\uffff" * 80_000], ids=["ASCII", "others"])
def test_an_event_of_a_megabyte_is_kept_as_it_came(clients: Clients, detail: str) -> None:
    """A queue takes messages of 1 MiB; characters that are not ASCII count as the bytes that they are in UTF-8."""
    url = queue(clients)
    SqsDeadLetters(clients.factory("sqs"), url).put(letter({"detail": detail}))
    (message,) = received(clients, url)
    assert message["event"] == {"detail": detail}
    assert "truncated" not in message


@pytest.mark.parametrize("limit", [FORMER_SIZE_LIMIT, 65_536])
def test_an_event_too_large_for_a_queue_is_cut(clients: Clients, limit: int) -> None:
    """A queue with a smaller limit takes the letter about an event of 1 MB: as text, marked, with its size."""
    url = queue(clients, MaximumMessageSize=str(limit))
    event = {"detail": '"' * 500_000}
    SqsDeadLetters(clients.factory("sqs"), url).put(letter(event))
    (message,) = received(clients, url)
    assert message["truncated"] is True
    assert message["size"] == len(json.dumps(event, separators=(",", ":"))) > 1_000_000
    assert message["event"].startswith('{"detail":"\\"')
    assert len(message["event"]) > limit // 5


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("QueueDoesNotExist", 400),
        ("AccessDeniedException", 403),
        ("RequestThrottled", 400),
        ("KmsThrottled", 400),
        ("InvalidMessageContents", 400),
        ("InternalFailure", 500),
    ],
)
def test_a_letter_that_is_not_taken_is_transient(
    environment: pytest.MonkeyPatch, answering: Answering, code: str, status: int
) -> None:
    """Whatever the queue says, the event is nowhere yet and must be delivered again; the queue is named."""
    environment.setenv("AWS_ENDPOINT_URL_SQS", answering(status, {"__type": f"com.amazonaws.sqs#{code}"}))
    letters = SqsDeadLetters(Clients(limits=IMPATIENT).factory("sqs"), "https://sqs.example/1/dead")
    with pytest.raises(
        UnavailableError, match=f"SQS could not take a dead letter for https://sqs.example/1/dead: {code}"
    ):
        letters.put(letter({}))


def test_a_queue_that_does_not_exist_is_transient(clients: Clients) -> None:
    """The operator makes the queue, and the event comes again."""
    url = queue(clients).replace("/dead-", "/gone-")
    with pytest.raises(UnavailableError, match=r"NonExistentQueue|QueueDoesNotExist"):
        SqsDeadLetters(clients.factory("sqs"), url).put(letter({}))
