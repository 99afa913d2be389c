"""The workers that take events off the bus and hand them over until somebody has dealt with them."""

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

# How late an event of another process is noticed; one of this process wakes a worker at once.
POLL_SECONDS: Final = 0.05
REJECTED: Final = "rejected"
UNDELIVERABLE: Final = "undeliverable"

log = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """How events are delivered.

    Attributes:
        workers: how many are handled at the same time.
        lease: how long a handler may take before the event is given to another one; as long as a function may run.
        max_attempts: after this many the event is dead; 185 is what Amazon EventBridge takes.

    """

    workers: int = 4
    lease: timedelta = timedelta(seconds=60)
    max_attempts: int = 185


class Consumer:
    """Delivers each event to a handler until it returns, or until the event can only be kept for a person.

    An error that says "trying again may help", and any error that nobody foresaw, brings the event back later; any
    other one puts it to the dead letters, and so does an attempt too many. An event leaves the bus only after that.
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
        """Hand the events of *bus* to *handle*, which runs in several threads at once.

        Args:
            bus: where the events are.
            handle: deals with one event; what it returns does not matter.
            dead_letters: where events go that nobody can act on.
            clock: tells the time.
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
        """Take no more events and wait up to *timeout* seconds for those in hand; False when a worker is still busy.

        What is in the hands of a worker then comes again when its lease is over.
        """
        self._stopping.set()
        self._bus.wake()
        limit = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, limit - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def drain(self, timeout: float) -> bool:
        """Wait until no event is left, waiting, hidden or in hand; False when some are after *timeout* seconds.

        Raises:
            UnavailableError: the bus is away.

        """
        limit = time.monotonic() + timeout
        while self._bus.size():
            if time.monotonic() >= limit:
                return False
            time.sleep(POLL_SECONDS / 5)
        return True

    def step(self) -> bool:
        """Take one event and deal with it; False when there is none.

        Raises:
            UnavailableError: the bus is away; the event comes again when its lease is over.

        """
        delivery = self._bus.lease(self._clock(), self._settings.lease)
        if delivery is None:
            return False
        if delivery.attempt > self._settings.max_attempts:
            # Nobody ever came back from it, not even with an error: it may be what kills the process.
            self._give_up(delivery, UNDELIVERABLE, f"no answer in {self._settings.max_attempts} attempts")
        else:
            self._deliver(delivery)
        return True

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                if self.step():
                    continue
                pause = POLL_SECONDS
            except UnavailableError as error:
                log.warning("consumer.bus_away", extra={"error": str(error)})
                pause = 1.0
            except Exception:
                # A worker that ends would leave its events to nobody.
                log.exception("consumer.failed")
                pause = 1.0
            self._bus.wait(pause)

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
