"""Entries that EventBridge does not take are repeated, or the error names the triggers and the reasons."""

import dataclasses
import json
import time

import pytest

from emulators.eventbridge import CallFault, EventBridgeStandIn
from functions.aws.bus import EventBridgeBus
from functions.aws.clients import CallLimits
from shared.errors import BusError, UnavailableError
from tests.aws.adapters import arrived, bus_on
from tests.contracts.adapters import trigger


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_only_the_entries_that_failed_are_sent_again(
    bus: EventBridgeBus, events: EventBridgeStandIn, pauses: list[float], code: str
) -> None:
    """An entry that the bus was too busy for is sent again, without its neighbours, after a growing pause."""
    events.fail_entry("t-2", code)
    events.fail_entry("t-4", code, code)
    bus.publish([trigger(number) for number in range(1, 6)])
    assert [len(batch) for batch in events.batches] == [5, 2, 1]
    assert arrived(events) == ["t-1", "t-3", "t-5", "t-2", "t-4"]
    assert pauses == [0.1, 0.2]


def test_a_bus_that_stays_busy_is_away(bus: EventBridgeBus, events: EventBridgeStandIn, pauses: list[float]) -> None:
    """After the last attempt the error is transient: nothing is wrong with the triggers."""
    events.fail_entry("t-2", *["ThrottlingException"] * 3)
    with pytest.raises(UnavailableError, match=r"EventBridge could not take 1 of 2 trigger\(s\): ThrottlingException;"):
        bus.publish([trigger(1), trigger(2)])
    assert events.calls("PutEvents") == 3
    assert arrived(events) == ["t-1"]
    assert len(pauses) == 2


def test_a_refused_entry_is_named_and_not_sent_again(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """Every code that is not retryable is final for its entry; throttled entries are reported with it."""
    events.fail_entry("t-1", "NotAuthorizedForSourceException")
    events.fail_entry("t-3", *["InternalFailure"] * 3)
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1), trigger(2), trigger(3)])
    assert raised.value.failures == {
        "t-1": "NotAuthorizedForSourceException: ordered by a test",
        "t-3": "InternalFailure: ordered by a test",
    }
    assert arrived(events) == ["t-2"]
    assert [len(batch) for batch in events.batches] == [3, 1, 1]


def test_a_refusal_in_one_call_does_not_stop_the_next(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """The triggers behind a refused one arrive, in its call and in later ones."""
    events.fail_entry("t-0", "MalformedDetail")
    with pytest.raises(BusError, match="t-0: MalformedDetail"):
        bus.publish([trigger(number) for number in range(12)])
    assert len(arrived(events)) == 11


def test_equal_ids_of_two_models_are_two_triggers(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """Entries are told apart by their place and not by their id, which counts per model."""
    events.fail_entry("t-1", "ThrottlingException")
    bus.publish([trigger(1), dataclasses.replace(trigger(1), model_id="fraud")])
    assert sorted(event["detail"]["model_id"] for event in events.events) == ["churn", "fraud"]


@pytest.mark.parametrize("operation", ["DescribeEventBus", "PutEvents"])
@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("InternalException", 500),
        ("ServiceUnavailable", 503),
        ("ExpiredTokenException", 400),
    ],
)
def test_a_call_that_fails_means_the_bus_is_away(
    bus: EventBridgeBus, events: EventBridgeStandIn, operation: str, code: str, status: int
) -> None:
    """Failures that time or an operator can fix are not reported as wrong triggers."""
    events.fail_calls(CallFault(operation=operation, code=code, status=status))
    with pytest.raises(UnavailableError, match=f"EventBridge could not .* bus retraining: {code}: ordered by a test"):
        bus.publish([trigger(1)])
    bus.publish([trigger(1)])
    assert arrived(events) == ["t-1"]


def test_an_emitter_without_permission_should_retry(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """A missing right is repaired by the operator, and the same trigger arrives then."""
    events.fail_calls(CallFault(operation="PutEvents", code="AccessDeniedException"))
    with pytest.raises(UnavailableError, match="AccessDeniedException"):
        bus.publish([trigger(1)])
    bus.publish([trigger(1)])
    assert arrived(events) == ["t-1"]


def test_a_call_that_is_refused_names_its_triggers(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """A request that the service finds wrong will not become right: all its triggers are named."""
    events.fail_calls(CallFault(operation="PutEvents", code="ValidationException"))
    with pytest.raises(BusError, match="t-1: ValidationException: ordered by a test; t-2: ValidationException"):
        bus.publish([trigger(1), trigger(2)])
    assert events.calls("PutEvents") == 1


def test_a_silent_bus_is_given_up(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """Nothing waits longer than the read timeout."""
    events.fail_calls(CallFault(operation="PutEvents", seconds=30))
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=f"ReadTimeoutError: {events.url}"):
        bus.publish([trigger(1)])
    assert time.monotonic() - began < 5


def test_botocore_repeats_a_call_that_fails(events: EventBridgeStandIn, pauses: list[float]) -> None:
    """Whole calls are repeated by botocore, as often as the limits say."""
    events.fail_calls(CallFault(operation="PutEvents", code="InternalFailure", status=500, times=2))
    bus_on(pauses, limits=CallLimits(attempts=3)).publish([trigger(1)])
    assert events.calls("PutEvents") == 3
    assert pauses == []


def test_a_bus_that_cannot_be_reached_is_away(environment: pytest.MonkeyPatch, pauses: list[float]) -> None:
    """A closed port makes the bus unavailable."""
    with EventBridgeStandIn() as gone:
        url = gone.url
    environment.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(UnavailableError, match=f"EndpointConnectionError: {url}"):
        bus_on(pauses).publish([trigger(1)])


def test_the_payload_is_not_in_the_errors(bus: EventBridgeBus, events: EventBridgeStandIn) -> None:
    """Parameters may be confidential: no error quotes them."""
    events.fail_entry("t-1", "MalformedDetail")
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1, parameters={"password": "hunter2"})])
    assert "hunter2" in json.dumps(events.batches)
    assert "hunter2" not in str(raised.value)
