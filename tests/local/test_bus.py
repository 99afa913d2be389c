"""The event bus in SQLite: at least once, one holder at a time, nothing lost."""

import json
import secrets
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from functions.local.bus import Delivery, SqliteBus
from functions.local.events import decode
from shared.errors import UnavailableError
from shared.wire.incoming import TriggerEvent
from tests.local.given import NOON, HandClock, a_trigger, outputs, program, real_clock, until

LEASE = timedelta(seconds=60)


def taken(bus: SqliteBus, clock: HandClock) -> Delivery:
    """Take an event that must be there."""
    delivery = bus.lease(clock.now, LEASE)
    assert delivery is not None
    return delivery


def test_an_empty_bus(bus: SqliteBus, clock: HandClock) -> None:
    """An empty bus has nothing to take, and publishing nothing puts nothing on it."""
    bus.publish([])
    assert bus.lease(clock.now, LEASE) is None
    assert bus.size() == 0


def test_a_trigger_arrives_in_the_accepted_form(bus: SqliteBus, clock: HandClock) -> None:
    """A published trigger is read by the codec of EventBridge as the trigger that it was."""
    bus.publish([a_trigger("t-7")])
    incoming = decode(taken(bus, clock).event, "ml3_platform")
    assert isinstance(incoming, TriggerEvent)
    assert dict(incoming.fields) == a_trigger("t-7").to_fields()
    assert incoming.sent_at == NOON


def test_the_source_is_a_setting(file: Path, clock: HandClock) -> None:
    """Triggers are sent as from the source that the bus was given, each event with an id of its own."""
    ids = iter(["id-1", "id-2"])
    bus = SqliteBus(file, clock, lambda: next(ids), source="elsewhere")
    bus.publish([a_trigger("t-1"), a_trigger("t-2")])
    events = [taken(bus, clock).event for _ in range(2)]
    assert [(event["source"], event["id"]) for event in events if isinstance(event, dict)] == [
        ("elsewhere", "id-1"),
        ("elsewhere", "id-2"),
    ]
    bus.close()


def test_the_oldest_comes_first(bus: SqliteBus, clock: HandClock) -> None:
    """Events come in the order in which they were put, each to one holder."""
    for number in range(3):
        bus.put({"number": number})
    assert [taken(bus, clock).event for _ in range(3)] == [{"number": number} for number in range(3)]
    assert bus.lease(clock.now, LEASE) is None


def test_an_acknowledged_event_is_gone(bus: SqliteBus, clock: HandClock) -> None:
    """An acknowledged event never comes again; acknowledging it twice does nothing."""
    bus.put({})
    delivery = taken(bus, clock)
    assert bus.acknowledge(delivery)
    assert not bus.acknowledge(delivery)
    clock.pass_by(3600)
    assert bus.lease(clock.now, LEASE) is None
    assert bus.size() == 0


def test_an_expired_lease_brings_the_event_again(bus: SqliteBus, clock: HandClock) -> None:
    """An event that was not acknowledged is hidden until its lease ends; then it comes again and is counted."""
    bus.put({"a": 1})
    assert taken(bus, clock).attempt == 1
    clock.pass_by(59.999)
    assert bus.lease(clock.now, LEASE) is None
    clock.pass_by(0.001)
    again = taken(bus, clock)
    assert (again.attempt, again.event, again.put_at) == (2, {"a": 1}, NOON)


def test_a_late_acknowledgement_takes_nothing_from_the_next_holder(bus: SqliteBus, clock: HandClock) -> None:
    """A worker that lost the lease can neither remove the event nor return it while another worker has it."""
    bus.put({})
    late = taken(bus, clock)
    clock.pass_by(60)
    holder = taken(bus, clock)
    assert not bus.acknowledge(late)
    assert not bus.retry_later(late, clock.now, timedelta())
    assert bus.lease(clock.now, LEASE) is None
    assert bus.acknowledge(holder)
    assert bus.size() == 0


def test_a_place_is_never_used_again(bus: SqliteBus, clock: HandClock) -> None:
    """An acknowledgement that comes after the event is gone does not hit the event that was put next."""
    bus.put({"number": 1})
    first = taken(bus, clock)
    bus.acknowledge(first)
    bus.put({"number": 2})
    second = taken(bus, clock)
    assert not bus.acknowledge(first)
    assert bus.acknowledge(second)


def test_an_event_given_back_comes_later(bus: SqliteBus, clock: HandClock) -> None:
    """An event that was given back comes after its delay, and lets younger ones pass until then."""
    bus.put({"number": 1})
    bus.put({"number": 2})
    assert bus.retry_later(taken(bus, clock), clock.now, timedelta(seconds=8))
    assert taken(bus, clock).event == {"number": 2}
    clock.pass_by(7.999)
    assert bus.lease(clock.now, LEASE) is None
    clock.pass_by(0.001)
    again = taken(bus, clock)
    assert (again.event, again.attempt) == ({"number": 1}, 2)


def test_a_clock_that_was_set_back_hides_nothing(bus: SqliteBus, clock: HandClock) -> None:
    """An event that was put before the clock was set back can be taken immediately."""
    bus.put({})
    clock.pass_by(-86400)
    assert bus.lease(clock.now, LEASE) is not None


def test_any_json_passes(bus: SqliteBus, clock: HandClock) -> None:
    """An event comes as it was put, lone surrogates, large numbers and a megabyte included."""
    event = {"a": [None, True, 1.5, 2**70, "\ud800 ä \u0000"], "large": "x" * 2**20}
    bus.put(event)
    assert taken(bus, clock).event == event


def test_all_or_none(bus: SqliteBus, file: Path, tmp_path: Path) -> None:
    """Triggers are published together; a bus that is away takes none and says so."""
    bus.publish([a_trigger(f"t-{number}") for number in range(500)])
    assert bus.size() == 500
    away = SqliteBus(tmp_path, real_clock, lambda: "id")
    with pytest.raises(UnavailableError, match="could not store events"):
        away.publish([a_trigger()])
    assert file.is_file()


def test_a_full_disk(file: Path) -> None:
    """A bus whose disk is full takes none of the triggers and says so; it goes on as soon as there is room."""
    error, before, after = outputs([program("fill_the_disk", file)])[0].splitlines()
    assert error.startswith("SQLite (retrain.sqlite) could not store events: ")
    assert (before, after) == ("1", "2")


def test_putting_wakes_a_waiting_worker(bus: SqliteBus) -> None:
    """A wait ends when this process puts an event, long before its timeout."""
    threading.Timer(0.1, lambda: bus.put({})).start()
    began = time.monotonic()
    bus.wait(30)
    assert time.monotonic() - began < 5


def test_processes_share_the_events(bus: SqliteBus, file: Path) -> None:
    """Of four processes that take 200 events each event has one holder."""
    for number in range(200):
        bus.put({"number": number})
    texts = outputs([program("take_all", file) for _ in range(4)])
    numbers = [json.loads(line)["number"] for text in texts for line in text.splitlines()]
    assert sorted(numbers) == list(range(200))
    assert bus.size() == 0


def test_a_killed_holder_loses_no_event(bus: SqliteBus, file: Path) -> None:
    """The event of a process that was killed with it in hand comes to the next one when the lease is over."""
    bus.put({"a": 1})
    holder = program("take_one_and_hang", file, 0.5)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "1\n"
    holder.kill()
    holder.communicate()
    found: list[Delivery] = []
    until(lambda: found.append(delivery) if (delivery := bus.lease(real_clock(), LEASE)) else found)
    assert (found[0].event, found[0].attempt) == ({"a": 1}, 2)


def test_a_killed_sender_loses_no_event_that_was_taken(file: Path) -> None:
    """After a kill -9 in the middle of putting, every event that the bus took is there, in order."""
    sender = program("put_for_ever", file)
    assert sender.stdout is not None
    for line in sender.stdout:
        if int(line) == 200:
            sender.send_signal(signal.SIGKILL)
            break
    # Not by `communicate`, which would not see what the loop has read ahead.
    last = max([200, *(int(line) for line in sender.stdout.read().splitlines() if line.strip())])
    sender.communicate()
    bus = SqliteBus(file, real_clock, lambda: secrets.token_hex(8))
    numbers = []
    while (delivery := bus.lease(real_clock(), LEASE)) is not None:
        numbers.append(delivery.event)
    assert numbers[: last + 1] == [{"number": number} for number in range(last + 1)]
    assert len(numbers) <= last + 2
    bus.close()
