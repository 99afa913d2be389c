"""The schedule: every tick once, with the time it was scheduled for."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from functions.local.cron import Cron, Schedule
from shared.errors import ConfigError, UnavailableError
from tests.local.given import NOON, HandClock, until


def at(hour: int, minute: int = 0, day: int = 21) -> datetime:
    """Return a time of the day that the tests are about."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", at(12, 1)),
        ("0 * * * *", at(13)),
        ("*/15 * * * *", at(12, 15)),
        ("0 3 * * *", at(3, day=22)),
        ("0 3 * * MON", at(3, day=23)),
        ("30 6,18 * * 1-5", at(6, 30, day=23)),
        (" 0  3  *  *  * ", at(3, day=22)),
    ],
)
def test_the_next_time(expression: str, expected: datetime) -> None:
    """A five-field expression is read as cron reads it, in UTC; its next time is strictly later."""
    assert Schedule(expression).next_after(NOON) == expected


def test_the_latest_time() -> None:
    """The latest time is the last one that is not in the future, that very second included."""
    schedule = Schedule("0 * * * *")
    assert schedule.latest(at(12)) == at(12)
    assert schedule.latest(at(12) + timedelta(microseconds=1)) == at(12)
    assert schedule.latest(at(12) - timedelta(microseconds=1)) == at(11)
    assert schedule.latest(at(12).astimezone(timezone(timedelta(hours=5, minutes=30)))) == at(12)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "'' has 0 fields, not 5: minute hour day month weekday"),
        ("@daily", "'@daily' has 1 fields, not 5"),
        ("0 3 * *", "'0 3 * *' has 4 fields, not 5"),
        ("0 0 3 * * *", "'0 0 3 * * *' has 6 fields, not 5"),
        ("61 * * * *", "'61 * * * *': Bad minute"),
        ("* * * * MOON", "'* * * * MOON': Bad day-of-week"),
        ("0 0 31 2 *", "'0 0 31 2 *': Bad day-of-month"),
        ("*/0 * * * *", "'*/0 * * * *': Bad minute"),
    ],
)
def test_a_wrong_expression(expression: str, problem: str) -> None:
    """A wrong expression is a configuration error that quotes it and says what is wrong."""
    with pytest.raises(ConfigError) as caught:
        Schedule(expression)
    assert str(caught.value).startswith(f"cron expression: 1 problem\n  {problem}")


def a_cron(file: Path, clock: Callable[[], datetime], ticks: list[datetime], expression: str = "0 * * * *") -> Cron:
    """Return a schedule that is not started."""
    return Cron(expression, clock, tick=ticks.append, memory=file)


def one_step(cron: Cron) -> None:
    """Start, look once and stop again."""
    cron.step()
    cron.stop()


def test_each_tick_once(file: Path, clock: HandClock) -> None:
    """A tick is called for once, late or not, with its scheduled time; between ticks nothing happens."""
    ticks: list[datetime] = []
    cron = a_cron(file, clock, ticks)
    for minutes in (0, 10, 49, 2, 1, 58, 1):
        clock.pass_by(minutes * 60)
        cron.step()
    assert ticks == [at(13), at(14)]
    cron.stop()


def test_the_first_start_catches_nothing_up(file: Path, clock: HandClock) -> None:
    """The first start ever does not call for the tick that was due before it, not even for one due this very second."""
    ticks: list[datetime] = []
    cron = a_cron(file, clock, ticks)
    cron.step()
    clock.pass_by(3599)
    cron.step()
    assert ticks == []
    cron.stop()


def test_a_restart_catches_up_the_latest_tick_only(file: Path, clock: HandClock) -> None:
    """After a restart the latest tick that came due meanwhile is called for, once; the older ones are not."""
    ticks: list[datetime] = []
    for hours in (0, 0.5, 3, 0.1):
        clock.pass_by(hours * 3600)
        one_step(a_cron(file, clock, ticks))
    assert ticks == [at(15)]


def test_a_restart_repeats_no_tick(file: Path, clock: HandClock) -> None:
    """A restart in the minute of a tick does not call for it again."""
    ticks: list[datetime] = []
    one_step(a_cron(file, clock, ticks))
    clock.pass_by(3600)
    for _ in range(3):
        one_step(a_cron(file, clock, ticks))
        clock.pass_by(5)
    assert ticks == [at(13)]


def test_a_crash_in_a_tick_repeats_it(file: Path, clock: HandClock) -> None:
    """A tick that failed is called for again with the same time: after it succeeded it is not."""
    times: list[datetime] = []

    def tick(scheduled: datetime) -> None:
        times.append(scheduled)
        if len(times) == 1:
            raise UnavailableError("The bus", "take events")

    cron = Cron("0 * * * *", clock, tick=tick, memory=file)
    cron.step()
    clock.pass_by(3600)
    with pytest.raises(UnavailableError):
        cron.step()
    clock.pass_by(1)
    cron.step()
    cron.step()
    assert times == [at(13), at(13)]
    cron.stop()


def test_a_changed_schedule_begins_now(file: Path, clock: HandClock) -> None:
    """A schedule that was changed while the server was down calls for none of its times before."""
    ticks: list[datetime] = []
    one_step(a_cron(file, clock, ticks, "0 0 * * *"))
    clock.pass_by(3 * 3600)
    changed = a_cron(file, clock, ticks, "0 * * * *")
    changed.step()
    assert ticks == []
    clock.pass_by(3600)
    changed.step()
    assert ticks == [at(16)]
    changed.stop()


def test_two_schedules_in_one_file(file: Path, clock: HandClock) -> None:
    """Schedules with different names do not know of each other's ticks."""
    ticks: list[datetime] = []
    crons = [Cron("0 * * * *", clock, tick=ticks.append, memory=file, name=name) for name in ("schedule", "sweep")]
    for _ in range(2):
        for cron in crons:
            cron.step()
        clock.pass_by(3600)
    assert ticks == [at(13), at(13)]
    for cron in crons:
        cron.stop()


def test_a_clock_that_was_set_back_repeats_no_tick(file: Path, clock: HandClock) -> None:
    """A time that comes twice because the clock was set back is called for once."""
    ticks: list[datetime] = []
    cron = a_cron(file, clock, ticks)
    for minutes in (0, 60, -30, 45, 50):
        clock.pass_by(minutes * 60)
        cron.step()
    assert ticks == [at(13), at(14)]
    cron.stop()


def test_a_clock_that_was_far_ahead_does_not_silence_the_schedule(file: Path, clock: HandClock) -> None:
    """After a wrong clock was corrected by a year the schedule goes on from then."""
    ticks: list[datetime] = []
    cron = a_cron(file, clock, ticks, "0 0 * * *")
    for days in (0, 365, -365, 1):
        clock.pass_by(days * 86400)
        cron.step()
    assert [tick.date().isoformat() for tick in ticks] == ["2027-11-21", "2026-11-22"]
    cron.stop()


def test_the_pause_ends_with_the_next_tick(file: Path, clock: HandClock) -> None:
    """Nothing is looked at more often than every 5 seconds, and nothing later than the next tick."""
    cron = a_cron(file, clock, [])
    assert cron.step() == timedelta(seconds=5)
    clock.pass_by(3598.5)
    assert cron.step() == timedelta(seconds=1.5)
    cron.stop()


def test_the_thread_ticks_with_the_scheduled_time(file: Path) -> None:
    """A running schedule calls for a tick when its time comes, with the scheduled time, and again after a failure."""
    began = time.monotonic()

    def clock() -> datetime:
        return NOON - timedelta(seconds=0.3) + timedelta(seconds=time.monotonic() - began)

    ticks: list[datetime] = []
    called: list[datetime] = []

    def tick(scheduled: datetime) -> None:
        called.append(clock())
        if len(called) == 1:
            raise ZeroDivisionError
        ticks.append(scheduled)

    cron = Cron("* * * * *", clock, tick=tick, memory=file)
    cron.start()
    until(lambda: ticks)
    assert cron.stop()
    assert ticks == [NOON]
    assert NOON <= called[0] < NOON + timedelta(seconds=5)
    assert len(called) == 2
