"""Dead letters over REST: if the topic refuses one, its event is not acknowledged."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from emulators.loopback import Answer
from functions.gcp.dead_letters import SIZE_LIMIT, PubSubDeadLetters
from functions.gcp.sessions import Session
from shared.errors import UnavailableError
from shared.ports import DeadLetter
from shared.wire.pubsub_delivery import PUBLISHED
from tests.gcp.conftest import Serving
from tests.gcp.services import Service, refused, said

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


def kept(service: Service) -> dict[str, Any]:
    """Return the last letter that was published."""
    (message,) = service.content()["messages"]
    document: dict[str, Any] = json.loads(base64.b64decode(message["data"]))
    return document


@pytest.mark.parametrize(("size", "whole"), [(9_900_000, True), (12_000_000, False)])
def test_a_letter_is_whole_up_to_the_limit_of_a_message(
    session: Session, serving: Serving, size: int, *, whole: bool
) -> None:
    """A message has 10 MB; of an event that is larger its beginning is kept, and the letter says so."""
    url, service = serving(said({"messageIds": ["1"]}))
    PubSubDeadLetters(session, TOPIC, url).put(letter("x" * size))
    document = kept(service)
    assert (document["event"] == "x" * size) is whole
    assert (document.get("truncated"), document.get("size")) == ((None, None) if whole else (True, size + 2))
    assert len(json.dumps(document, separators=(",", ":"))) <= SIZE_LIMIT


@pytest.mark.parametrize("answer", [refused(400, "INVALID_ARGUMENT"), Answer(status=413, body=b"<html>")])
def test_a_letter_that_is_too_large_all_the_same_is_cut(session: Session, serving: Serving, answer: Answer) -> None:
    """A service that counts base64, too, gets less than 10 MB, so that the event is not redelivered forever."""
    url, service = serving(answer, said({"messageIds": ["1"]}))
    PubSubDeadLetters(session, TOPIC, url).put(letter("x" * 9_000_000))
    assert len(service.requests) == 2
    assert len(service.requests[1].body) < 10_000_000
    assert kept(service)["truncated"] is True


TEXT = '{"model_id": "churn", "reason": "Qualität"}'
MESSAGE = {"messageId": "1", "attributes": {"source": "ml3_platform"}}


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda message: {"message": message, "subscription": "projects/p/subscriptions/s"},
        lambda message: {"specversion": "1.0", "type": PUBLISHED, "id": "1", "data": {"message": message}},
        lambda message: {"context": {"eventType": "google.pubsub.topic.publish"}, "data": message},
    ],
    ids=["push", "CloudEvent", "background event"],
)
@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (TEXT.encode(), TEXT),
        (b"no JSON {", "no JSON {"),
        (b"\xff\x00", "/wA="),
        (b"AAAA", "QUFBQQ=="),
        (b"", ""),
    ],
    ids=["JSON", "text", "bytes", "text like base64", "empty"],
)
def test_the_data_of_a_message_is_readable(
    session: Session, serving: Serving, wrapped: Callable[[object], Any], data: bytes, shown: str
) -> None:
    """Data that is text is kept as text in the event's own place; what is not, or looks like base64, stays base64."""
    url, service = serving(said({"messageIds": ["1"]}))
    event = wrapped({**MESSAGE, "data": base64.b64encode(data).decode()})
    PubSubDeadLetters(session, TOPIC, url).put(letter(event))
    assert kept(service)["event"] == wrapped({**MESSAGE, "data": shown})


@pytest.mark.parametrize(
    "event", [{"message": {"data": "?"}}, {"message": {}}, {"message": 7}, {"data": {"data": "eA=="}}, [], None]
)
def test_any_other_event_is_kept_as_it_came(session: Session, serving: Serving, event: object) -> None:
    """Only the data of a Pub/Sub message is decoded."""
    url, service = serving(said({"messageIds": ["1"]}))
    PubSubDeadLetters(session, TOPIC, url).put(letter(event))
    assert kept(service)["event"] == event


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
