"""The command reads the dead letters of Pub/Sub, and what it does not delete is there for the next reader."""

import base64
import json
from typing import Any, Final

import pytest

from functions.gcp.letters import EMPTY_PULLS, PubSubLetters, boxes, decode
from functions.gcp.sessions import Session
from shared.errors import UnavailableError
from shared.training.letters import REJECTED, UNDELIVERED
from shared.wire.incoming import TriggerEvent
from tests.gcp.conftest import Serving
from tests.gcp.services import SOURCE, refused, said

NAME: Final = "projects/acme/subscriptions/retrain-undelivered-dev"
ATTRIBUTES: Final = {
    "source": SOURCE,
    "event_type": "retrain_trigger",
    "CloudPubSubDeadLetterSourceDeliveryCount": "100",
}


def pulled(*names: str) -> Any:
    """Return the answer to a pull: a message of each name, as Pub/Sub forwards it to a dead-letter topic."""
    data = base64.b64encode(json.dumps({"model_id": "churn"}).encode()).decode()
    messages = [
        {"messageId": name, "publishTime": "2026-11-21T03:00:00Z", "attributes": ATTRIBUTES, "data": data}
        for name in names
    ]
    return said({"receivedMessages": [{"ackId": f"ack-{each['messageId']}", "message": each} for each in messages]})


def test_letters_are_held_deleted_and_released(session: Session, serving: Serving) -> None:
    """Those that were read are hidden from others until they are deleted or released; an answer may be empty."""
    url, service = serving(said({}), pulled("1", "2"), said({}))
    box = PubSubLetters(session, NAME, UNDELIVERED, url)
    first, second = box.read()
    assert (first.letter_id, first.error) == ("undelivered/1", "not acknowledged in 100 deliveries")
    incoming = decode(second.events[0], SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert (dict(incoming.fields), incoming.trigger_id) == ({"model_id": "churn"}, f"{SOURCE}:2")
    box.delete(first)
    box.release()
    verbs = [call.rpartition(":")[2] for call in service.calls]
    # One empty answer came before the messages.
    assert verbs == ["pull"] * 2 + ["modifyAckDeadline"] + ["pull"] * (EMPTY_PULLS - 1) + ["acknowledge", verbs[2]]
    assert service.content(-2) == {"ackIds": ["ack-1"]}
    assert service.content(-1) == {"ackIds": ["ack-2"], "ackDeadlineSeconds": 0}


def test_a_missing_right_names_the_subscription(session: Session, serving: Serving) -> None:
    """Nothing is read."""
    url, _ = serving(refused(403, "PERMISSION_DENIED"))
    with pytest.raises(UnavailableError, match=f"Pub/Sub could not read the dead letters in {NAME}: PERMISSION_DENIED"):
        next(PubSubLetters(session, NAME, REJECTED, url).read())


def test_the_subscription_of_a_topic_has_its_name() -> None:
    """The variable of the functions names the topic, the command reads the subscription beside it."""
    places = {"RETRAIN_DEAD_LETTERS": "projects/acme/topics/rejected", "RETRAIN_UNDELIVERED": NAME}
    assert [box.kinds for box in boxes(places)] == [("rejected",), ("undelivered",)]
    assert [box.kinds for box in boxes({})] == []


@pytest.mark.parametrize("data", ["", "eyJtb2RlbF9pZCI6ICJjaHVybiJ9", '{"model_id": "churn"}'])
def test_data_that_is_kept_as_text_is_read(data: str) -> None:
    """A person sees text in a letter; the codec gets base64."""
    message = {"messageId": "7", "attributes": {"source": SOURCE, "event_type": "retrain_trigger"}, "data": data}
    if data:
        incoming = decode({"subscription": "s", "message": message}, SOURCE)
        assert isinstance(incoming, TriggerEvent)
        assert dict(incoming.fields) == {"model_id": "churn"}
