"""A call is over while its function has time left, whatever its attempts, its token or the host's addresses cost."""

import socket
import time
from collections.abc import Mapping

import pytest

from functions.gcp.connections import connected
from functions.gcp.exchange import NEVER, CallLimits, within
from functions.gcp.rest import Session
from shared.backoff import Backoff
from shared.decision.transitions import CLAIM_LEASE
from tests.gcp.conftest import Serving
from tests.gcp.services import Waiting, refused, said

BRIEF = CallLimits(connect_timeout=1, read_timeout=0.4, total=0.6)


class Tedious:
    """Credentials that take their time to be renewed."""

    def headers(self) -> Mapping[str, str]:
        """Return the token."""
        return {"authorization": "Bearer token"}

    def forget(self) -> None:
        """Let all of a call's time pass."""
        time.sleep(BRIEF.total)


def test_attempts_share_the_time_of_a_call(serving: Serving, waiting: Waiting) -> None:
    """Three attempts of their full time do not fit: the second one is cut short, the third one is not begun."""
    url, service = serving(waiting)
    session = Session(limits=BRIEF, backoff=Backoff(attempts=3, base=0))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        session.get(url)
    assert BRIEF.read_timeout < time.monotonic() - began < 3 * BRIEF.read_timeout
    assert len(service.requests) < 3
    session.close()


def test_the_renewal_of_a_token_counts(serving: Serving) -> None:
    """Nothing is asked a second time when the time is up by then."""
    url, service = serving(refused(401, "UNAUTHENTICATED"), said({}))
    session = Session(Tedious(), limits=BRIEF, backoff=Backoff(attempts=3, base=0))
    with pytest.raises(TimeoutError, match=r"^the call takes too long$"):
        session.get(url)
    assert len(service.requests) == 1
    session.close()


def test_addresses_are_tried_one_after_another() -> None:
    """The first one that takes a connection is taken."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        connected(NEVER, ("host", 1), 1, look_up=lambda *_, **__: [(nobody,), (server.getsockname(),)]) as made,
    ):
        assert made.getpeername() == server.getsockname()


def test_addresses_share_the_time_of_a_call() -> None:
    """However many there are, none is tried when the time is up; a host that has none is an error of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = [(server.getsockname(),)] * 16
        with pytest.raises(TimeoutError, match=r"^the call takes too long$"):
            connected(time.monotonic(), ("host", 1), 1, look_up=lambda *_, **__: found)
    with pytest.raises(OSError, match=r"^the host has no address$"):
        connected(NEVER, ("host", 1), 1, look_up=lambda *_, **__: [])


def test_what_is_left_is_never_more_than_a_step_may_take() -> None:
    """A step has its own time, or what the call still has."""
    assert within(3, NEVER) == 3
    assert 0 < within(3, time.monotonic() + 1) <= 1


def test_a_service_that_is_silent_to_the_end_leaves_time() -> None:
    """Handshake and all, there is time left to tell the ledger and the delivery before the function is stopped."""
    limits = CallLimits()
    assert limits.total + limits.connect_timeout <= CLAIM_LEASE.total_seconds() - 20
