"""Pub/Sub as event bus: many triggers in few requests, each acknowledged by the service."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol

from functions.gcp.errors import code_and_message, publisher_made
from shared.errors import BusError, UnavailableError
from shared.frozen import dataclass
from shared.trigger import RetrainTrigger
from shared.wire.pubsub import Message, encode, encode_sweep

# https://cloud.google.com/pubsub/quotas#resource_limits: a request has at most 1000 messages and 10 MB.
MOST_MESSAGES: Final = 1000
SIZE_LIMIT: Final = 9_000_000
# Bytes that the client adds to a message: the names of its fields and of its attributes, and their lengths.
OVERHEAD: Final = 512
# Seconds. A batch is sent when it is full, or this long after its first message; filling a full one takes about 30 ms.
LATENCY: Final = 0.02
# Seconds. A message that is alone waits for no other one.
ALONE: Final = 0.0005
# Seconds for one attempt, and for all: the client's own limits are 60 and 600, more than a function has.
ATTEMPT_TIMEOUT: Final = 5.0
DEADLINE: Final = 10.0
# Failures that stop the client's thread, such as credentials that cannot be refreshed, never reach a future.
RESULT_TIMEOUT: Final = DEADLINE + ATTEMPT_TIMEOUT
# All others are transient, or are repaired by an operator: a missing right, credentials, quotas.
REFUSED: Final = frozenset({"NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "MessageTooLargeError"})


class Publisher(Protocol):
    """The part of the SDK's `PublisherClient` that is used."""

    def publish(self, topic: str, data: bytes, **attributes: str) -> "Future[str]":
        """Add a message to the next batch."""


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
        publisher: makes the client, as `publisher()` in this module does.
        topic: `projects/P/topics/T`.
        source: the source of the events.
        result_timeout: how many seconds to wait for the acknowledgement of a message.
        alone: makes the client for a single message, which does not wait for a batch to fill; None: the same one.

    """

    def __init__(
        self,
        publisher: Callable[[], Publisher],
        topic: str,
        source: str,
        *,
        result_timeout: float = RESULT_TIMEOUT,
        alone: Callable[[], Publisher] | None = None,
    ) -> None:
        self._publisher = publisher
        self._alone = alone or publisher
        self._topic = topic
        self._source = source
        self._result_timeout = result_timeout

    def publish(self, triggers: Sequence[RetrainTrigger]) -> None:
        """Publish all *triggers*; see the port. A refused trigger does not stop the others."""
        self._publish(
            (_letter(trigger.trigger_id, encode(trigger, self._source, self._topic)) for trigger in triggers),
            len(triggers),
        )

    def request_sweep(self, model_id: str) -> None:
        """Publish the message that requests a sweep of *model_id*; see the port."""
        message = encode_sweep(model_id, self._source, self._topic)
        self._publish(iter([_letter(f"sweep of {model_id}", message)]), 1)

    def _publish(self, letters: Iterator[_Letter], number: int) -> None:
        failures: list[_Failure] = []
        for chunk in _chunks(letters):
            failures += self._send(chunk, self._alone if number == 1 else self._publisher)
            if any(failure.code not in REFUSED for failure in failures):
                # The next chunk would wait as long for the same answer, and a function has no time for that.
                break
        if failures:
            raise self._error(failures, number)

    def _send(self, chunk: Sequence[_Letter], make: Callable[[], Publisher]) -> list[_Failure]:
        """Send one chunk by the client that *make* returns, wait for every message in it, and return the failures."""
        with publisher_made("Pub/Sub", f"publish to {self._topic}"):
            publisher = make()
        futures: list[tuple[_Letter, Future[str]]] = []
        failures: list[_Failure] = []
        for letter in chunk:
            try:
                future = publisher.publish(self._topic, letter.message.data, **letter.message.attributes)
                futures.append((letter, future))
            except Exception as error:  # noqa: BLE001 - the SDK documents none; it concerns this message only
                failures.append(_failure(letter, error))
        return failures + [failure for letter, future in futures if (failure := self._wait(letter, future))]

    def _wait(self, letter: _Letter, future: "Future[str]") -> _Failure | None:
        try:
            future.result(self._result_timeout)
        except Exception as error:  # noqa: BLE001 - a future may hold any error that stopped its batch
            return _failure(letter, error)
        return None

    def _error(self, failures: Sequence[_Failure], sent: int) -> BusError | UnavailableError:
        transient = [failure for failure in failures if failure.code not in REFUSED]
        if not transient:
            return BusError(self._topic, {each.trigger_id: each.why for each in failures})
        return UnavailableError("Pub/Sub", f"take all of {sent} trigger(s) for {self._topic}", transient[0].why)


def publisher(*, attempt_timeout: float = ATTEMPT_TIMEOUT, deadline: float = DEADLINE, latency: float = LATENCY) -> Any:  # noqa: ANN401 - untyped SDK
    """Return a client that sends batches, holds at most one of them, and gives up while a function still runs.

    It uses the emulator at `PUBSUB_EMULATOR_HOST` where that is set.

    Args:
        attempt_timeout: seconds for one attempt.
        deadline: seconds for all of them.
        latency: seconds that a message waits for others to be sent with.

    """
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type
    from google.cloud.pubsub_v1 import PublisherClient, types

    transient = if_exception_type(
        exceptions.Aborted,
        exceptions.DeadlineExceeded,
        exceptions.InternalServerError,
        exceptions.ResourceExhausted,
        exceptions.ServiceUnavailable,
        exceptions.Unknown,
    )
    flow_control = types.PublishFlowControl(
        message_limit=MOST_MESSAGES,
        byte_limit=SIZE_LIMIT,
        limit_exceeded_behavior=types.LimitExceededBehavior.BLOCK,
    )
    return PublisherClient(
        # The client sends a batch that has one message less than this, and keeps the next message back.
        batch_settings=types.BatchSettings(max_messages=MOST_MESSAGES + 1, max_bytes=SIZE_LIMIT, max_latency=latency),
        publisher_options=types.PublisherOptions(
            flow_control=flow_control,
            retry=Retry(predicate=transient, initial=0.1, maximum=2, timeout=deadline),
            timeout=attempt_timeout,
        ),
    )


def _letter(trigger_id: str, message: Message) -> _Letter:
    size = len(message.data) + sum(len(value.encode()) for value in message.attributes.values()) + OVERHEAD
    return _Letter(trigger_id=trigger_id, message=message, size=size)


def _failure(letter: _Letter, error: Exception) -> _Failure:
    code, message = code_and_message(error)
    return _Failure(trigger_id=letter.trigger_id, code=code, message=message)


def _chunks(letters: Iterator[_Letter]) -> Iterator[list[_Letter]]:
    """Group *letters* into requests; only one group is in memory at a time."""
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
