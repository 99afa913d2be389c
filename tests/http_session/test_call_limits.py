"""A call ends while its function has time left, whatever its attempts, its token or the addresses of a host cost."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from functions.http_session import CallLimits, HttpAnswer, HttpSession, Network, NoAnswerError, RetryTransient
from shared.backoff import Backoff
from shared.decision.transitions import CLAIM_LEASE
from tests.http_session.scripted import ScriptedServer, answer, closing, saying

BRIEF = CallLimits(connect_timeout=1, read_timeout=0.4, total=0.6)
THREE_TIMES = RetryTransient(statuses={503}, backoff=Backoff(attempts=3, base=0))
UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


class Slow:
    """Credentials that take a long time to renew."""

    def headers(self) -> Mapping[str, str]:
        """Return the token."""
        return {"authorization": "Bearer token"}

    def renew(self, refusal: HttpAnswer) -> bool:  # noqa: ARG002 - the protocol
        """Use up the whole time of a call."""
        time.sleep(BRIEF.total)
        return True


def test_attempts_share_the_time_of_a_call() -> None:
    """Three full attempts do not fit: the second is cut short, and the third is not begun."""
    with ScriptedServer(saying(b"")) as server:
        session = HttpSession(THREE_TIMES, limits=BRIEF)
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"^TimeoutError$"):
            session.request("GET", server.url, {})
        assert BRIEF.read_timeout < time.monotonic() - began < 3 * BRIEF.read_timeout
        assert len(server.requests) < 3


def test_the_renewal_of_a_token_counts() -> None:
    """Nothing is sent a second time when the time is up by then, so the request cannot have been executed."""
    with ScriptedServer(saying(UNAUTHORIZED), saying(answer())) as server:
        session = HttpSession(THREE_TIMES, credentials=Slow(), limits=BRIEF)
        with pytest.raises(NoAnswerError, match=r"^TimeoutError$") as raised:
            session.request("GET", server.url, {})
        assert len(server.requests) == 1
        assert not raised.value.may_have_arrived
        session.close()


@pytest.fixture
def full() -> Iterator[str]:
    """Return the URL of a host that accepts no more connections and refuses none, so that connecting takes for ever."""
    with ExitStack() as opened, socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - the name is the argument
            waiting.connect_ex(server.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(("addresses", "seconds"), [(1, 0.5), (10, 0.06)])
def test_addresses_share_the_time_of_a_call(full: str, addresses: int, seconds: float) -> None:
    """Each of a host's addresses gets its share of the time, and never more than the connect timeout."""
    limits = CallLimits(connect_timeout=0.5, total=0.6)
    once = RetryTransient(statuses=(), backoff=Backoff(attempts=1))
    session = HttpSession(once, limits=limits, network=Network(addresses=lambda _host, _port: addresses))
    began = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"^TimeoutError$") as raised:
        session.request("GET", full, {})
    assert seconds <= time.monotonic() - began < seconds + 0.4
    assert not raised.value.may_have_arrived


def test_addresses_are_tried_one_after_another() -> None:
    """The first address that accepts a connection is used: `localhost` may be ::1, where nothing listens."""
    with ScriptedServer(saying(answer(b"here"))) as server:
        session = HttpSession(THREE_TIMES)
        assert session.request("GET", f"http://localhost:{server.port}", {}).data == b"here"
        session.close()


def test_a_host_without_an_address_is_an_error() -> None:
    """It is known that nothing was sent; the domain `invalid` never exists."""
    with pytest.raises(NoAnswerError, match=r"^gaierror$") as raised:
        HttpSession(THREE_TIMES).request("GET", "http://nowhere.invalid", {})
    assert not raised.value.may_have_arrived


def test_a_policy_learns_what_happened_and_what_is_left() -> None:
    """Each attempt is reported with its number, its outcome and the remaining time."""
    seen: list[tuple[int, str, bool]] = []

    class Noting:
        """A policy that notes its arguments."""

        def wait(self, outcome: HttpAnswer | NoAnswerError, attempt: int, left: float) -> bool:
            """Note the arguments."""
            seen.append((attempt, type(outcome).__name__, 0 < left <= 30))
            return attempt < 3

    with ScriptedServer(closing(), saying(UNAUTHORIZED), saying(answer(b"last"))) as server:
        session = HttpSession(Noting())
        assert session.request("GET", server.url, {}).data == b"last"
        session.close()
    assert seen == [(1, "NoAnswerError", True), (2, "HttpAnswer", True), (3, "HttpAnswer", True)]


@pytest.mark.parametrize("content", [b"x" * 1001, b"x" * 1000 + b"y" * 70_000], ids=["a byte more", "much more"])
def test_a_large_answer_can_be_cut(content: bytes) -> None:
    """Its status counts, with the beginning of its body."""
    with ScriptedServer(saying(answer(content))) as server:
        session = HttpSession(THREE_TIMES, limits=CallLimits(answer_size=1000, cut_answers=True))
        assert session.request("GET", server.url, {}).data == b"x" * 1000
        session.close()


def test_a_service_that_is_silent_to_the_end_leaves_time() -> None:
    """Even after a last handshake there is time to update the ledger and to answer before the function is stopped."""
    limits = CallLimits()
    assert limits.total + limits.connect_timeout <= CLAIM_LEASE.total_seconds() - 20
