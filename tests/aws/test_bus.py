"""EventBridge gets every trigger whole, in calls of the right size, on a bus that exists."""

import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from emulators.eventbridge import CallFault, EventBridgeStandIn
from functions.aws.bus import SENDERS, SIZE_LIMIT, EventBridgeBus, entry_size
from functions.aws.clients import Clients
from shared.errors import BusError, UnavailableError
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import decode, encode
from shared.wire.incoming import TriggerEvent
from tests.aws.adapters import BUS, SOURCE, arrived, bus_on
from tests.contracts.adapters import TRIGGER, trigger


def test_a_trigger_arrives_as_it_was_sent(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """An event that a rule delivers decodes to the trigger that was published."""
    sent = trigger(reason="Qualität \U0001f4c9", parameters={"epochs": 8, "full": True}, severity="high")
    bus.publish([sent])
    incoming = decode(events.events[0], SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert (
        RetrainTrigger.parse(incoming.fields, trigger_id="", origin="event", requested_at=TRIGGER.requested_at) == sent
    )
    assert incoming.sent_at == TRIGGER.requested_at
    assert events.batches[0][0]["EventBusName"] == "retraining"


def test_nothing_to_send_makes_no_call(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """An empty list makes no call, not even the check that the bus exists."""
    bus.publish([])
    assert not events.all_calls()


def test_no_more_than_ten_go_together(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """25 triggers are three calls, and each arrives once."""
    bus.publish([trigger(number) for number in range(25)])
    assert sorted(len(batch) for batch in events.batches) == [5, 10, 10]
    assert sorted(arrived(events)) == sorted(f"t-{number}" for number in range(25))


def test_calls_are_made_at_the_same_time() -> None:
    """Many triggers do not wait for one call after the other: each call here ends when the others have begun."""
    meeting = threading.Barrier(SENDERS)

    class Meeting:
        """A client whose calls end together."""

        def describe_event_bus(self, **_arguments: object) -> Mapping[str, Any]:
            """Find every bus."""
            return {}

        def put_events(self, **arguments: Any) -> Mapping[str, Any]:
            """Wait for the other calls, and accept everything."""
            meeting.wait(timeout=30)
            return {"Entries": [{} for _ in arguments["Entries"]]}

    EventBridgeBus(Meeting, BUS, SOURCE).publish([trigger(number) for number in range(10 * SENDERS)])


def test_an_error_of_one_call_stops_those_that_have_not_begun() -> None:
    """While the bus is away, a function has no time to find that out a thousand times."""
    calls = []

    class Away:
        """A client of a service that cannot be reached."""

        def describe_event_bus(self, **_arguments: object) -> Mapping[str, Any]:
            """Find every bus."""
            return {}

        def put_events(self, **_arguments: object) -> Mapping[str, Any]:
            """Fail."""
            calls.append(1)
            raise EndpointConnectionError(endpoint_url="https://events.example")

    with pytest.raises(UnavailableError, match="put events on the bus"):
        EventBridgeBus(Away, BUS, SOURCE).publish([trigger(number) for number in range(5000)])
    assert len(calls) <= SENDERS


def test_large_triggers_share_calls_by_their_bytes(events: EventBridgeStandIn, pauses: list[float]) -> None:
    """No call reaches the size limit, which counts bytes by the service's formula, and none is needlessly small."""
    triggers = [trigger(number, evidence={"text": "é" * 4_000}) for number in range(5)]
    size = entry_size(encode(triggers[0], SOURCE, "retraining"))
    events.size_limit = 2 * size + 1
    bus_on(pauses, size_limit=2 * size + 1).publish(triggers)
    events.size_limit = 2 * size
    bus_on(pauses, size_limit=2 * size).publish(triggers)
    assert sorted(len(batch) for batch in events.batches) == [1, 1, 1, 1, 1, 1, 2, 2]
    assert sorted(arrived(events)) == sorted([f"t-{number}" for number in range(5)] * 2)


def test_the_size_of_an_entry_is_the_services() -> None:
    """The user guide's formula: 14 for the time, and the UTF-8 bytes of source, type and detail."""
    entry = {
        "Source": "é",
        "DetailType": "ab",
        "Detail": "\U0001f4c9",
        "EventBusName": "b" * 99,
        "Time": TRIGGER.requested_at,
    }
    assert entry_size(entry) == 14 + 2 + 2 + 4


def test_the_largest_trigger_is_below_the_limit() -> None:
    """A trigger whose every field is as long as it may be fits into a call on every bus."""
    text = "\x01" * 512
    largest = RetrainTrigger.parse(
        {
            "model_id": "\U0001f4c9" * 256,
            "trigger_id": "\x01" * 128,
            "origin": "schedule",
            "reason": text,
            "requested_by": text,
            "severity": "medium",
            "parameters": {"p": "\x01" * 2_700},
            "evidence": {"e": "\x01" * 2_700},
            "force": True,
        },
        trigger_id="",
        origin="",
        requested_at=TRIGGER.requested_at,
    )
    assert 40_000 < entry_size(encode(largest, SOURCE, "b")) < SIZE_LIMIT / 2


def test_a_trigger_over_the_limit_is_named_and_not_sent(events: EventBridgeStandIn, pauses: list[float]) -> None:
    """A trigger that cannot fit is refused without a call for it; the others arrive."""
    with pytest.raises(
        BusError, match=r"^retraining did not accept 1 trigger\(s\): t-2: TooLarge: \d+ bytes, not below 500$"
    ):
        bus_on(pauses, size_limit=500).publish([trigger(1), trigger(2, reason="x" * 500), trigger(3)])
    assert arrived(events) == ["t-1", "t-3"]
    assert events.calls("PutEvents") == 1


@pytest.mark.parametrize("more", [0, 1])
def test_a_trigger_must_be_smaller_than_the_limit(events: EventBridgeStandIn, pauses: list[float], more: int) -> None:
    """An entry of exactly the limit is one byte too large, as the service says "less than"."""
    events.size_limit = entry_size(encode(TRIGGER, SOURCE, BUS)) + more
    bus = bus_on(pauses, size_limit=events.size_limit)
    if more:
        bus.publish([TRIGGER])
    else:
        with pytest.raises(BusError, match="TooLarge"):
            bus.publish([TRIGGER])
    assert events.calls("PutEvents") == len(events.batches) == more


@pytest.mark.parametrize("name", ["retrainig", "arn:aws:events:eu-west-3:123456789012:event-bus/retrainig"])
def test_a_bus_that_does_not_exist_is_an_error(events: EventBridgeStandIn, pauses: list[float], name: str) -> None:
    """PutEvents would answer 200 with an event id, so the emitter looks first, and names the bus."""
    with pytest.raises(
        BusError, match=r"retrainig did not accept 2 trigger\(s\): t-1: there is no such event bus; t-2:"
    ):
        bus_on(pauses, name).publish([trigger(1), trigger(2)])
    assert events.all_calls() == {"DescribeEventBus": 1}


def test_the_service_itself_would_not_tell(events: EventBridgeStandIn) -> None:
    """The stand-in does what makes the look necessary: a bus that does not exist takes events and loses them."""
    answer = Clients().factory("events")().put_events(Entries=[encode(trigger(), SOURCE, "retrainig")])
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"]
    assert events.events == []


def test_the_bus_is_looked_up_once(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """A warm process checks the bus before its first events only."""
    bus.publish([trigger(1)])
    bus.publish([trigger(2)])
    assert events.all_calls() == {"DescribeEventBus": 1, "PutEvents": 2}


def test_a_bus_that_was_missing_is_looked_up_again(events: EventBridgeStandIn, pauses: list[float]) -> None:
    """Once the operator has made the bus, a warm process finds it."""
    bus = bus_on(pauses, "later")
    with pytest.raises(BusError):
        bus.publish([trigger(1)])
    events.buses = frozenset({"later"})
    bus.publish([trigger(2)])
    assert arrived(events) == ["t-2"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_an_emitter_that_may_not_look_is_not_stopped(
    bus: EventBridgeBus, events: EventBridgeStandIn, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    """Without the right to describe the bus, triggers are sent all the same, and the log says so once."""
    events.fail_calls(CallFault(operation="DescribeEventBus", code=code, times=9))
    with caplog.at_level(logging.WARNING, "retrain"):
        bus.publish([trigger(1)])
        bus.publish([trigger(2)])
    assert arrived(events) == ["t-1", "t-2"]
    assert [record.getMessage() for record in caplog.records] == ["bus.unverified"]
    assert events.calls("DescribeEventBus") == 1
