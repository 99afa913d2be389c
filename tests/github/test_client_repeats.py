"""An event is sent again only where GitHub cannot have taken it, and never for longer than a function has."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from emulators.github import GitHubStandIn
from emulators.github.faults import FaultKind
from shared.errors import TargetRefusedError, UnavailableError
from tests.github.given import CALM, HASTY, NOW, REPOSITORY, Time, bodies, client_of


@pytest.mark.parametrize("kind", [FaultKind.SECONDARY_LIMIT, FaultKind.TOO_MANY, FaultKind.MAINTENANCE])
def test_retry_after_is_respected(github: GitHubStandIn, time: Time, kind: FaultKind) -> None:
    """After the seconds in the answer the event is sent again; it arrives once."""
    github.add_fault(kind, Retry_After="7")
    client_of(github.url, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert time.pauses == [7]
    assert len(github.dispatched()) == 1


def test_the_primary_limit_is_waited_for(github: GitHubStandIn, time: Time) -> None:
    """The client waits until the second in the answer, and one more, since it is in whole seconds."""
    github.add_fault(FaultKind.PRIMARY_LIMIT, X_RateLimit_Reset=str(int(NOW.timestamp()) + 5))
    client_of(github.url, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert time.pauses == [6]
    assert len(github.dispatched()) == 1


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        (FaultKind.SECONDARY_LIMIT, {"Retry_After": "60"}),
        (FaultKind.SECONDARY_LIMIT, {"Retry_After": "soon"}),
        (FaultKind.PRIMARY_LIMIT, {"X_RateLimit_Reset": str(int(NOW.timestamp()) + 3600)}),
        (FaultKind.PRIMARY_LIMIT, {"X_RateLimit_Reset": "whenever"}),
        (FaultKind.UNNAMED_LIMIT, {}),
    ],
)
def test_a_long_wait_is_left_to_the_next_delivery(
    github: GitHubStandIn, time: Time, kind: FaultKind, headers: dict[str, Any]
) -> None:
    """A function cannot wait an hour, nor the minute that GitHub requires without a time in the answer."""
    github.add_fault(kind, **headers)
    with pytest.raises(UnavailableError, match="rate limit"):
        client_of(github.url, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert time.pauses == []
    assert bodies(github) == 1


def test_a_limit_is_not_a_missing_right(github: GitHubStandIn) -> None:
    """Both are 403, but the error must not suggest a missing permission."""
    github.add_fault(FaultKind.UNNAMED_LIMIT)
    with pytest.raises(UnavailableError) as caught:
        client_of(github.url).dispatch(REPOSITORY, "train", {})
    assert "permission" not in str(caught.value)


def test_it_is_tried_three_times(github: GitHubStandIn, time: Time) -> None:
    """A limit that persists is raised."""
    github.add_fault(FaultKind.TOO_MANY, times=5)
    with pytest.raises(UnavailableError, match="429"):
        client_of(github.url, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert bodies(github) == 3
    assert time.pauses == [1, 1]


def test_pauses_and_attempts_together_fit(github: GitHubStandIn, time: Time) -> None:
    """The second pause is not made, since a silent attempt after it would exceed the limit."""
    github.add_fault(FaultKind.TOO_MANY, times=5, Retry_After="10")
    with pytest.raises(UnavailableError):
        client_of(github.url, limits=time.limits(total=30)).dispatch(REPOSITORY, "train", {})
    assert time.pauses == [10]


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (FaultKind.LOST_ANSWER, 1),
        (FaultKind.BAD_GATEWAY, 1),
        (FaultKind.INTERNAL, 0),
        (FaultKind.HANG, 0),
    ],
)
def test_an_event_that_may_have_arrived_is_not_sent_again(
    github: GitHubStandIn, time: Time, kind: FaultKind, taken: int
) -> None:
    """GitHub has no idempotency key: only the caller can risk a second run."""
    github.add_fault(kind)
    limits = time.limits(HASTY if kind is FaultKind.HANG else CALM)
    with pytest.raises(UnavailableError, match="GitHub could not take the event 'train' for acme/churn"):
        client_of(github.url, limits=limits).dispatch(REPOSITORY, "train", {})
    assert bodies(github) == 1
    assert len(github.dispatched()) == taken
    assert time.pauses == []


def test_no_connection_is_tried_again(time: Time) -> None:
    """Nothing was sent, so nothing can have been taken."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = "http://{}:{}".format(*closed.getsockname())
    with pytest.raises(UnavailableError, match="acme/churn: ConnectionRefusedError; try again"):
        client_of(address, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert time.pauses == [1, 2]


@contextmanager
def trickling(pieces: int) -> Iterator[tuple[str, threading.Event]]:
    """Run a server whose error arrives byte by byte; yield its URL and an event that is set once all of it was sent."""
    sent, closing = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            # The client may close the connection at any time.
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(f"HTTP/1.1 422 No\r\nContent-Length: {pieces}\r\n\r\n".encode())
                for _ in range(pieces):
                    if closing.wait(0.05):
                        return
                    connection.sendall(b" ")
                sent.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield "http://{}:{}".format(*listening.getsockname()), sent
        closing.set()
        thread.join(5)


def test_an_answer_that_trickles_in_is_not_read_to_its_end(time: Time) -> None:
    """No silence is long enough to be a timeout, yet the time is limited."""
    with trickling(pieces=60) as (url, sent):
        with pytest.raises(TargetRefusedError, match="422: no explanation"):
            client_of(url, limits=time.limits(HASTY)).dispatch(REPOSITORY, "train", {})
        assert not sent.is_set()
