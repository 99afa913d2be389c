"""Pub/Sub as event bus: many triggers in few requests, each of them waited for."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol

from functions.gcp.errors import code_and_message, publisher_made
from shared.errors import BusError, UnavailableError
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger
from shared.wire.pubsub import Message, encode

# https://cloud.google.com/pubsub/quotas#resource_limits: a request has at most 1000 messages and 10 MB.
MOST_MESSAGES: Final = 1000
SIZE_LIMIT: Final = 9_000_000
# What the client adds to a message of its own: the names of its fields and of its attributes, their lengths.
OVERHEAD: Final = 512
# Seconds. A batch is sent when it is full, or this long after its first message; filling a full one takes about 30 ms.
LATENCY: Final = 0.02
# Seconds for one attempt, and for all: the client's own limits are 60 and 600, more than a function has.
ATTEMPT_TIMEOUT: Final = 5.0
DEADLINE: Final = 10.0
# What stops the client's thread, such as credentials that cannot be refreshed, is never told to whoever waits.
PATIENCE: Final = DEADLINE + ATTEMPT_TIMEOUT
# All others pass, or are repaired by an operator: a missing right, credentials, quotas.
REFUSED: Final = frozenset({"NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "MessageTooLargeError"})


class Publisher(Protocol):
    """What is used of the SDK's `PublisherClient`."""

    def publish(self, topic: str, data: bytes, **attributes: str) -> "Future[str]":
        """Put a message into the batch that goes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    trigger_id: str
    message: Message
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    trigger_id: str
    code: str
    message: str

    @property
    def why(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class PubSubBus:
    """A `shared.ports.EventBus`.

    Args:
        publisher: makes the client; `publisher()` in this module does.
        topic: `projects/P/topics/T`.
        source: the source of what is sent.
        patience: how many seconds a message is waited for.

    """

    def __init__(
        self, publisher: Callable[[], Publisher], topic: str, source: str, *, patience: float = PATIENCE
    ) -> None:
        """Connect to nothing yet."""
        self._publisher = publisher
        self._topic = topic
        self._source = source
        self._patience = patience

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Hand over all *triggers*; see the port. One that is refused keeps no other one back."""
        failures: list[_Failure] = []
        for chunk in _chunks(self._letters(triggers)):
            failures += self._send(chunk)
            if any(failure.code not in REFUSED for failure in failures):
                # The next chunk would wait as long for the same answer, and a function has no time for that.
                break
        if failures:
            raise self._error(failures, len(triggers))

    def _letters(self, triggers: Sequence[RetrainTrigger]) -> Iterator[_Letter]:
        for trigger in triggers:
            message = encode(trigger, self._source, self._topic)
            size = len(message.data) + sum(len(value.encode()) for value in message.attributes.values()) + OVERHEAD
            yield _Letter(trigger_id=trigger.trigger_id, message=message, size=size)

    def _send(self, chunk: Sequence[_Letter]) -> list[_Failure]:
        """Send one chunk and wait for every message of it; return what did not arrive."""
        with publisher_made("Pub/Sub", f"publish to {self._topic}"):
            publisher = self._publisher()
        futures: list[tuple[_Letter, Future[str]]] = []
        failures: list[_Failure] = []
        for letter in chunk:
            try:
                future = publisher.publish(self._topic, letter.message.data, **letter.message.attributes)
                futures.append((letter, future))
            except Exception as error:  # noqa: BLE001 - the SDK documents none; whatever it is belongs to this message
                failures.append(_failure(letter, error))
        return failures + [failure for letter, future in futures if (failure := self._wait(letter, future))]

    def _wait(self, letter: _Letter, future: "Future[str]") -> _Failure | None:
        try:
            future.result(self._patience)
        except Exception as error:  # noqa: BLE001 - a future holds whatever stopped its batch
            return _failure(letter, error)
        return None

    def _error(self, failures: Sequence[_Failure], sent: int) -> BusError | UnavailableError:
        passing = [failure for failure in failures if failure.code not in REFUSED]
        if not passing:
            return BusError(self._topic, {each.trigger_id: each.why for each in failures})
        return UnavailableError("Pub/Sub", f"take all of {sent} trigger(s) for {self._topic}", passing[0].why)


def publisher(*, attempt_timeout: float = ATTEMPT_TIMEOUT, deadline: float = DEADLINE) -> Any:  # noqa: ANN401 - untyped SDK
    """Return a client that sends batches, holds no more than one of them, and gives up while a function still runs.

    It asks `PUBSUB_EMULATOR_HOST` where that is set.

    Args:
        attempt_timeout: seconds for one attempt.
        deadline: seconds for all of them.

    """
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type
    from google.cloud.pubsub_v1 import PublisherClient, types

    passing = if_exception_type(
        exceptions.Aborted,
        exceptions.DeadlineExceeded,
        exceptions.InternalServerError,
        exceptions.ResourceExhausted,
        exceptions.ServiceUnavailable,
        exceptions.Unknown,
    )
    held = types.PublishFlowControl(
        message_limit=MOST_MESSAGES,
        byte_limit=SIZE_LIMIT,
        limit_exceeded_behavior=types.LimitExceededBehavior.BLOCK,
    )
    return PublisherClient(
        # The client sends a batch when one message less than this is in it, and leaves the next one to wait.
        batch_settings=types.BatchSettings(max_messages=MOST_MESSAGES + 1, max_bytes=SIZE_LIMIT, max_latency=LATENCY),
        publisher_options=types.PublisherOptions(
            flow_control=held,
            retry=Retry(predicate=passing, initial=0.1, maximum=2, timeout=deadline),
            timeout=attempt_timeout,
        ),
    )


def _failure(letter: _Letter, error: Exception) -> _Failure:
    code, message = code_and_message(error)
    return _Failure(trigger_id=letter.trigger_id, code=code, message=message)


def _chunks(letters: Iterator[_Letter]) -> Iterator[list[_Letter]]:
    """Put *letters* together as one request takes them, so that no more of them are in memory at once."""
    chunk: list[_Letter] = []
    size = 0
    for letter in letters:
        if chunk and (len(chunk) == MOST_MESSAGES or size + letter.size > SIZE_LIMIT):
            yield chunk
            chunk, size = [], 0
        chunk.append(letter)
        size += letter.size
    if chunk:
        yield chunk
