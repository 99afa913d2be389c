"""An event bus carries triggers whole, however many there are."""

import pytest

from shared.errors import UnavailableError
from shared.trigger import RetrainTrigger
from shared.wire.incoming import SweepRequest, TriggerEvent
from tests.contracts.ports import Ports
from tests.contracts.triggers import NOON, a_trigger

FULL = a_trigger(
    "t/ü 1",
    model_id="any-\U0001f4c9",
    origin="drift",
    reason='Qualität \U0001f4c9 "fällt"\n\\ <&>',
    severity="high",
    parameters={"epochs": 8, "rate": 0.1, "full": True, "off": False, "zero": 0, "name": "ü", "big": 2**62},
    requested_by="monitor",
    evidence={"report_url": "https://example.com/?a=b&c=d", "nested": [1, None, {"a": 0.5}]},
    force=True,
)


def sent(ports: Ports) -> list[RetrainTrigger]:
    """Return the triggers that arrived, read as a receiver reads them."""
    incoming = [ports.decode(event) for event in ports.arrived()]
    assert all(isinstance(each, TriggerEvent) for each in incoming)
    return [
        RetrainTrigger.parse(each.fields, trigger_id="none", origin="event", requested_at=NOON)
        for each in incoming
        if isinstance(each, TriggerEvent)
    ]


def test_nothing_to_send_makes_no_call(ports: Ports) -> None:
    """An empty list sends no request to any service."""
    ports.bus.publish([])
    assert ports.traffic() == []
    assert ports.arrived() == []


@pytest.mark.parametrize("trigger", [a_trigger(), FULL], ids=["smallest", "full"])
def test_a_trigger_arrives_as_it_was_sent(ports: Ports, trigger: RetrainTrigger) -> None:
    """Every field, of whatever type and characters, comes out as it went in."""
    ports.bus.publish([trigger])
    assert sent(ports) == [trigger]


def test_any_number_of_triggers_arrives(ports: Ports) -> None:
    """Twenty-five triggers, more than any service takes in one call, arrive once each."""
    ports.bus.publish([a_trigger(f"t-{number}") for number in range(25)])
    assert sorted(trigger.trigger_id for trigger in sent(ports)) == sorted(f"t-{number}" for number in range(25))


def test_the_largest_triggers_arrive(ports: Ports) -> None:
    """Triggers with as much in them as the fields allow arrive together."""
    text = "ü" * 512
    large = [
        a_trigger(f"t-{number}", reason=text, requested_by=text, evidence={"text": "x" * 16_000})
        for number in range(12)
    ]
    ports.bus.publish(large)
    assert sorted(sent(ports), key=lambda trigger: trigger.trigger_id) == sorted(large, key=lambda t: t.trigger_id)


def test_the_same_trigger_may_be_sent_again(ports: Ports) -> None:
    """The bus does not judge: who sends twice after a lost answer is protected by the receiver, not by the bus."""
    ports.bus.publish([a_trigger()])
    ports.bus.publish([a_trigger()])
    assert sent(ports) == [a_trigger(), a_trigger()]


def test_a_requested_sweep_arrives_and_names_its_model(ports: Ports) -> None:
    """It is delivered like a trigger, as a request for that model and nothing else."""
    ports.bus.request_sweep(FULL.model_id)
    assert [ports.decode(event) for event in ports.arrived()] == [SweepRequest(model_id=FULL.model_id)]


def test_a_bus_that_is_away_says_so(ports: Ports) -> None:
    """While the bus cannot be reached sending is unavailable, and what is sent again afterwards arrives."""
    with ports.bus_away():
        with pytest.raises(UnavailableError, match=r"; try again$"):
            ports.bus.publish([a_trigger()])
        with pytest.raises(UnavailableError, match=r"; try again$"):
            ports.bus.request_sweep("churn")
    ports.bus.publish([a_trigger()])
    assert sent(ports) == [a_trigger()]
