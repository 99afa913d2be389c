"""Pub/Sub: what we send can be read again however Google delivers it, and what others send is told apart."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.trigger import RetrainTrigger
from shared.wire.incoming import Foreign, TriggerEvent
from shared.wire.pubsub import Message, decode, encode
from tests.core.pubsub_deliveries import FORMS, OURS, Deliver, eventarc, message_of, push, sample
from tests.core.samples import COMPLETE as TRIGGER

SOURCE = "ml3_platform"
TOPIC = "projects/acme/topics/triggers"
NOW = TRIGGER.requested_at
SEED = {"project_id": "p", "topic_name": "t", "source": SOURCE, "event_type": "retrain_trigger"}


def trigger_event(event: object) -> TriggerEvent:
    """Return the trigger in an event."""
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, TriggerEvent)
    return incoming


@pytest.mark.parametrize("deliver", FORMS.values(), ids=FORMS)
def test_what_is_sent_is_what_is_received(deliver: Deliver) -> None:
    """A trigger with every field comes out as it went in, however Google delivers it."""
    sent = encode(TRIGGER, SOURCE, TOPIC)
    incoming = trigger_event(deliver(message_of(sent.data, sent.attributes)))
    read = RetrainTrigger.parse(incoming.fields, trigger_id="none", origin="event", requested_at=NOW)
    assert read == TRIGGER


def test_a_message_has_the_documented_form() -> None:
    """Data is the object that ML cube documents, with the trigger as payload; the attributes are for filters."""
    message = encode(TRIGGER, SOURCE, TOPIC)
    assert isinstance(message, Message)
    assert message.attributes == {**OURS, "model_id": "churn", "trigger_id": "t-1"}
    assert json.loads(message.data) == {
        "project_id": "acme",
        "topic_name": "triggers",
        "source": "ml3_platform",
        "event_type": "retrain_trigger",
        "payload": TRIGGER.to_fields(),
    }
    assert message.data.isascii()


def test_the_longest_ids_fit_into_attributes() -> None:
    """Pub/Sub takes 1024 bytes a value: the longest model id, in the widest characters, has exactly as many."""
    wide = RetrainTrigger(model_id="\U0001f4c9" * 256, trigger_id="ü" * 128, origin="event", requested_at=NOW)
    assert max(len(value.encode()) for value in encode(wide, SOURCE, TOPIC).attributes.values()) == 1024


@pytest.mark.parametrize("deliver", FORMS.values(), ids=FORMS)
def test_the_message_of_ml_cubes_documentation_is_ours(deliver: Deliver) -> None:
    """The documented body is a trigger, with and without the same words in the attributes; it brings the id."""
    body = sample("ml3cube/seed-pubsub.json")
    for attributes in ({}, OURS):
        assert trigger_event(deliver(message_of(body, attributes))) == TriggerEvent(
            fields={"model_id": "id of the model on ml cube platform"},
            trigger_id="ml3_platform:7",
            sent_at=datetime(2026, 11, 21, 3, 0, 1, tzinfo=UTC),
        )


@pytest.mark.parametrize(
    ("body", "attributes", "fields"),
    [
        (SEED | {"payload": {"model_id": "churn"}}, {}, {"model_id": "churn"}),
        (SEED | {"payload": {}}, {}, {}),
        ({"model_id": "churn"}, OURS, {"model_id": "churn"}),
        ({}, OURS, {}),
        ({"payload": {"model_id": "churn"}}, OURS, {"model_id": "churn"}),
        ({"source": "sensor", "payload": 5}, OURS, {"source": "sensor", "payload": 5}),
        (SEED | {"payload": {"model_id": "churn"}, "new": 1}, {"googclient_x": "y"}, {"model_id": "churn"}),
    ],
    ids=["whole", "whole and empty", "alone", "alone and empty", "wrapped", "alone with odd fields", "new fields"],
)
def test_every_spelling_is_read(body: object, attributes: dict[str, str], fields: object) -> None:
    """The whole object, or the payload alone with source and type in the attributes."""
    assert trigger_event(push(message_of(body, attributes))).fields == fields


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("ml3_platform", "retrain_trigger"),
        ("ml3_platform.eu", "retrain_trigger_v2"),
        ("ml3_platform/x", "retrain_triggers"),
    ],
)
def test_source_and_type_count_by_prefix(source: str, kind: str) -> None:
    """A message whose source and type only begin like ours is ours, wherever they stand; the id has its source."""
    named = {"source": source, "event_type": kind}
    assert trigger_event(push(message_of({"model_id": "churn"}, named))).trigger_id == f"{source}:7"
    assert trigger_event(push(message_of({**named, "payload": {"model_id": "churn"}}, {}))).trigger_id == f"{source}:7"


@pytest.mark.parametrize(
    ("source", "kind"), [("ml3", "retrain_trigger"), (SOURCE, "retrain"), ("x." + SOURCE, "retrain_trigger")]
)
def test_other_sources_and_types_are_foreign(source: str, kind: str) -> None:
    """A message whose source or type does not begin like ours is not ours, whatever its data is."""
    named = {"source": source, "event_type": kind}
    foreign = Foreign(what=f"{source} / {kind}")
    assert decode(push(message_of({"model_id": "churn"}, named)), SOURCE) == foreign
    assert decode(push(message_of({**named, "payload": {"model_id": "churn"}}, {})), SOURCE) == foreign


def test_every_way_of_delivery_gives_the_same_id() -> None:
    """Eventarc, a push, the emulator and a background event name one message alike, so that it trains once."""
    message = message_of({"model_id": "churn"}, OURS)
    assert {trigger_event(deliver(message)).trigger_id for deliver in FORMS.values()} == {"ml3_platform:7"}


@pytest.mark.parametrize("message_id", [None, "", 7, "\ud800"])
def test_a_message_without_an_id_brings_none(message_id: object) -> None:
    """An invalid id gives no trigger id, and the CloudEvent's own id is used instead."""
    message = message_of({"model_id": "churn"}, OURS) | {"messageId": message_id}
    assert trigger_event(push(message)).trigger_id == ""
    assert trigger_event(eventarc(message)).trigger_id == "ml3_platform:7"


@pytest.mark.parametrize(
    "name",
    [
        "cloudevents-BuildEventData-simple.json",
        "cloudevents-DocumentEventData-simple.json",
        "cloudevents-LogEntryData-pubsubCreateTopic.json",
        "cloudevents-MessagePublishedData-text.json",
        "cloudevents-SchedulerJobData-simple.json",
        "conformance-legacy_pubsub-legacy-input.json",
        "conformance-pubsub_text-cloudevent-input.json",
        "conformance-pubsub_text-legacy-input.json",
    ],
)
def test_events_of_others_are_foreign(name: str) -> None:
    """Whatever readable object arrives, by itself or in a message, it is foreign if it is not ours."""
    event = sample(f"gcp/{name}")
    assert isinstance(decode(event, SOURCE), Foreign)
    assert isinstance(decode(push(message_of(event, {})), SOURCE), Foreign)


def test_a_foreign_event_is_named_for_the_log() -> None:
    """The log gets its metadata, however long, and nothing of its content."""
    log_entry = sample("gcp/cloudevents-LogEntryData-pubsubCreateTopic.json")
    log_name = "projects/test-project/logs/cloudaudit.googleapis.com%2Factivity"
    storage = {
        "specversion": "1.0",
        "source": "//storage",
        "type": "google.cloud.storage.object.v1.deleted",
        "data": {},
    }
    named = {
        f"log entry of {log_name}": push(message_of(log_entry, {})),
        "a message of projects/acme/subscriptions/receive": push(message_of(b"plain text", {"attr1": "x"})),
        "a message of an unknown topic": {"message": message_of(b"plain text", {})},
        "s" * 100 + " / no type": push(message_of({}, {"source": "s" * 9999})),
        "//storage / google.cloud.storage.object.v1.deleted": storage,
        "no source / no type": {"secret": "s"},
    }
    assert [decode(event, SOURCE) for event in named.values()] == [Foreign(what=what) for what in named]


@pytest.mark.parametrize("published", [1700000000000, "yesterday", "", None, {}])
def test_a_time_that_is_none_is_left_out(published: object) -> None:
    """A time that is none does not make a message unreadable."""
    assert trigger_event(push(message_of({}, OURS) | {"publishTime": published})).sent_at is None


def test_attributes_that_are_no_texts_claim_nothing() -> None:
    """Attributes of other types, or no mapping at all, count as absent."""
    for attributes in ({"source": 5, "event_type": ["retrain_trigger"]}, ["source"], "source", None):
        message = message_of({"model_id": "x"}, {}) | {"attributes": attributes}
        assert isinstance(decode(push(message), SOURCE), Foreign)


def test_no_mapping_is_changed() -> None:
    """Reading leaves an event as it came, for the dead letters."""
    event: Any = push(message_of({**SEED, "payload": {"model_id": "churn"}}, OURS))
    before = json.dumps(event)
    decode(event, SOURCE)
    assert json.dumps(event) == before
    assert base64.b64decode(event["message"]["data"])
