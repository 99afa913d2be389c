"""Pub/Sub: what cannot be read is rejected, and what need not be read is not."""

import pytest

from shared.errors import InvalidTriggerError, UnreadableEventError
from shared.wire.incoming import Foreign
from shared.wire.pubsub import decode, is_sweep
from tests.core.pubsub_deliveries import FORMS, OURS, Deliver, message_of, push

SOURCE = "ml3_platform"
SEED = {"project_id": "p", "topic_name": "t", "source": SOURCE, "event_type": "retrain_trigger"}


@pytest.mark.parametrize("event", [None, [], "text", 5, b"\xff", [{"message": {}}]])
def test_what_is_not_an_object_is_unreadable(event: object) -> None:
    """Only an object can be an event."""
    with pytest.raises(UnreadableEventError, match="an event must be an object, not "):
        decode(event, SOURCE)


@pytest.mark.parametrize("data", [b"", b"no JSON", b"\xff\xfe", b'{"model_id": "chu', b"[" * 100_000])
def test_a_message_that_claims_to_be_ours_must_be_json(data: bytes) -> None:
    """It cannot be ignored, for it may be a request; nor without any data."""
    with pytest.raises(UnreadableEventError, match=r"^the data of the message are not valid JSON: "):
        decode(push(message_of(data, OURS)), SOURCE)
    attributes_only = {"messageId": "7", "attributes": OURS}
    with pytest.raises(UnreadableEventError, match=r"^the data of the message are not valid JSON: "):
        decode(push(attributes_only), SOURCE)


@pytest.mark.parametrize("data", [b"plain text", b"\xff\xfe", b"", b"5", b'"text"', b"[1]", b"null"])
def test_what_claims_nothing_need_not_be_json(data: bytes) -> None:
    """Text, bytes, nothing and any JSON of another sender are ignored, and not kept as broken events of ours."""
    assert isinstance(decode(push(message_of(data, {})), SOURCE), Foreign)


def test_a_broken_object_is_unreadable_whoever_sent_it() -> None:
    """An object that was cut short may have been ours: to ignore it might lose a request."""
    with pytest.raises(UnreadableEventError):
        decode(push(message_of(b' {"source": "ml3_platform", "event_type": "retrain_tr', {})), SOURCE)


@pytest.mark.parametrize("data", ["no base64!", "YQ", "ä", 5, ["YQ=="]])
def test_data_that_is_not_base64_is_unreadable(data: object) -> None:
    """Pub/Sub writes base64: anything else was written by another sender, or spoilt on the way."""
    with pytest.raises(UnreadableEventError, match=r"^the data of a Pub/Sub message must be base64"):
        decode(push({"data": data, "attributes": OURS}), SOURCE)


@pytest.mark.parametrize(
    "event",
    [
        {"message": 5},
        {"message": None, "subscription": "s"},
        {"specversion": "1.0", "type": "google.cloud.pubsub.topic.v1.messagePublished", "data": "text"},
        {"specversion": "1.0", "type": "google.cloud.pubsub.topic.v1.messagePublished"},
        {"eventType": "google.pubsub.topic.publish", "data": [1]},
    ],
)
def test_an_event_of_pubsub_without_a_message_is_unreadable(event: object) -> None:
    """Who says that it delivers a message must bring one."""
    with pytest.raises(UnreadableEventError, match=r"^a Pub/Sub event must hold a message, not "):
        decode(event, SOURCE)
    assert not is_sweep(event)


@pytest.mark.parametrize(
    ("body", "attributes"),
    [(SEED | {"payload": [1]}, {}), (SEED, {}), (SEED | {"payload": "{"}, OURS), ([1], OURS), ("x", OURS)],
)
def test_our_message_with_a_payload_that_is_not_an_object_is_rejected(body: object, attributes: dict[str, str]) -> None:
    """Our own message cannot be ignored: a payload that is not an object is a fault of that field."""
    with pytest.raises(InvalidTriggerError, match=r"^payload: must be an object, not ") as raised:
        decode(push(message_of(body, attributes)), SOURCE)
    assert raised.value.field == "payload"


@pytest.mark.parametrize("deliver", FORMS.values(), ids=FORMS)
def test_the_sweep_is_known_by_its_attribute(deliver: Deliver) -> None:
    """Whatever its data is, a message of the type `retrain_sweep` is the sweep, and no other one is."""
    assert is_sweep(deliver(message_of(b"", {"event_type": "retrain_sweep"})))
    assert not is_sweep(deliver(message_of(b"", OURS)))


@pytest.mark.parametrize("event", [None, 5, "text", b"", [], {}, {"message": 5}, {"message": {"data": "!"}}])
def test_what_cannot_be_read_is_not_a_sweep(event: object) -> None:
    """The question never fails."""
    assert is_sweep(event) is False
