"""The consumer: an event leaves the bus only when it was dealt with, or kept for a person."""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.local.bus import SqliteBus
from functions.local.consumer import Consumer, Delivering
from functions.local.dead_letters import FolderDeadLetters
from shared.backoff import Backoff
from shared.errors import (
    BusError,
    ConfigError,
    ContentionError,
    InvalidTriggerError,
    LaunchInProgressError,
    RetrainError,
    TargetRefusedError,
    UnavailableError,
    UnknownModelError,
    UnreadableEventError,
)
from shared.ports import DeadLetter, DeadLetters
from tests.local.given import NOON, Box, HandClock, real_clock


def failing(*errors: Exception | None) -> tuple[Callable[[object], None], list[object]]:
    """Return a handler that raises *errors* one after the other, none for success, and the events that it got."""
    events: list[object] = []

    def handle(event: object) -> None:
        events.append(event)
        error = errors[min(len(events), len(errors)) - 1]
        if error is not None:
            raise error

    return handle, events


def a_consumer(
    bus: SqliteBus, handle: Callable[[object], object], letters: DeadLetters, clock: HandClock, **settings: Any
) -> Consumer:
    """Return a consumer that is not started."""
    return Consumer(
        bus, handle, letters, clock, backoff=Backoff(base=1.0, chance=lambda: 1.0), settings=Delivering(**settings)
    )


def test_a_handled_event_is_gone(bus: SqliteBus, box: Box, clock: HandClock) -> None:
    """An event whose handler returns is acknowledged; an empty bus is nothing to do."""
    handle, events = failing(None)
    consumer = a_consumer(bus, handle, box, clock)
    bus.put({"a": 1})
    assert consumer.step()
    assert not consumer.step()
    assert (events, bus.size(), box.letters) == ([{"a": 1}], 0, [])


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("DynamoDB", "save"),
        LaunchInProgressError("busy"),
        ContentionError("busy"),
        ZeroDivisionError("unexpected"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_succeed_later_comes_again(bus: SqliteBus, box: Box, clock: HandClock, error: Exception) -> None:
    """After a transient or an unexpected error the event comes again after 1, 2, 4... seconds."""
    handle, events = failing(error, error, error, None)
    consumer = a_consumer(bus, handle, box, clock)
    bus.put({"a": 1})
    for seconds in (1, 2, 4):
        assert consumer.step()
        assert bus.size() == 1
        clock.pass_by(seconds - 0.001)
        assert not consumer.step()
        clock.pass_by(0.001)
    assert consumer.step()
    assert (len(events), bus.size(), box.letters) == (4, 0, [])


@pytest.mark.parametrize(
    "error",
    [
        UnreadableEventError("no JSON"),
        InvalidTriggerError("severity", "must be high"),
        UnknownModelError("model_id: unknown"),
        TargetRefusedError("no such pipeline"),
        ConfigError("retrain.toml", ["models: empty"]),
        BusError("bus", {"t-1": "too large"}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_cannot_succeed_is_a_dead_letter(bus: SqliteBus, box: Box, clock: HandClock, error: RetrainError) -> None:
    """An error that trying again cannot cure puts the event to the dead letters immediately, with the reason."""
    handle, events = failing(error)
    consumer = a_consumer(bus, handle, box, clock)
    bus.put({"a": 1})
    assert consumer.step()
    assert (len(events), bus.size()) == (1, 0)
    assert box.letters == [DeadLetter(at=NOON, cloud="local", reason="rejected", error=str(error), event={"a": 1})]


def test_an_attempt_too_many_is_a_dead_letter(bus: SqliteBus, box: Box, clock: HandClock) -> None:
    """After so many attempts the event is given up, with the last error and the number."""
    handle, events = failing(UnavailableError("The ledger", "load a model"))
    consumer = a_consumer(bus, handle, box, clock, max_attempts=3)
    bus.put({"a": 1})
    for _ in range(5):
        consumer.step()
        clock.pass_by(60)
    assert (len(events), bus.size()) == (3, 0)
    assert [(letter.reason, letter.error, letter.event) for letter in box.letters] == [
        ("undeliverable", "after 3 attempts: UnavailableError: The ledger could not load a model; try again", {"a": 1})
    ]


def test_as_many_attempts_as_eventbridge(bus: SqliteBus, box: Box, clock: HandClock) -> None:
    """Without a setting an event is tried 185 times."""
    handle, events = failing(OSError())
    consumer = a_consumer(bus, handle, box, clock)
    logging.getLogger("retrain").setLevel(logging.CRITICAL)
    bus.put({})
    while bus.size():
        consumer.step()
        clock.pass_by(60)
    logging.getLogger("retrain").setLevel(logging.NOTSET)
    assert len(events) == 185
    assert [letter.error for letter in box.letters] == ["after 185 attempts: OSError"]


def test_an_event_that_kills_its_worker_is_a_dead_letter(bus: SqliteBus, box: Box, clock: HandClock) -> None:
    """An event none of whose attempts ended becomes a dead letter without another one."""
    handle, events = failing(None)
    consumer = a_consumer(bus, handle, box, clock, max_attempts=2)
    bus.put({"a": 1})
    for _ in range(2):
        assert bus.lease(clock.now, timedelta(seconds=1)) is not None
        clock.pass_by(1)
    assert consumer.step()
    assert (events, bus.size()) == ([], 0)
    assert [(letter.reason, letter.error) for letter in box.letters] == [("undeliverable", "no answer in 2 attempts")]


def test_dead_letters_that_are_away(bus: SqliteBus, clock: HandClock, tmp_path: Path) -> None:
    """While the dead letters are away the event stays on the bus; when they are back it is kept, and only then gone."""
    place = tmp_path / "letters"
    place.write_text("a file where the folder should be")
    handle, _ = failing(UnreadableEventError("no JSON"))
    consumer = a_consumer(bus, handle, FolderDeadLetters(place, lambda: "id"), clock)
    bus.put({"a": 1})
    assert consumer.step()
    assert bus.size() == 1
    place.unlink()
    clock.pass_by(1)
    assert consumer.step()
    assert bus.size() == 0
    assert [json.loads(path.read_text())["event"] for path in place.iterdir()] == [{"a": 1}]


def test_a_slow_handler_cannot_take_the_event_from_the_next(bus: SqliteBus, box: Box, clock: HandClock) -> None:
    """A handler that returns after its lease is over leaves the event to its new holder."""

    def slow(_: object) -> None:
        clock.pass_by(60)
        assert bus.lease(clock.now, timedelta(seconds=60)) is not None

    bus.put({})
    assert a_consumer(bus, slow, box, clock).step()
    assert bus.size() == 1


def test_an_unexpected_error_is_logged_without_the_event(
    bus: SqliteBus, box: Box, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected error is logged with its type and place; the event is not."""
    handle, _ = failing(ZeroDivisionError())
    bus.put({"secret": "a payload"})
    a_consumer(bus, handle, box, clock).step()
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.message, vars(record)["error"]) == ("consumer.unexpected", "ZeroDivisionError")
    assert record.exc_info
    assert "a payload" not in caplog.text


def a_running_consumer(bus: SqliteBus, handle: Callable[[object], object], box: Box) -> Consumer:
    """Run a consumer until the test is over."""
    consumer = Consumer(
        bus, handle, box, real_clock, backoff=Backoff(base=1.0, chance=lambda: 0.5), settings=Delivering()
    )
    consumer.start()
    return consumer


def test_workers_drain_the_bus(bus: SqliteBus, box: Box) -> None:
    """Workers deal with every event, several at a time; drain waits for the last one, also for one that fails once."""
    done: list[object] = []
    most = threading.Barrier(4)

    def handle(event: object) -> None:
        # Passes only when four are here: four are handled at the same time.
        most.wait(10)
        done.append(event)

    for number in range(8):
        bus.put({"number": number})
    consumer = a_running_consumer(bus, handle, box)
    assert consumer.drain(10)
    assert consumer.stop()
    assert sorted(str(event) for event in done) == [str({"number": number}) for number in range(8)]
    once, events = failing(UnavailableError("The ledger", "load"), None)
    consumer = a_running_consumer(bus, once, box)
    bus.put({})
    assert not consumer.drain(0.1)
    assert consumer.drain(10)
    assert len(events) == 2
    assert consumer.stop()


def test_an_idle_worker_notices_immediately(bus: SqliteBus, box: Box, file: Path) -> None:
    """An idle worker takes an event of its own process immediately, and one of another process soon after."""
    arrived = threading.Event()
    consumer = a_running_consumer(bus, lambda _: arrived.set(), box)
    other = SqliteBus(file, real_clock, lambda: "id")
    for sender in (bus, other):
        time.sleep(0.2)
        arrived.clear()
        sender.put({})
        assert arrived.wait(2)
    assert consumer.stop()
    other.close()


def test_stopping_waits_for_what_is_in_hand(bus: SqliteBus, box: Box) -> None:
    """A stopped consumer finishes the event in hand and takes no more; a busy one is reported as busy."""
    begun, go_on = threading.Event(), threading.Event()

    def handle(_: object) -> None:
        begun.set()
        assert go_on.wait(10)

    consumer = Consumer(
        bus, handle, box, real_clock, backoff=Backoff(base=1.0, chance=lambda: 0.5), settings=Delivering(workers=1)
    )
    consumer.start()
    bus.put({})
    bus.put({})
    assert begun.wait(5)
    assert not consumer.stop(0.1)
    go_on.set()
    assert consumer.stop()
    assert bus.size() == 1


def test_a_worker_outlives_a_bus_that_is_away(tmp_path: Path, box: Box) -> None:
    """Workers go on as soon as the bus is back."""
    place = tmp_path / "state"
    place.write_text("a file where the folder should be")
    bus = SqliteBus(place / "bus.sqlite", real_clock, lambda: "id")
    handle, events = failing(None)
    consumer = a_running_consumer(bus, handle, box)
    time.sleep(0.2)
    place.unlink()
    bus.put({"a": 1})
    assert consumer.drain(10)
    assert consumer.stop()
    assert events == [{"a": 1}]
    bus.close()
