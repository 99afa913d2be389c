"""The schedule: five-field cron in UTC, whose ticks carry the time they were scheduled for."""

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
# The clock may be set, and a laptop may sleep: so often is looked whether a tick is due after all.
LONGEST_WAIT: Final = timedelta(seconds=5)
# A clock that is corrected by less repeats no tick; one that was wrong by more must not silence the schedule until
# the wrong time has come.
LARGEST_STEP_BACK: Final = timedelta(hours=1)
# Between the attempts of a tick that failed. One schedule a process: there is nobody to keep apart by chance.
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
            ConfigError: it is no cron expression, or its time never comes.

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
            raise CronSimError("its time does not come within 50 years")
        return found

    def latest(self, moment: datetime) -> datetime | None:
        """Return the last time of the schedule that is not after *moment*; none in the 50 years before."""
        # The search begins before the second that it is given.
        second = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        return next(CronSim(self.expression, second, reverse=True), None)


class Cron:
    """Calls for a tick at every time of a schedule, at least once; of several that are due only the latest.

    The last tick is kept in a SQLite file, so that a restart neither loses the tick that came due meanwhile nor asks
    for an old one again. A schedule that is new, or changed, begins now.
    """

    def __init__(
        self, expression: str, clock: Clock, *, tick: Callable[[datetime], object], memory: Path, name: str = "schedule"
    ) -> None:
        """Call *tick* with the scheduled time.

        Args:
            expression: five fields, UTC.
            clock: tells the time.
            tick: what to do; whatever it raises brings it the same time again.
            memory: the SQLite file, which may hold the ledger too.
            name: tells this schedule from others in the same file.

        Raises:
            ConfigError: the expression is wrong.

        """
        self.schedule = Schedule(expression)
        self._clock = clock
        self._tick = tick
        self._name = name
        self._database = Database(memory, _TABLE)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread that ticks."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=f"cron-{self._name}", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Tick no more; False when a tick is still busy after *timeout* seconds."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        self._database.close()
        return True

    def step(self) -> timedelta:
        """Tick if a tick is due, and return how long nothing else can be due.

        Raises:
            UnavailableError: the file is away.

        """
        now = self._clock()
        due = self.schedule.latest(now)
        if due is not None and due > self._last(now):
            self._tick(due)
            self._remember(due)
        # A tick may take its time: the wait counts from its end.
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
                # A thread that ends would end the schedule without anybody noticing.
                failures += 1
                log.exception("cron.failed", extra={"cron": self._name})
                pause = timedelta(seconds=BACKOFF.wait(failures))
            self._stopping.wait(pause.total_seconds())

    def _last(self, now: datetime) -> datetime:
        statement = "SELECT last FROM cron_ticks WHERE name = ? AND expression = ?"
        rows = self._database.execute("recall the last tick", statement, [self._name, self.schedule.expression])
        last = parse_time(rows[0][0]) if rows else None
        if last is not None and last - now <= LARGEST_STEP_BACK:
            return last
        self._remember(now)
        return now

    def _remember(self, moment: datetime) -> None:
        values = [self._name, self.schedule.expression, format_time(moment)]
        self._database.execute("remember a tick", _REMEMBER, values)
