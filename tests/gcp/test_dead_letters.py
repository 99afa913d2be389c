"""Dead letters over REST: if the topic refuses one, its event is not acknowledged."""

import base64
import json
from datetime import UTC, datetime

import pytest

from emulators.loopback import Answer
from functions.gcp.dead_letters import SIZE_LIMIT, PubSubDeadLetters
from functions.gcp.rest import Session
from shared.errors import UnavailableError
from shared.ports import DeadLetter
from tests.gcp.conftest import Serving
from tests.gcp.services import refused, said

TOPIC = "projects/acme/topics/dead-letters"


def letter(event: object) -> DeadLetter:
    """Return a letter about an event."""
    at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    return DeadLetter(at=at, cloud="gcp", reason="rejected", error="no", event=event)


def test_a_letter_is_one_message(session: Session, serving: Serving) -> None:
    """The letter is the data; subscriptions can filter by its attributes."""
    url, service = serving(said({"messageIds": ["1"]}))
    PubSubDeadLetters(session, TOPIC, url).put(letter({"a": "ü"}))
    (message,) = service.content()["messages"]
    assert service.calls == [f"POST /v1/{TOPIC}:publish"]
    assert json.loads(base64.b64decode(message["data"]))["event"] == {"a": "ü"}
    assert message["attributes"] == {"event_type": "retrain_dead_letter", "reason": "rejected", "cloud": "gcp"}


def test_a_letter_never_outgrows_a_message(session: Session, serving: Serving) -> None:
    """If an event is larger than a message, its beginning is kept."""
    url, service = serving(said({"messageIds": ["1"]}))
    PubSubDeadLetters(session, TOPIC, url).put(letter("x" * 12_000_000))
    (message,) = service.content()["messages"]
    assert len(base64.b64decode(message["data"])) <= SIZE_LIMIT
    assert len(service.requests[0].body) < 10_000_000


@pytest.mark.parametrize(
    "answer",
    [refused(404, "NOT_FOUND"), refused(400, "INVALID_ARGUMENT"), refused(403, "PERMISSION_DENIED"), None],
    ids=["topic", "request", "right", "cut"],
)
def test_a_refused_letter_is_an_outage(session: Session, serving: Serving, answer: Answer | None) -> None:
    """The event is redelivered until the letter is kept or the platform dead-letters the event itself."""
    url, _ = serving(answer)
    with pytest.raises(UnavailableError, match=rf"^Pub/Sub could not take a dead letter for {TOPIC}: .*; try again$"):
        PubSubDeadLetters(session, TOPIC, url).put(letter({}))
