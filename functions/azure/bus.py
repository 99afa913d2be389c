"""Event Grid as event bus: one event for each trigger, with our own id, in requests that the topic accepts."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Protocol

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from shared.errors import BusError, UnavailableError
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger
from shared.wire.eventgrid import encode, encode_sweep

# Documentation, "Event Grid quotas and limits": an event, and an array of events, has at most 1 MB; it does not say
# whether that is 10^6 or 2^20 bytes. The SDK checks neither.
SIZE_LIMIT: Final = 1_000_000
# The size of everything on the wire around an event's own fields, in bytes.
ENVELOPE: Final = 100
# Missing permissions (401, 403) are not among them: after an operator grants them the same triggers arrive.
REFUSED: Final = frozenset({400, 404, 405, 413, 415})


class Publisher(Protocol):
    """The methods of `azure.eventgrid.EventGridPublisherClient` that are used."""

    def send(self, events: list[Any], **options: object) -> None:
        """Send events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    trigger_id: str
    event: dict[str, Any]
    size: int


class EventGridBus:
    """A `shared.ports.EventBus`.

    Args:
        client: returns the client of the topic.
        endpoint: the topic's endpoint, for messages.
        source: the source of all events sent.
        persistence: how to repeat a request; the SDK itself does not repeat throttled ones.
        size_limit: the largest size of a request, in bytes.

    """

    def __init__(
        self,
        client: Callable[[], Publisher],
        endpoint: str,
        source: str,
        *,
        persistence: Persistence = STANDARD,
        size_limit: int = SIZE_LIMIT,
    ) -> None:
        """Keep the arguments."""
        self._client = client
        self._endpoint = endpoint
        self._source = source
        self._persistence = persistence
        self._size_limit = size_limit

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Send all *triggers*; see the port. A refused request does not stop the others."""
        self._publish([_letter(trigger.trigger_id, encode(trigger, self._source)) for trigger in triggers])

    def request_sweep(self, model_id: str) -> None:
        """Send the event that requests a sweep of *model_id*; see the port."""
        self._publish([_letter(f"sweep of {model_id}", encode_sweep(model_id, self._source))])

    def _publish(self, letters: Sequence[_Letter]) -> None:
        failures = {
            letter.trigger_id: f"TooLarge: {letter.size} bytes, more than {self._size_limit}"
            for letter in letters
            if letter.size > self._size_limit
        }
        away: UnavailableError | None = None
        for chunk in _chunks([letter for letter in letters if letter.size <= self._size_limit], self._size_limit):
            try:
                if away is None:
                    self._send(chunk)
            except RefusalError as refusal:
                failures |= {letter.trigger_id: str(refusal) for letter in chunk}
            except UnavailableError as error:
                away = error
            if away is not None and failures:
                failures |= {letter.trigger_id: str(away) for letter in chunk}
        if failures:
            raise BusError(self._endpoint, failures) from away
        if away is not None:
            raise away

    def _send(self, letters: Sequence[_Letter]) -> None:
        def send() -> None:
            from azure.eventgrid import EventGridEvent

            self._client().send([EventGridEvent(**letter.event) for letter in letters])

        action = f"take {len(letters)} trigger(s) for {self._endpoint}"
        call(send, service="Event Grid", action=action, judged=REFUSED, persistence=self._persistence)


def _letter(trigger_id: str, event: dict[str, Any]) -> _Letter:
    return _Letter(trigger_id=trigger_id, event=event, size=len(json.dumps(event, default=str)) + ENVELOPE)


def _chunks(letters: Sequence[_Letter], size_limit: int) -> Iterator[list[_Letter]]:
    chunk: list[_Letter] = []
    for letter in letters:
        if chunk and sum(other.size for other in chunk) + letter.size > size_limit:
            yield chunk
            chunk = []
        chunk.append(letter)
    if chunk:
        yield chunk
