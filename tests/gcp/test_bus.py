"""Publishing: refused triggers are named, transient failures are UnavailableError, and no wait is endless."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from emulators.publisher import refusing_publisher
from functions.gcp.bus import MOST_MESSAGES, PubSubBus, publisher
from shared.errors import BusError, UnavailableError
from tests.contracts.adapters import trigger
from tests.gcp.services import SOURCE

TOPIC = "projects/acme/topics/triggers"
TWO = [trigger(1), trigger(2)]

OnAddress = Callable[[str], PubSubBus]


class Collector:
    """A client that completes messages when it holds a whole batch, or immediately.

    Attributes:
        most: how many messages it held at the same time.
        sent: how many it was given.

    """

    def __init__(self, *, full: int = 1, error: Exception | None = None) -> None:
        """Complete *full* messages together, with *error* if there is one."""
        self.most = 0
        self.sent = 0
        self._full = full
        self._error = error
        self._held: list[Future[str]] = []

    def publish(self, topic: str, data: bytes, **attributes: str) -> "Future[str]":
        """Take one message."""
        assert (topic, attributes["source"], data[:1]) == (TOPIC, SOURCE, b"{")
        future: Future[str] = Future()
        self._held.append(future)
        self.sent += 1
        self.most = max(self.most, len(self._held))
        if len(self._held) == self._full:
            for each in self._held:
                each.set_exception(self._error) if self._error else each.set_result("1")
            self._held.clear()
        return future


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnAddress]:
    """Return a function that makes a bus with the SDK's own client, which calls an address and gives up soon."""
    with ExitStack() as clients:

        @contextmanager
        def closed(client: Any) -> Iterator[Any]:
            yield client
            client.stop()
            client.transport.close()

        def on(address: str) -> PubSubBus:
            monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
            client = clients.enter_context(closed(publisher(attempt_timeout=0.2, deadline=0.5)))
            return PubSubBus(lambda: client, TOPIC, SOURCE)

        yield on


@pytest.mark.parametrize("code", ["NOT_FOUND", "INVALID_ARGUMENT", "FAILED_PRECONDITION"])
def test_permanently_refused_triggers_are_named(bus: OnAddress, code: str) -> None:
    """The error names every trigger that the topic refuses, with the reason."""
    with refusing_publisher(grpc.StatusCode[code], "no such topic") as address, pytest.raises(BusError) as raised:
        bus(address).publish(TWO)
    assert raised.value.failures == {"t-1": f"{code}: no such topic", "t-2": f"{code}: no such topic"}


@pytest.mark.parametrize(
    "code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", "UNKNOWN"]
)
def test_a_transient_failure_is_unavailable(bus: OnAddress, code: str) -> None:
    """Time or an operator repairs it; the error has the service's last answer, also after the last attempt."""
    with (
        refusing_publisher(grpc.StatusCode[code], "not now") as address,
        pytest.raises(
            UnavailableError, match=rf"^Pub/Sub could not take all of 2 trigger.*: {code}: not now; try again"
        ),
    ):
        bus(address).publish(TWO)


def test_a_service_that_is_not_there_is_given_up(bus: OnAddress) -> None:
    """It is given up while the function still runs, not after ten minutes, the client's own limit."""
    with pytest.raises(UnavailableError, match=r"UNAVAILABLE: .*; try again$"):
        bus("127.0.0.1:1").publish(TWO)


def test_nothing_to_send_needs_no_client() -> None:
    """An empty list needs no credentials and opens no connection."""

    def none() -> Any:
        pytest.fail("a client was made")

    PubSubBus(none, TOPIC, SOURCE).publish([])


def test_no_more_than_one_request_is_held_in_memory() -> None:
    """Ten thousand triggers are sent a thousand at a time; each thousand is acknowledged before the next is made."""
    client = Collector(full=MOST_MESSAGES)
    PubSubBus(lambda: client, TOPIC, SOURCE).publish([trigger(number) for number in range(10_000)])
    assert (client.sent, client.most) == (10_000, MOST_MESSAGES)


def test_after_an_outage_nothing_more_is_tried() -> None:
    """The next thousand would wait as long as the first, and a function has no time for that."""
    client = Collector(error=RefreshError("expired"))
    with pytest.raises(UnavailableError, match=r"take all of 2500 trigger\(s\) for .*: RefreshError; try again$"):
        PubSubBus(lambda: client, TOPIC, SOURCE).publish([trigger(number) for number in range(2_500)])
    assert client.sent == MOST_MESSAGES


def test_a_client_that_never_answers_is_given_up() -> None:
    """The SDK's thread may die of an error that reaches no future, such as credentials that cannot be refreshed."""
    bus = PubSubBus(lambda: Collector(full=9), TOPIC, SOURCE, result_timeout=0.01)
    with pytest.raises(UnavailableError, match=r"TimeoutError; try again$"):
        bus.publish(TWO)


def test_one_that_is_refused_keeps_no_other_one_back() -> None:
    """A message that the client itself finds too large is named; the others are sent."""

    class MessageTooLargeError(ValueError):
        """As the SDK calls it."""

    class Picky(Collector):
        """A client that refuses one of the messages."""

        def publish(self, topic: str, data: bytes, **attributes: str) -> "Future[str]":
            """Accept or refuse one message."""
            if attributes["trigger_id"] == "t-1":
                raise MessageTooLargeError
            return super().publish(topic, data, **attributes)

    client = Picky()
    with pytest.raises(BusError) as raised:
        PubSubBus(lambda: client, TOPIC, SOURCE).publish([trigger(number) for number in range(3)])
    assert raised.value.failures == {"t-1": "MessageTooLargeError"}
    assert client.sent == 2


def test_without_credentials_the_bus_is_unavailable() -> None:
    """An operator has to add credentials; any other error is a bug and is raised unchanged."""

    def unknown() -> Any:
        raise DefaultCredentialsError("none")

    def broken() -> Any:
        raise ZeroDivisionError

    with pytest.raises(UnavailableError, match=r"publish to .*: DefaultCredentialsError: sign in with `gcloud auth"):
        PubSubBus(unknown, TOPIC, SOURCE).publish(TWO)
    with pytest.raises(ZeroDivisionError):
        PubSubBus(broken, TOPIC, SOURCE).publish(TWO)
