"""The event bus in a SQLite file: durable, at least once, for one process or several."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from functions.local.database import Database
from shared.fields import format_time
from shared.frozen import dataclass
from shared.ports import Clock, RandomId
from shared.trigger import RetrainTrigger

# The event is the last column, so that a search for visible events does not read through large ones. Ids are never
# reused (AUTOINCREMENT), so the id and the attempt identify a delivery permanently.
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS bus_events (id INTEGER PRIMARY KEY AUTOINCREMENT, put_at REAL NOT NULL,"
    " visible_at REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, event TEXT NOT NULL)"
)
_OLDEST: Final = "SELECT id FROM bus_events WHERE visible_at <= ? ORDER BY id LIMIT 1"
_LEASE: Final = (
    f"UPDATE bus_events SET attempts = attempts + 1, visible_at = ? WHERE id = ({_OLDEST})"  # noqa: S608 - a constant
    " RETURNING id, attempts, put_at, event"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event that one worker has leased.

    Attributes:
        number: the id of the event on the bus.
        attempt: how often the event was delivered, including this time; together with `number` it identifies the lease.
        put_at: when the event was put on the bus, UTC.
        event: the event, parsed from JSON.

    """

    number: int
    attempt: int
    put_at: datetime
    event: object = field(repr=False)


class SqliteBus:
    """Carries events in EventBridge's form, in a SQLite file; see `shared.ports.EventBus` for the promise."""

    def __init__(self, path: Path, clock: Clock, new_id: RandomId, source: str = "ml3_platform") -> None:
        """Use the file at *path*, which may also hold the ledger; *source* is the source of all triggers sent."""
        self._database = Database(path, _TABLE)
        self._clock = clock
        self._new_id = new_id
        self._source = source
        self._arrived = threading.Condition()

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Put all *triggers* on the bus, or none of them; when this returns they are on disk.

        Raises:
            UnavailableError: the file is locked for too long, or the disk fails.

        """
        self._put([self._event("retrain_trigger", trigger.to_fields()) for trigger in triggers])

    def request_sweep(self, model_id: str) -> None:
        """Put the event that requests a sweep of *model_id* on the bus; see the port.

        Raises:
            UnavailableError: as in `publish`.

        """
        self._put([self._event("retrain_sweep", {"model_id": model_id})])

    def put(self, event: Mapping[str, object]) -> None:
        """Put any *event* on the bus; the same event put twice is two events.

        Raises:
            UnavailableError: as in `publish`.

        """
        self._put([event])

    def lease(self, now: datetime, lease: timedelta) -> Delivery | None:
        """Take the oldest visible event and hide it from other workers until *now* + *lease*; none if there is none.

        Raises:
            UnavailableError: as in `publish`.

        """
        # Reading first spares an idle worker the write lock, which would block other writers.
        if not self._database.execute("look for an event", _OLDEST, [now.timestamp()]):
            return None
        times = [(now + lease).timestamp(), now.timestamp()]
        rows = self._database.execute("lease an event", _LEASE, times)
        if not rows:
            return None
        number, attempt, put_at, event = rows[0]
        put_at = datetime.fromtimestamp(put_at, UTC)
        return Delivery(number=number, attempt=attempt, put_at=put_at, event=json.loads(event))

    def acknowledge(self, delivery: Delivery) -> bool:
        """Remove the event; False, and nothing happens, if the lease has ended and another worker took the event.

        Raises:
            UnavailableError: as in `publish`; the event may be delivered again.

        """
        statement = "DELETE FROM bus_events WHERE id = ? AND attempts = ? RETURNING id"
        return bool(self._database.execute("acknowledge", statement, [delivery.number, delivery.attempt]))

    def retry_later(self, delivery: Delivery, now: datetime, delay: timedelta) -> bool:
        """Return the event to the bus, to be delivered again from *now* + *delay*; False as in `acknowledge`.

        Raises:
            UnavailableError: as in `publish`; the event is delivered again when the lease ends.

        """
        statement = "UPDATE bus_events SET visible_at = ? WHERE id = ? AND attempts = ? RETURNING id"
        values = [(now + delay).timestamp(), delivery.number, delivery.attempt]
        return bool(self._database.execute("return an event", statement, values))

    def size(self) -> int:
        """Return the number of events that are not acknowledged yet: waiting, delayed or leased.

        Raises:
            UnavailableError: as in `publish`.

        """
        return int(self._database.execute("count events", "SELECT count(*) FROM bus_events")[0][0])

    def wait(self, timeout: float) -> None:
        """Wait until this process puts an event on the bus, at most *timeout* seconds; other processes never end it."""
        with self._arrived:
            self._arrived.wait(timeout)

    def wake(self) -> None:
        """End every `wait` now."""
        with self._arrived:
            self._arrived.notify_all()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._database.close()

    def _put(self, events: Sequence[Mapping[str, object]]) -> None:
        if not events:
            return
        now = self._clock().timestamp()
        # `visible_at` stays 0: a clock that was set back must not hide events that were put before.
        rows = [(now, json.dumps(dict(event))) for event in events]
        self._database.execute_many("store events", "INSERT INTO bus_events (put_at, event) VALUES (?, ?)", rows)
        self.wake()

    def _event(self, kind: str, detail: Mapping[str, object]) -> dict[str, object]:
        return {
            "version": "0",
            "id": self._new_id(),
            "detail-type": kind,
            "source": self._source,
            "time": format_time(self._clock()),
            "detail": detail,
        }
