"""`docs/asyncapi.yaml` equals the code: it has all that is sent, and every recorded event is as it describes it."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft7Validator

from shared.trigger import FIELDS, ORIGINS, SEVERITIES, RetrainTrigger
from shared.wire import eventbridge, eventgrid, pubsub
from tests.contracts.openapi import resolved
from tests.core.native import EVENTS, SOURCE, delivered, natives
from tests.core.samples import trigger as a_trigger
from tests.core.test_every_sample import CONFIG, SIGNAL, TRIGGER, verdicts
from tests.docs.pages import ROOT

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
# The events of the platforms that are read without being signals: a training's end.
ENDS: Final = {"SageMakerStatus", "RunStatus"}


def described_as(event: object) -> set[str]:
    """Return the messages that *event*, in the form of its service, can be."""
    schemas = {name: resolved(DOCUMENT, part["payload"]) for name, part in DOCUMENT["components"]["messages"].items()}
    within = {"components": DOCUMENT["components"]}
    return {name for name, schema in schemas.items() if Draft7Validator({**schema, **within}).is_valid(event)}


def payload(event: Any) -> Any:
    """Return what a channel carries of *event*: of a push the message's data."""
    if isinstance(event, dict) and isinstance(event.get("message"), dict) and "data" in event["message"]:
        data = base64.b64decode(event["message"]["data"]).decode()
        try:
            return json.loads(data)
        except ValueError:
            return data
    return event


def test_every_reference_leads_somewhere() -> None:
    """All messages are in a channel, and each operation is on a channel that there is."""
    used = {message["$ref"] for channel in DOCUMENT["channels"].values() for message in channel["messages"].values()}
    assert used == {f"#/components/messages/{name}" for name in DOCUMENT["components"]["messages"]}
    for operation in DOCUMENT["operations"].values():
        for part in (operation["channel"], *operation.get("messages", ())):
            assert resolved(DOCUMENT, part)


def test_its_words_are_those_of_the_code() -> None:
    """The fields of a trigger, its origins and its severities."""
    fields: Mapping[str, Any] = DOCUMENT["components"]["schemas"]["Trigger"]["properties"]
    assert tuple(fields) == (*FIELDS, "schema")
    assert tuple(fields["origin"]["enum"]) == (*ORIGINS, None)
    assert tuple(fields["severity"]["enum"]) == (*SEVERITIES, None)


@pytest.mark.parametrize(
    "trigger",
    [
        a_trigger(),
        a_trigger(
            origin="drift",
            reason="é" * 512,
            severity="high",
            parameters={"epochs": 8, "rate": 0.5, "warm": True, "note": ""},
            evidence={"report_url": "https://reports.example/1", "deep": [{"a": None}]},
            requested_by="ada@example.com",
            force=True,
        ),
    ],
    ids=["smallest", "largest"],
)
def test_what_is_sent_is_described(trigger: RetrainTrigger) -> None:
    """A trigger on each bus is the message of that bus, and no other."""
    entry = eventbridge.encode(trigger, SOURCE, "retrain")
    sent = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(str(entry["Detail"]))}
    assert described_as(sent) == {"EventBridgeTrigger"}
    message = pubsub.encode(trigger, SOURCE, "projects/acme/topics/retrain")
    assert described_as(json.loads(message.data)) == {"PubSubTrigger"}
    event = eventgrid.encode(trigger, SOURCE)
    assert described_as(_on_the_wire(event)) == {"EventGridTrigger"}


def test_a_request_for_a_sweep_is_described() -> None:
    """It is not a trigger."""
    entry = eventbridge.encode_sweep("churn", SOURCE, "retrain")
    sent = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(str(entry["Detail"]))}
    assert described_as(sent) == {"EventBridgeSweep"}
    message = pubsub.encode_sweep("churn", SOURCE, "projects/acme/topics/retrain")
    assert described_as(json.loads(message.data)) == {"PubSubSweep"}
    assert described_as(_on_the_wire(eventgrid.encode_sweep("churn", SOURCE))) == {"EventGridSweep"}


def _on_the_wire(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Azure's SDK makes of these arguments."""
    names = {"event_type": "eventType", "data_version": "dataVersion"}
    return {names.get(name, name): value for name, value in event.items() if name != "event_time"}


@pytest.mark.parametrize("name", sorted(path.relative_to(EVENTS).as_posix() for path in EVENTS.glob("*/*.json")))
def test_every_recorded_event_is_what_it_is_described_as(name: str) -> None:
    """An event that trains is one of the messages; one that is ignored is none, but for another training's end."""
    found = set().union(*(described_as(payload(event)) for event, _ in delivered(name)))
    decision, _ = verdicts(CONFIG, name)
    if name in SIGNAL | TRIGGER:
        assert len(found) == 1
    elif decision == "ended":
        assert found <= ENDS
        assert found
    else:
        assert found <= {"RunStatus"}


def test_every_form_of_a_signal_is_described() -> None:
    """Those without a recorded sample, too; a bucket's notification without content has nothing but its attributes."""
    found = [described_as(payload(event)) for event, _ in natives()]
    assert [len(each) for each in found].count(1) >= len(found) - 1
