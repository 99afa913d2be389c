"""A subscription: the events that it wants, where they are delivered, and how often delivery is tried."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulators.event_grid.schema import Json, as_cloud_event
from emulators.event_grid.webhook import posted, shake_hands
from emulators.loopback import Answer
from emulators.workers import Workers

# Documentation, "Event Grid message delivery and retry": success, and answers that are never retried.
SUCCESS: Final = frozenset({200, 201, 202, 203, 204})
NEVER_RETRIED: Final = frozenset({400, 401, 403, 413})
CLOUD_EVENTS: Final = "CloudEventSchemaV1_0"
_POLL: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event whose delivery was given up.

    Attributes:
        event: the event.
        reason: `MaxDeliveryAttemptsExceeded`, or `UndeliverableDueToClientError`.
        attempts: the number of attempts.
        last_status: the status of the last answer; 0 if there was none.

    """

    event: Json
    reason: str
    attempts: int
    last_status: int


@dataclass(slots=True, kw_only=True)
class _Pending:
    event: Json
    due: float = 0.0
    attempts: int = 0


@dataclass(kw_only=True, eq=False)
class Subscription(Workers):
    """Delivers events one by one, with retries, in the background between enter and exit.

    Attributes:
        url: the address that events are delivered to; its query may contain a key.
        included_event_types: the types of events that are delivered; empty: all.
        delivery_schema: `EventGridSchema` or `CloudEventSchemaV1_0`.
        max_attempts: the number of attempts after which an event is given up.
        delays: seconds between two attempts, the last one repeats; Event Grid uses 10 s, 30 s, 1 min and so on.
        copies: how often each event is delivered even if the first attempt succeeds: delivery is "at least once".
        concurrency: how many events are delivered at the same time.
        name: the value of the header `aeg-subscription-name`.
        dead_letters: the events that were given up.
        requests: the number of requests that delivered events.

    """

    url: str
    included_event_types: Sequence[str] = ()
    delivery_schema: str = "EventGridSchema"
    max_attempts: int = 30
    delays: Sequence[float] = (0.05, 0.1)
    copies: int = 1
    concurrency: int = 4
    name: str = "RETRAIN"
    dead_letters: list[DeadLetter] = field(init=False, default_factory=list)
    requests: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._lock = threading.Lock()
        self._waiting: list[_Pending] = []
        self._in_hand = 0

    def validate(self) -> None:
        """Check that the endpoint wants events, as Event Grid does before it creates a subscription.

        Raises:
            PermissionError: the endpoint does not return the code that it was sent.

        """
        shake_hands(self.url)

    def wants(self, event: Mapping[str, object]) -> bool:
        """Whether an event passes the filter."""
        return not self.included_event_types or event["eventType"] in self.included_event_types

    def put(self, event: Json) -> None:
        """Queue an event for delivery, if it passes the filter."""
        if self.wants(event):
            with self._lock:
                self._waiting += [_Pending(event=event) for _ in range(self.copies)]

    def take_all(self) -> list[Json]:
        """Remove the events that wait and return them, in the form in which they would be delivered."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return [self._delivered(pending.event) for pending in waiting]

    def drain(self, seconds: float) -> None:
        """Deliver, in this thread as well, until no event waits.

        Raises:
            TimeoutError: events still waited after *seconds*.

        """
        limit = time.monotonic() + seconds
        while left := len(self._waiting) + self._in_hand:
            if time.monotonic() > limit:
                raise TimeoutError(f"{left} events were not accepted within {seconds:g} seconds")
            self._step()

    def deliver(self, *events: Json) -> Answer:
        """Deliver events once, in one request, and return the answer; status 0 if there is none."""
        return self._post([self._delivered(event) for event in events], 1)

    def _step(self) -> None:
        pending = self._due()
        if pending is None:
            time.sleep(_POLL)
            return
        status = self._post([self._delivered(pending.event)], pending.attempts).status
        with self._lock:
            self._in_hand -= 1
            if status in SUCCESS:
                return
            if status in NEVER_RETRIED or pending.attempts >= self.max_attempts:
                self._give_up(pending, status)
                return
            pending.due = time.monotonic() + self.delays[min(pending.attempts, len(self.delays)) - 1]
            self._waiting.append(pending)

    def _due(self) -> _Pending | None:
        with self._lock:
            found = next((each for each in self._waiting if each.due <= time.monotonic()), None)
            if found is not None:
                self._waiting.remove(found)
                self._in_hand += 1
                found.attempts += 1
            return found

    def _give_up(self, pending: _Pending, status: int) -> None:
        exceeded = pending.attempts >= self.max_attempts and status not in NEVER_RETRIED
        reason = "MaxDeliveryAttemptsExceeded" if exceeded else "UndeliverableDueToClientError"
        self.dead_letters.append(
            DeadLetter(event=pending.event, reason=reason, attempts=pending.attempts, last_status=status)
        )

    def _delivered(self, event: Json) -> Json:
        return as_cloud_event(event) if self.delivery_schema == CLOUD_EVENTS else event

    def _post(self, events: list[Json], attempt: int) -> Answer:
        with self._lock:
            self.requests += 1
        headers = {
            "aeg-event-type": "Notification",
            "aeg-subscription-name": self.name,
            "aeg-delivery-count": str(attempt - 1),
        }
        # Documentation: without batching, a CloudEvent is delivered as a single object.
        body = events[0] if self.delivery_schema == CLOUD_EVENTS and len(events) == 1 else events
        return posted(self.url, body, headers)
