"""The command reads both queues of dead letters, and what it does not delete is there for the next reader."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.aws.clients import Clients
from functions.aws.letters import SqsLetters, decode
from shared.errors import PermanentError, UnavailableError
from shared.training.letters import UNDELIVERED, StoredLetter
from shared.wire.incoming import Foreign, TriggerEvent
from tests.aws.test_dead_letters import queue
from tests.contracts.aws_records import record

SOURCE = "ml3_platform"
EVENT = {"source": SOURCE, "detail-type": "retrain_trigger", "id": "e-1", "detail": {"model_id": "churn"}}
TICK = {"source": "aws.scheduler", "detail-type": "Scheduled Event", "time": "2026-11-23T09:30:00Z"}


def put(clients: Clients, url: str, body: object, **attributes: str) -> None:
    """Put a message into a queue, as a rule or Lambda does."""
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    clients.factory("sqs")().send_message(QueueUrl=url, MessageBody=json.dumps(body), MessageAttributes=named)


def read(clients: Clients, url: str) -> list[StoredLetter]:
    """Return all letters in a queue, and release them."""
    box = SqsLetters(clients.factory("sqs"), url, UNDELIVERED)
    letters = list(box.read())
    box.release()
    return letters


def test_undelivered_events_are_read_with_their_errors(clients: Clients) -> None:
    """Events of rules have their error in attributes, failed invocations in Lambda's record."""
    url = queue(clients)
    put(clients, url, EVENT, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="Lambda may not be invoked")
    put(clients, url, record(EVENT))
    letters = {letter.error: letter for letter in read(clients, url)}
    failed = "RetriesExhausted: DynamoDB could not load; try again"
    assert letters.keys() == {"NO_PERMISSIONS: Lambda may not be invoked", failed}
    for letter in letters.values():
        (event,) = letter.events
        incoming = decode(event, SOURCE)
        assert isinstance(incoming, TriggerEvent)
        assert (incoming.trigger_id, letter.kind) == ("ml3_platform:e-1", "undelivered")
        assert letter.at is not None
        assert abs(datetime.now(UTC) - letter.at) < timedelta(minutes=5)
    # Released letters are visible to the next reader immediately.
    assert {letter.letter_id for letter in read(clients, url)} == {each.letter_id for each in letters.values()}


def test_a_failed_direct_invocation_has_its_request_id() -> None:
    """The trigger has the id that `emit` would have given it."""
    incoming = decode(record({"model_id": "churn", "requested_by": "another"}, "emit"), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.trigger_id == "e4b46cbf-b738-xmpl-8880-a18cdf61200e"
    assert dict(incoming.fields) == {"origin": "manual", "model_id": "churn"}


def test_a_follow_up_that_was_given_up_is_not_a_trigger() -> None:
    """Its letter names a model and a trigger, but requests no training."""
    fields = {
        "model_id": "churn",
        "run_id": "r",
        "action": "notify",
        "trigger_id": "t-1",
        "token": "0",
        "result": "failed",
    }
    assert isinstance(decode(fields, SOURCE), Foreign)


@pytest.mark.parametrize("event", [TICK, record(TICK, "emit"), record({"sweep": True}), {"at": "2026-11-23T09:30:00Z"}])
def test_what_requests_no_training_is_refused(event: Any) -> None:
    """A tick, a sweep and a drift check are not sent again: the next ones replace them."""
    with pytest.raises(PermanentError):
        decode(event, SOURCE)


def test_more_letters_than_one_call_returns(clients: Clients) -> None:
    """Every letter is read once; one that is deleted stays away, one whose handle is too old is gone."""
    url = queue(clients)
    for number in range(23):
        put(clients, url, EVENT | {"id": f"e-{number}"})
    box = SqsLetters(clients.factory("sqs"), url, UNDELIVERED)
    letters = list(box.read())
    assert len({letter.letter_id for letter in letters}) == 23
    box.delete(letters[0])
    box.release()
    assert len(read(clients, url)) == 22


def test_a_queue_that_may_not_be_read_is_named(clients: Clients) -> None:
    """The error names the queue."""
    box = SqsLetters(clients.factory("sqs"), "https://sqs.eu-west-3.amazonaws.com/123456789012/none", UNDELIVERED)
    with pytest.raises(UnavailableError, match=r"SQS could not read the dead letters in https://sqs\.eu-west-3"):
        next(box.read())
