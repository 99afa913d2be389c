"""The schedule: five-field cron in UTC; each tick carries the time that it was scheduled for."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cronsim import CronSim, CronSimError

from functions.local.database import Database
from shared.backoff import Backoff
from shared.errors import ConfigError, RetrainError
from shared.fields import format_time, parse_time
from shared.ports import Clock

FIELDS: Final = 5
# The clock may be changed, and a laptop may sleep: the schedule is checked at least this often.
LONGEST_WAIT: Final = timedelta(seconds=5)
# A clock that is set back by less does not repeat a tick. One that was wrong by more must not stop the schedule until
# the wrong time is reached.
LARGEST_STEP_BACK: Final = timedelta(hours=1)
# Between the attempts of a tick that failed. A process has one schedule, so there are no callers to spread out.
BACKOFF: Final = Backoff(base=1.0, chance=lambda: 1.0)

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS cron_ticks"
    " (name TEXT PRIMARY KEY, expression TEXT NOT NULL, last TEXT NOT NULL) WITHOUT ROWID"
)
_REMEMBER: Final = (
    "INSERT INTO cron_ticks VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET expression = excluded.expression, last = excluded.last"
)

log = logging.getLogger("retrain")


class Schedule:
    """A cron expression in UTC: minute, hour, day of the month, month, day of the week; `*`, lists, ranges, steps."""

    def __init__(self, expression: str) -> None:
        """Read *expression*.

        Raises:
            ConfigError: it is not a valid cron expression, or has no time in the next 50 years.

        """
        self.expression = " ".join(expression.split())
        fields = len(expression.split())
        if fields != FIELDS:
            problem = f"{expression!r} has {fields} fields, not {FIELDS}: minute hour day month weekday"
            raise ConfigError("cron expression", [problem])
        try:
            self.next_after(datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ConfigError("cron expression", [f"{expression!r}: {error}"]) from error

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time of the schedule after *moment*."""
        found = next(CronSim(self.expression, moment.astimezone(UTC)), None)
        if found is None:
            raise CronSimError("it has no time within 50 years")
        return found

    def latest(self, moment: datetime) -> datetime | None:
        """Return the last time of the schedule that is not after *moment*; none if it is more than 50 years ago."""
        # CronSim searches before the second that it is given, not including it.
        second = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        return next(CronSim(self.expression, second, reverse=True), None)


class Cron:
    """Ticks at every time of a schedule, at least once; if several ticks are due, only the latest one is made.

    The last tick is kept in a SQLite file, so that a restart neither loses a tick that came due in the meantime nor
    repeats an old one. A schedule that is new or was changed begins now.
    """

    def __init__(
        self, expression: str, clock: Clock, *, tick: Callable[[datetime], object], memory: Path, name: str = "schedule"
    ) -> None:
        """Call *tick* with the scheduled time.

        Args:
            expression: five fields, UTC.
            clock: returns the time, UTC.
            tick: makes the tick; after any error it is called again with the same time.
            memory: the SQLite file, which may also hold the ledger.
            name: distinguishes this schedule from others in the same file.

        Raises:
            ConfigError: the expression is not valid.

        """
        self.schedule = Schedule(expression)
        self._clock = clock
        self._tick = tick
        self._name = name
        self._database = Database(memory, _TABLE)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that makes the ticks."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"cron-{self._name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Stop ticking; False if a tick is still running after *timeout* seconds."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        self._database.close()
        return True

    def step(self) -> timedelta:
        """Tick if a tick is due, and return how long to wait for the next check.

        Raises:
            UnavailableError: the file is not available.

        """
        now = self._clock()
        due = self.schedule.latest(now)
        if due is not None and due > self._last(now):
            self._tick(due)
            self._remember(due)
        # A tick may take long: the wait counts from its end.
        return min(self.schedule.next_after(now) - self._clock(), LONGEST_WAIT)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                pause = self.step()
                failures = 0
            except RetrainError as error:
                failures += 1
                log.warning("cron.again", extra={"cron": self._name, "error": str(error)})
                pause = timedelta(seconds=BACKOFF.wait(failures))
            except Exception:
                # A thread that ended would stop the schedule silently.
                failures += 1
                log.exception("cron.failed", extra={"cron": self._name})
                pause = timedelta(seconds=BACKOFF.wait(failures))
            self._stopping.wait(pause.total_seconds())

    def _last(self, now: datetime) -> datetime:
        statement = "SELECT last FROM cron_ticks WHERE name = ? AND expression = ?"
        rows = self._database.execute("read the last tick", statement, [self._name, self.schedule.expression])
        last = parse_time(rows[0][0]) if rows else None
        if last is not None and last - now <= LARGEST_STEP_BACK:
            return last
        self._remember(now)
        return now

    def _remember(self, moment: datetime) -> None:
        values = [self._name, self.schedule.expression, format_time(moment)]
        self._database.execute("save a tick", _REMEMBER, values)
