"""EventBridge as event bus: checks that the bus exists, sends in chunks and repeats throttled entries."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from functions.aws.errors import INVALID_REQUEST, MISSING_RIGHT, RefusalError, translated
from shared.backoff import STANDARD, Backoff
from shared.errors import BusError, UnavailableError
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import encode, encode_sweep

# API reference of PutEvents: 1 to 10 entries.
MOST_ENTRIES: Final = 10
# API reference: the total size of the entries of a call is below 1 MB since January 2026; the user guide, and the
# documentation of the regions in China, still say 256 KB. No trigger has half of that, so the old limit costs nothing.
SIZE_LIMIT: Final = 262_144
# Calls at the same time: each takes about ten milliseconds, most of which is waiting. More share one processor only.
SENDERS: Final = 8
# User guide, "Calculating PutEvents event entry size".
TIME_SIZE: Final = 14
# Service model, ErrorCode of PutEventsResultEntry: all others are final. botocore repeats calls, but not entries.
RETRYABLE: Final = frozenset({"InternalFailure", "ThrottlingException"})
MISSING: Final = frozenset({"ResourceNotFoundException"})
REFUSED: Final = MISSING | {"ValidationException", "SerializationException", INVALID_REQUEST}

log = logging.getLogger("retrain")


class EventsClient(Protocol):
    """The operations of botocore's `events` client that are used."""

    def put_events(self, **arguments: object) -> Mapping[str, Any]:
        """Send entries."""

    def describe_event_bus(self, **arguments: object) -> Mapping[str, Any]:
        """Describe an event bus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    trigger_id: str
    entry: Mapping[str, object]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    letter: _Letter
    code: str
    message: str


class EventBridgeBus:
    """A `shared.ports.EventBus`.

    Args:
        client: returns the `events` client of the bus's region.
        bus: name or ARN of the event bus.
        source: the source of all events sent.
        backoff: how to repeat throttled entries.
        size_limit: the total size of the entries of a call, by the service's own formula, is below so many bytes.

    """

    def __init__(
        self,
        client: Callable[[], EventsClient],
        bus: str,
        source: str,
        *,
        backoff: Backoff = STANDARD,
        size_limit: int = SIZE_LIMIT,
    ) -> None:
        """Keep the arguments; the first `publish` checks that the bus exists."""
        self._client = client
        self._bus = bus
        self._source = source
        self._backoff = backoff
        self._size_limit = size_limit
        self._checked = False

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Send all *triggers*; see the port. A refused one does not stop the others."""
        if not triggers:
            return
        self._publish([_letter(trigger.trigger_id, encode(trigger, self._source, self._bus)) for trigger in triggers])

    def request_sweep(self, model_id: str) -> None:
        """Send the event that requests a sweep of *model_id*; see the port."""
        self._publish([_letter(f"sweep of {model_id}", encode_sweep(model_id, self._source, self._bus))])

    def _publish(self, letters: Sequence[_Letter]) -> None:
        self._check(letters)
        failures = [
            _Failure(letter=letter, code="TooLarge", message=f"{letter.size} bytes, not below {self._size_limit}")
            for letter in letters
            if letter.size >= self._size_limit
        ]
        chunks = list(_chunks([letter for letter in letters if letter.size < self._size_limit], self._size_limit))
        failures += self._deliver_all(chunks)
        if failures:
            raise self._error(failures, len(letters))

    def _check(self, letters: Sequence[_Letter]) -> None:
        """Check once that the bus exists: PutEvents answers 200 with an event id for a bus that does not."""
        if self._checked:
            return
        try:
            with translated("EventBridge", f"look up the event bus {self._bus}", MISSING | MISSING_RIGHT):
                self._client().describe_event_bus(Name=self._bus)
        except RefusalError as refusal:
            if refusal.code in MISSING:
                raise BusError(
                    self._bus, {letter.trigger_id: "there is no such event bus" for letter in letters}
                ) from refusal
            log.warning("bus.unverified", extra={"bus": self._bus, "error": str(refusal)})
        self._checked = True

    def _deliver_all(self, chunks: Sequence[Sequence[_Letter]]) -> list[_Failure]:
        """Send *chunks* by a few threads, and return what the bus did not take in the end.

        After an error that concerns all of them, no further chunk is begun.
        """
        if len(chunks) <= 1:
            return [failure for chunk in chunks for failure in self._deliver(chunk)]
        # Not at the top: most emitters send one trigger.
        from concurrent.futures import ThreadPoolExecutor

        stopped: list[bool] = []

        def deliver(chunk: Sequence[_Letter]) -> list[_Failure]:
            if stopped:
                return []
            try:
                return self._deliver(chunk)
            except BaseException:
                stopped.append(True)
                raise

        with ThreadPoolExecutor(min(SENDERS, len(chunks))) as senders:
            sent = [senders.submit(deliver, chunk) for chunk in chunks]
        return [failure for one in sent for failure in one.result()]

    def _deliver(self, chunk: Sequence[_Letter]) -> list[_Failure]:
        """Send *chunk*, repeat the throttled entries, and return what the bus did not take in the end."""
        refused: list[_Failure] = []
        stalled: list[_Failure] = []
        for attempt in range(self._backoff.attempts):
            self._backoff.pause(attempt)
            failures = self._put(chunk)
            refused += [failure for failure in failures if failure.code not in RETRYABLE]
            stalled = [failure for failure in failures if failure.code in RETRYABLE]
            if not stalled:
                break
            chunk = [failure.letter for failure in stalled]
        return refused + stalled

    def _put(self, letters: Sequence[_Letter]) -> list[_Failure]:
        try:
            with translated("EventBridge", f"put events on the bus {self._bus}", REFUSED):
                answer = self._client().put_events(Entries=[letter.entry for letter in letters])
        except RefusalError as refusal:
            return [_Failure(letter=letter, code=refusal.code, message=refusal.message) for letter in letters]
        return [
            _Failure(letter=letter, code=result["ErrorCode"], message=result.get("ErrorMessage", ""))
            for letter, result in zip(letters, answer["Entries"], strict=True)
            if result.get("ErrorCode")
        ]

    def _error(self, failures: Sequence[_Failure], sent: int) -> BusError | UnavailableError:
        if all(failure.code in RETRYABLE for failure in failures):
            return UnavailableError("EventBridge", f"take {len(failures)} of {sent} trigger(s)", failures[0].code)
        return BusError(
            self._bus, {failure.letter.trigger_id: f"{failure.code}: {failure.message}" for failure in failures}
        )


def _letter(trigger_id: str, entry: Mapping[str, object]) -> _Letter:
    return _Letter(trigger_id=trigger_id, entry=entry, size=entry_size(entry))


def entry_size(entry: Mapping[str, object]) -> int:
    """Return the size of a PutEvents entry as EventBridge counts it, in bytes."""
    texts = (str(entry[name]) for name in ("Source", "DetailType", "Detail"))
    return TIME_SIZE + sum(len(text.encode()) for text in texts)


def _chunks(letters: Sequence[_Letter], size_limit: int) -> Iterator[list[_Letter]]:
    chunk: list[_Letter] = []
    for letter in letters:
        size = sum(other.size for other in chunk) + letter.size
        if chunk and (len(chunk) == MOST_ENTRIES or size >= size_limit):
            yield chunk
            chunk = []
        chunk.append(letter)
    if chunk:
        yield chunk
