"""The workers that take events off the bus and deliver each to a handler until it is handled."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from functions.local.bus import Delivery, SqliteBus
from shared.backoff import Backoff
from shared.errors import RetrainError, UnavailableError
from shared.frozen import dataclass
from shared.ports import Clock, DeadLetter, DeadLetters

# How late an event of another process is noticed; an event of this process wakes a worker immediately.
POLL_SECONDS: Final = 0.05
# Seconds until a worker tries again after an error; doubled with each further one, up to the limit.
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 16.0
REJECTED: Final = "rejected"
UNDELIVERABLE: Final = "undeliverable"

log = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """How events are delivered.

    Attributes:
        workers: how many events are handled at the same time.
        lease: how long a handler may take before the event is delivered again; as long as a function may run.
        max_attempts: after this many attempts the event is a dead letter; 185 is the limit of Amazon EventBridge.

    """

    workers: int = 4
    lease: timedelta = timedelta(seconds=60)
    max_attempts: int = 185


class Consumer:
    """Delivers each event to a handler until the handler returns or the event becomes a dead letter.

    After a retryable or an unexpected error the event is delivered again later. After any other error, or after too
    many attempts, it is put to the dead letters. An event leaves the bus only after that.
    """

    def __init__(
        self,
        bus: SqliteBus,
        handle: Callable[[object], object],
        dead_letters: DeadLetters,
        clock: Clock,
        *,
        backoff: Backoff,
        settings: Delivering,
    ) -> None:
        """Deliver the events of *bus* to *handle*, which runs in several threads at the same time.

        Args:
            bus: the event bus.
            handle: handles one event; its return value is ignored.
            dead_letters: where events go that cannot be handled.
            clock: returns the time, UTC.
            backoff: the wait before an event comes again; its number of attempts does not count.
            settings: how events are delivered.

        """
        self._bus = bus
        self._handle = handle
        self._dead_letters = dead_letters
        self._clock = clock
        self._backoff = backoff
        self._settings = settings
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the worker threads."""
        self._stopping.clear()
        names = [f"consumer-{number}" for number in range(self._settings.workers)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Take no more events and wait up to *timeout* seconds for the leased ones; False if a worker is still busy.

        The event of a worker that is still busy is delivered again when its lease ends.
        """
        self._stopping.set()
        self._bus.wake()
        limit = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, limit - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def drain(self, timeout: float) -> bool:
        """Wait until the bus has no event, waiting, delayed or leased; False if some are left after *timeout* seconds.

        Raises:
            UnavailableError: the bus is not available.

        """
        limit = time.monotonic() + timeout
        while self._bus.size():
            if time.monotonic() >= limit:
                return False
            time.sleep(POLL_SECONDS / 5)
        return True

    def step(self) -> bool:
        """Take one event and handle it; False if there is none.

        Raises:
            UnavailableError: the bus is not available; the event is delivered again when its lease ends.

        """
        delivery = self._bus.lease(self._clock(), self._settings.lease)
        if delivery is None:
            return False
        if delivery.attempt > self._settings.max_attempts:
            # No attempt ever ended, not even with an error: this event may be what kills the process.
            self._give_up(delivery, UNDELIVERABLE, f"no answer in {self._settings.max_attempts} attempts")
        else:
            self._deliver(delivery)
        return True

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                if not self.step():
                    self._bus.wait(POLL_SECONDS)
                pause = FIRST_PAUSE
                continue
            except UnavailableError as error:
                log.warning("consumer.bus_away", extra={"error": str(error)})
            except Exception:
                # A worker that ended would leave its events unhandled.
                log.exception("consumer.failed")
            self._bus.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _deliver(self, delivery: Delivery) -> None:
        try:
            self._handle(delivery.event)
        except RetrainError as error:
            if error.retryable:
                self._again(delivery, f"{type(error).__name__}: {error}")
            else:
                self._give_up(delivery, REJECTED, str(error))
        except Exception as error:
            log.exception("consumer.unexpected", extra={"error": type(error).__name__, "attempt": delivery.attempt})
            self._again(delivery, type(error).__name__)
        else:
            self._bus.acknowledge(delivery)

    def _again(self, delivery: Delivery, error: str) -> None:
        if delivery.attempt >= self._settings.max_attempts:
            self._give_up(delivery, UNDELIVERABLE, f"after {delivery.attempt} attempts: {error}")
            return
        log.warning("consumer.again", extra={"error": error, "attempt": delivery.attempt})
        self._retry_later(delivery)

    def _give_up(self, delivery: Delivery, reason: str, error: str) -> None:
        letter = DeadLetter(at=self._clock(), cloud="local", reason=reason, error=error, event=delivery.event)
        try:
            self._dead_letters.put(letter)
        except UnavailableError as away:
            log.warning("consumer.dead_letters_away", extra={"error": str(away)})
            self._retry_later(delivery)
            return
        self._bus.acknowledge(delivery)

    def _retry_later(self, delivery: Delivery) -> None:
        delay = timedelta(seconds=self._backoff.wait(delivery.attempt))
        self._bus.retry_later(delivery, self._clock(), delay)
