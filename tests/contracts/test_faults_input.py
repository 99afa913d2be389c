"""Whatever is wrong with an event, nothing trains, a person can see why, and no other event suffers."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.messages import HttpRequest
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import a_trigger, state_of


def nested(levels: int) -> dict[str, object]:
    """Return an object of so many levels, itself included."""
    inner: dict[str, object] = {"a": 1}
    for _ in range(levels - 1):
        inner = {"a": inner}
    return inner


WRONG: Mapping[str, tuple[Mapping[str, object], str]] = {
    "model is a number": ({"model_id": 7}, "model_id"),
    "model is empty": ({"model_id": ""}, "model_id"),
    "model has 300 characters": ({"model_id": "any-" + "x" * 296}, "model_id"),
    "model has a control character": ({"model_id": "any-\n"}, "model_id"),
    "model has a lone surrogate": ({"model_id": "any-\ud800"}, "model_id"),
    "model is unknown": ({"model_id": "absent"}, "model_id"),
    "trigger id is a list": ({"trigger_id": ["t-1"]}, "trigger_id"),
    "trigger id is empty": ({"trigger_id": ""}, "trigger_id"),
    "trigger id has 300 characters": ({"trigger_id": "x" * 300}, "trigger_id"),
    "origin is unknown": ({"origin": "whim"}, "origin"),
    "reason is a number": ({"reason": 7}, "reason"),
    "severity is unknown": ({"severity": "huge"}, "severity"),
    "severity is an object": ({"severity": {}}, "severity"),
    "force is a text": ({"force": "yes"}, "force"),
    "time is invalid": ({"requested_at": "yesterday"}, "requested_at"),
    "time has no offset": ({"requested_at": "2026-11-21T12:00:00"}, "requested_at"),
    "evidence is a list": ({"evidence": ["x"]}, "evidence"),
    "evidence is nested 33 levels deep": ({"evidence": nested(33)}, "evidence"),
    "evidence is nested 700 levels deep": ({"evidence": nested(700)}, "evidence"),
    "parameters are a list": ({"parameters": ["epochs"]}, "parameters"),
    "parameter is forbidden": ({"parameters": {"image": "x"}}, "parameters.image"),
    "parameter is a list": ({"parameters": {"epochs": [1]}}, "parameters.epochs"),
    "parameter is of another type": ({"parameters": {"epochs": "abc"}}, "parameters.epochs"),
    "parameter is too large": ({"parameters": {"epochs": 2**70}}, "parameters.epochs"),
    "requested by is a list": ({"requested_by": []}, "requested_by"),
    "a megabyte of reason": ({"reason": "x" * 1_000_000}, "reason"),
}


@pytest.mark.parametrize(("fields", "named"), WRONG.values(), ids=WRONG)
def test_a_wrong_field_is_named(cloud: Cloud, fields: Mapping[str, object], named: str) -> None:
    """The event is rejected and acknowledged, nothing trains, and the dead letter's error begins with the field."""
    delivery = cloud.deliver(cloud.event(a_trigger().to_fields() | dict(fields)))
    assert (delivery.acknowledged, delivery.verdict) == (True, ("reject", "rejected"))
    assert cloud.trainings() == []
    (letter,) = map(json.loads, cloud.letters())
    assert (letter["cloud"], letter["reason"]) == (cloud.name, "rejected")
    assert letter["error"].startswith(f"{named}: ")
    assert letter["error"] == delivery.outcome["detail"]


@pytest.mark.parametrize("content", [["model_id", "churn"], "churn", 7, None], ids=["list", "text", "number", "null"])
def test_content_that_is_not_an_object_is_named(cloud: Cloud, content: object) -> None:
    """An event of ours without an object in it is rejected, with the name that the cloud has for its place."""
    delivery = cloud.deliver(cloud.event(content))
    assert (delivery.acknowledged, delivery.verdict) == (True, ("reject", "rejected"))
    (letter,) = map(json.loads, cloud.letters())
    assert letter["error"].startswith(f"{cloud.content_field}: ")
    assert cloud.trainings() == []


@pytest.mark.parametrize("levels", [33, 500, 700])
@pytest.mark.parametrize("path", ["/retrain", "/retrain?dry_run=true"])
def test_evidence_that_is_nested_too_deeply_is_named_over_http(cloud: Cloud, path: str, levels: int) -> None:
    """The request is 422 and names the field, before anything is sent or stored; 32 levels are accepted."""
    evidence = b'{"a":' * levels + b"1" + b"}" * levels
    body = b'{"model_id": "churn", "evidence": ' + evidence + b"}"
    reply = cloud.send(HttpRequest(method="POST", path=path, content=body))
    assert (reply.status, reply.body["detail"]) == (422, "evidence: must be nested at most 32 levels deep")
    assert (cloud.arrived(), cloud.ledger.models(None, 10)) == ([], [])
    fields = {"model_id": "churn", "evidence": nested(32)}
    assert cloud.send(HttpRequest(method="POST", path=path, content=fields)).status in (200, 202)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"evidence": ' + b'{"a":' * 40_000, b'{"force": ' + b"1" * 5000 + b"}", b'{"reason": "\xff"}'],
    ids=["nested lists", "nested objects", "5000 digits", "not UTF-8"],
)
def test_a_body_that_python_cannot_read_is_400(cloud: Cloud, body: bytes) -> None:
    """Whatever the reader of JSON raises is a problem document, never a bare 500."""
    reply = cloud.send(HttpRequest(method="POST", path="/retrain", content=body))
    assert (reply.status, reply.body["title"]) == (400, "Bad Request")
    assert cloud.arrived() == []


def test_an_unreadable_event_becomes_a_dead_letter_once(cloud: Cloud) -> None:
    """An event that cannot be read is taken out of the queue, and kept unchanged where a person finds it."""
    assert cloud.round([cloud.unreadable()]) == [True]
    assert len(cloud.letters()) == 1
    assert cloud.trainings() == []


@pytest.mark.parametrize("event", [[], "text", 7, None], ids=["list", "text", "number", "null"])
def test_what_is_not_an_event_at_all_is_rejected(cloud: Cloud, event: object) -> None:
    """JSON that is not an object is rejected wherever it comes from."""
    delivery = cloud.deliver(event)
    assert (delivery.acknowledged, delivery.verdict) == (True, ("reject", "rejected"))
    (letter,) = map(json.loads, cloud.letters())
    assert letter["event"] == event


def test_a_foreign_event_is_ignored(cloud: Cloud) -> None:
    """An event of another source, and one of another type, are acknowledged and leave no trace."""
    content = a_trigger().to_fields()
    for envelope in ({"source": "another.sender"}, {"detail-type": "other"}):
        delivery = cloud.deliver(cloud.event(content, **envelope))
        assert (delivery.acknowledged, delivery.verdict) == (True, ("ignore", "ignored"))
    assert (cloud.trainings(), cloud.letters(), cloud.ledger.models(None, 10)) == ([], [], [])


def test_a_rejected_event_is_listed_at_its_model(cloud: Cloud) -> None:
    """Who looks at the model in the API sees what was rejected and why."""
    cloud.deliver(trigger_event(cloud, "t-bad", severity="huge"))
    model = cloud.send(HttpRequest(method="GET", path="/models/churn")).body
    ((rejected),) = model["rejected"]
    assert (rejected["trigger_id"], rejected["reason"]) == ("t-bad", "rejected")
    assert rejected["detail"].startswith("severity: must be one of low, medium, high, not 'huge'")
    assert model["state"] == "idle"


def test_a_permanent_error_is_delivered_once(cloud: Cloud) -> None:
    """The platform's queue delivers an event that can never succeed once, and its dead letter holds it as it came."""
    event = trigger_event(cloud, severity="huge")
    cloud.put(event)
    cloud.drain()
    ((letter),) = map(json.loads, cloud.letters())
    # The fields are enough: some queues give an event its id only when it is put there.
    assert cloud.fields(letter["event"]) == cloud.fields(event)
    assert letter["error"].startswith("severity: ")
    assert len(state_of(cloud.ledger).rejected) == 1


def test_without_dead_letters_of_our_own_a_rejection_is_raised(cloud: Cloud) -> None:
    """Then the platform has to dead-letter the event, so it must not be acknowledged; the model still lists it."""
    delivery = cloud.deliver_without_dead_letters(trigger_event(cloud, severity="huge"))
    assert not delivery.acknowledged
    assert delivery.error.startswith("InvalidTriggerError: severity: ")
    assert cloud.letters() == []
    assert len(state_of(cloud.ledger).rejected) == 1


def test_a_letter_that_cannot_be_kept_keeps_its_event_from_being_acknowledged(cloud: Cloud) -> None:
    """While the dead letters are away a rejected event comes again, and is a letter when they are back."""
    event = trigger_event(cloud, severity="huge")
    with cloud.dead_letters_away():
        assert cloud.deliver(event).error.startswith("UnavailableError: ")
        assert cloud.round([event]) == [False]
    assert cloud.letters() == []
    assert cloud.round([event]) == [True]
    assert len(cloud.letters()) == 1


def test_of_three_events_only_the_transient_one_comes_again(cloud: Cloud) -> None:
    """A bad event, one whose training cannot start now, and a good one: each ends as it would have alone."""
    events: list[Any] = [
        cloud.unreadable(),
        trigger_event(cloud, "t-late"),
        trigger_event(cloud, "t-good", model_id="any-good"),
    ]
    with cloud.turned_away("t-late"):
        assert cloud.round(events) == [True, False, True]
    assert cloud.trainings() == ["t-good"]
    assert len(cloud.letters()) == 1
    assert cloud.round([events[1]]) == [True]
    assert cloud.trainings() == ["t-good", "t-late"]
