"""EventBridge takes every trigger, or the emitter learns which ones it did not take and why."""

import dataclasses
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.aws.bus import SIZE_LIMIT, Backoff, EventBridgeBus, entry_size
from functions.aws.clients import CallLimits, Clients
from shared.errors import BusError, UnavailableError
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import decode, encode
from shared.wire.incoming import Asked
from tests.aws.conftest import IMPATIENT
from tests.emulators.eventbridge import CallFault, EventBridgeStandIn

SOURCE = "ml3_platform"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def service(environment: pytest.MonkeyPatch) -> Iterator[EventBridgeStandIn]:
    """Return a stand-in with one bus, to which the environment points."""
    with EventBridgeStandIn(buses=frozenset({"retraining"})) as stand_in:
        environment.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", stand_in.url)
        yield stand_in


@pytest.fixture
def pauses() -> list[float]:
    """Return where the pauses between two attempts are noted."""
    return []


@pytest.fixture
def bus(service: EventBridgeStandIn, pauses: list[float]) -> EventBridgeBus:
    """Return the adapter for the stand-in's bus."""
    return adapter(pauses, next(iter(service.buses)))


def adapter(
    pauses: list[float], name: str = "retraining", limits: CallLimits = IMPATIENT, **more: int
) -> EventBridgeBus:
    """Return an adapter that notes its pauses instead of sleeping."""
    backoff = Backoff(attempts=3, base=0.2, sleep=pauses.append, chance=lambda: 0.5)
    return EventBridgeBus(Clients(limits=limits).factory("events"), name, SOURCE, backoff=backoff, **more)


def trigger(number: int = 1, **fields: Any) -> RetrainTrigger:
    """Return a trigger."""
    return RetrainTrigger(
        model_id="churn", **{"trigger_id": f"t-{number}", "origin": "manual", "requested_at": NOW} | fields
    )


def arrived(service: EventBridgeStandIn) -> list[str]:
    """Return the trigger ids of the events on the bus, in their order."""
    return [event["detail"]["trigger_id"] for event in service.events]


def test_a_trigger_arrives_as_it_was_sent(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """What a rule delivers decodes to the trigger that was published."""
    sent = trigger(reason="Qualität \U0001f4c9", parameters={"epochs": 8, "full": True}, severity="high")
    bus.publish([sent])
    incoming = decode(service.events[0], SOURCE)
    assert isinstance(incoming, Asked)
    assert RetrainTrigger.parse(incoming.fields, trigger_id="", origin="event", requested_at=NOW) == sent
    assert incoming.sent_at == NOW
    assert service.batches[0][0]["EventBusName"] == "retraining"


def test_nothing_to_send_is_no_call(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """An empty list asks nothing of the service, not even whether the bus exists."""
    bus.publish([])
    assert not service.calls


def test_no_more_than_ten_go_together(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """25 triggers are three calls, and each arrives once, in order."""
    bus.publish([trigger(number) for number in range(25)])
    assert [len(batch) for batch in service.batches] == [10, 10, 5]
    assert arrived(service) == [f"t-{number}" for number in range(25)]


def test_large_triggers_share_calls_by_their_bytes(service: EventBridgeStandIn, pauses: list[float]) -> None:
    """No call reaches the size limit, which counts bytes by the service's formula, and none is needlessly small."""
    triggers = [trigger(number, evidence={"text": "é" * 4_000}) for number in range(5)]
    size = entry_size(encode(triggers[0], SOURCE, "retraining"))
    service.size_limit = 2 * size + 1
    adapter(pauses, size_limit=2 * size + 1).publish(triggers)
    service.size_limit = 2 * size
    adapter(pauses, size_limit=2 * size).publish(triggers)
    assert [len(batch) for batch in service.batches] == [2, 2, 1, 1, 1, 1, 1, 1]
    assert arrived(service) == [f"t-{number}" for number in range(5)] * 2


def test_the_size_of_an_entry_is_the_services() -> None:
    """The user guide's formula: 14 for the time, and the UTF-8 bytes of source, type and detail."""
    entry = {"Source": "é", "DetailType": "ab", "Detail": "\U0001f4c9", "EventBusName": "b" * 99, "Time": NOW}
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
        requested_at=NOW,
    )
    assert 40_000 < entry_size(encode(largest, SOURCE, "b")) < SIZE_LIMIT / 2


def test_a_trigger_over_the_limit_is_named_and_not_sent(service: EventBridgeStandIn, pauses: list[float]) -> None:
    """A trigger that cannot fit is refused without a call for it; the others arrive."""
    with pytest.raises(
        BusError, match=r"^retraining did not take 1 trigger\(s\): t-2: TooLarge: \d+ bytes, not below 500$"
    ):
        adapter(pauses, size_limit=500).publish([trigger(1), trigger(2, reason="x" * 500), trigger(3)])
    assert arrived(service) == ["t-1", "t-3"]
    assert service.calls["PutEvents"] == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_only_the_entries_that_failed_are_sent_again(
    bus: EventBridgeBus, service: EventBridgeStandIn, pauses: list[float], code: str
) -> None:
    """An entry that the bus was too busy for is sent again, without its neighbours, after a growing pause."""
    service.fail_entry("t-2", code)
    service.fail_entry("t-4", code, code)
    bus.publish([trigger(number) for number in range(1, 6)])
    assert [len(batch) for batch in service.batches] == [5, 2, 1]
    assert arrived(service) == ["t-1", "t-3", "t-5", "t-2", "t-4"]
    assert pauses == [0.1, 0.2]


def test_a_bus_that_stays_busy_is_away(bus: EventBridgeBus, service: EventBridgeStandIn, pauses: list[float]) -> None:
    """After the last attempt the emitter is told to come back: nothing is wrong with the triggers."""
    service.fail_entry("t-2", *["ThrottlingException"] * 3)
    with pytest.raises(UnavailableError, match=r"EventBridge could not take 1 of 2 trigger\(s\): ThrottlingException;"):
        bus.publish([trigger(1), trigger(2)])
    assert service.calls["PutEvents"] == 3
    assert arrived(service) == ["t-1"]
    assert len(pauses) == 2


def test_a_refused_entry_is_named_and_not_sent_again(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """Every code that is not retryable is final for its entry; what the bus was busy for is told along with it."""
    service.fail_entry("t-1", "NotAuthorizedForSourceException")
    service.fail_entry("t-3", *["InternalFailure"] * 3)
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1), trigger(2), trigger(3)])
    assert raised.value.failures == {
        "t-1": "NotAuthorizedForSourceException: ordered by a test",
        "t-3": "InternalFailure: ordered by a test",
    }
    assert arrived(service) == ["t-2"]
    assert [len(batch) for batch in service.batches] == [3, 1, 1]


def test_a_refusal_in_one_call_does_not_stop_the_next(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """The triggers behind a refused one arrive, in its call and in later ones."""
    service.fail_entry("t-0", "MalformedDetail")
    with pytest.raises(BusError, match="t-0: MalformedDetail"):
        bus.publish([trigger(number) for number in range(12)])
    assert len(arrived(service)) == 11


def test_equal_ids_of_two_models_are_two_triggers(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """Entries are told apart by their place and not by their id, which counts per model."""
    service.fail_entry("t-1", "ThrottlingException")
    bus.publish([trigger(1), dataclasses.replace(trigger(1), model_id="fraud")])
    assert sorted(event["detail"]["model_id"] for event in service.events) == ["churn", "fraud"]


@pytest.mark.parametrize("name", ["retrainig", "arn:aws:events:eu-west-3:123456789012:event-bus/retrainig"])
def test_a_bus_that_does_not_exist_is_an_error(service: EventBridgeStandIn, pauses: list[float], name: str) -> None:
    """PutEvents would answer 200 with an event id, so the emitter looks first, and names the bus."""
    with pytest.raises(BusError, match=r"retrainig did not take 2 trigger\(s\): t-1: there is no such event bus; t-2:"):
        adapter(pauses, name).publish([trigger(1), trigger(2)])
    assert service.calls == {"DescribeEventBus": 1}


def test_the_service_itself_would_not_tell(service: EventBridgeStandIn) -> None:
    """The stand-in does what makes the look necessary: a bus that does not exist takes events and loses them."""
    answer = Clients().factory("events")().put_events(Entries=[encode(trigger(), SOURCE, "retrainig")])
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"]
    assert service.events == []


def test_the_bus_is_looked_up_once(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """A warm process asks for the bus before its first events only."""
    bus.publish([trigger(1)])
    bus.publish([trigger(2)])
    assert service.calls == {"DescribeEventBus": 1, "PutEvents": 2}


def test_a_bus_that_was_missing_is_looked_up_again(service: EventBridgeStandIn, pauses: list[float]) -> None:
    """Once the operator has made the bus, a warm process finds it."""
    bus = adapter(pauses, "later")
    with pytest.raises(BusError):
        bus.publish([trigger(1)])
    service.buses = frozenset({"later"})
    bus.publish([trigger(2)])
    assert arrived(service) == ["t-2"]


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_an_emitter_that_may_not_look_is_not_stopped(
    bus: EventBridgeBus, service: EventBridgeStandIn, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    """Without the right to describe the bus, triggers are sent all the same, and the log says so once."""
    service.fail_calls(CallFault(operation="DescribeEventBus", code=code, times=9))
    with caplog.at_level(logging.WARNING, "retrain"):
        bus.publish([trigger(1)])
        bus.publish([trigger(2)])
    assert arrived(service) == ["t-1", "t-2"]
    assert [record.getMessage() for record in caplog.records] == ["bus.unverified"]
    assert service.calls["DescribeEventBus"] == 1


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
    bus: EventBridgeBus, service: EventBridgeStandIn, operation: str, code: str, status: int
) -> None:
    """Whatever time or an operator repairs is no fault of the triggers."""
    service.fail_calls(CallFault(operation=operation, code=code, status=status))
    with pytest.raises(UnavailableError, match=f"EventBridge could not .* bus retraining: {code}: ordered by a test"):
        bus.publish([trigger(1)])
    bus.publish([trigger(1)])
    assert arrived(service) == ["t-1"]


def test_an_emitter_that_may_not_put_is_told_to_come_back(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """A missing right is repaired by the operator, and the same trigger arrives then."""
    service.fail_calls(CallFault(operation="PutEvents", code="AccessDeniedException"))
    with pytest.raises(UnavailableError, match="AccessDeniedException"):
        bus.publish([trigger(1)])
    bus.publish([trigger(1)])
    assert arrived(service) == ["t-1"]


def test_a_call_that_is_refused_names_its_triggers(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """A request that the service finds wrong will not become right: all its triggers are named."""
    service.fail_calls(CallFault(operation="PutEvents", code="ValidationException"))
    with pytest.raises(BusError, match="t-1: ValidationException: ordered by a test; t-2: ValidationException"):
        bus.publish([trigger(1), trigger(2)])
    assert service.calls["PutEvents"] == 1


def test_a_silent_bus_is_given_up(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """Nothing waits longer than the read timeout."""
    service.fail_calls(CallFault(operation="PutEvents", seconds=30))
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=f"ReadTimeoutError: {service.url}"):
        bus.publish([trigger(1)])
    assert time.monotonic() - began < 5


def test_botocore_repeats_a_call_that_fails(service: EventBridgeStandIn, pauses: list[float]) -> None:
    """Whole calls are repeated by botocore, as often as the limits say."""
    service.fail_calls(CallFault(operation="PutEvents", code="InternalFailure", status=500, times=2))
    adapter(pauses, limits=CallLimits(attempts=3)).publish([trigger(1)])
    assert service.calls["PutEvents"] == 3
    assert pauses == []


def test_a_bus_that_cannot_be_reached_is_away(environment: pytest.MonkeyPatch, pauses: list[float]) -> None:
    """A closed port is no answer."""
    with EventBridgeStandIn() as gone:
        url = gone.url
    environment.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(UnavailableError, match=f"EndpointConnectionError: {url}"):
        adapter(pauses).publish([trigger(1)])


def test_the_payload_is_not_in_the_errors(bus: EventBridgeBus, service: EventBridgeStandIn) -> None:
    """Parameters may be confidential: no error quotes them."""
    service.fail_entry("t-1", "MalformedDetail")
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1, parameters={"password": "hunter2"})])
    assert "hunter2" in json.dumps(service.batches)
    assert "hunter2" not in str(raised.value)
