"""Connections are kept, noticed to be dead, and never waited for longer than they may take."""

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine, HTTPException, IncompleteRead, InvalidURL, LineTooLong, RemoteDisconnected
from pathlib import Path

import pytest

from functions.gcp.connections import Connections
from functions.gcp.exchange import AnswerTooLargeError, CallLimits, UnsendableError
from tests.gcp.certificates import certified
from tests.gcp.scripted import Play, ScriptedServer, answer, closing, saying

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LIMITS = CallLimits(connect_timeout=2, read_timeout=0.4, connections=2, largest_answer=1000)


@pytest.fixture
def connections() -> Iterator[Connections]:
    """Return connections that are given up soon."""
    connections = Connections(LIMITS)
    yield connections
    connections.close()


def trickling(content: bytes) -> Play:
    """Return what says *content* a byte at a time, each soon enough for a timeout that begins anew with it."""

    def play(connection: socket.socket) -> None:
        pause = threading.Event()
        for byte in content:
            connection.sendall(bytes([byte]))
            pause.wait(LIMITS.read_timeout / 8)

    return play


def test_a_connection_is_used_again(connections: Connections) -> None:
    """Several requests, with bodies and without, go over one connection, as they are written here."""
    with ScriptedServer(saying(answer(b"one", "X-Name: Value")), saying(answer(b"two"))) as server:
        first = connections.request("GET", f"{server.url}/a?b=%C3%BC c", {"x-mine": "1"})
        second = connections.request("POST", server.url, {}, b"body")
    assert (first.status, first.data, first.headers["x-name"]) == (200, b"one", "Value")
    assert second.data == b"two"
    assert server.connections == [0, 0]
    assert server.requests[0][1].startswith(b"GET /a?b=%C3%BC%20c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nx-mine: 1\r\n" in server.requests[0][1]
    assert server.requests[1][1].startswith(b"POST / HTTP/1.1\r\n")
    assert server.requests[1][1].endswith(b"body")


def test_a_connection_that_was_closed_meanwhile_is_replaced(connections: Connections) -> None:
    """A server that closes what nobody uses is noticed before anything is asked."""
    with ScriptedServer(closing(answer(b"one")), saying(answer(b"two"))) as server:
        assert connections.request("GET", server.url, {}).data == b"one"
        server.ended.acquire()
        assert connections.request("GET", server.url, {}).data == b"two"
    assert server.connections == [0, 1]


def test_what_nobody_asked_for_is_never_an_answer(connections: Connections) -> None:
    """A server that says more than it was asked is not asked again over this connection."""
    with ScriptedServer(saying(answer(b"one") + answer(b"extra")), saying(answer(b"two"))) as server:
        assert connections.request("GET", server.url, {}).data == b"one"
        assert connections.request("GET", server.url, {}).data == b"two"


def test_after_a_failure_no_connection_that_was_kept_is_trusted(connections: Connections) -> None:
    """A request that a kept connection swallowed is an error; the repetition gets a new one, whatever else is kept."""
    together = threading.Barrier(2)

    def at_once(connection: socket.socket) -> None:
        together.wait(5)
        connection.sendall(answer())

    with ScriptedServer(at_once, at_once, closing(), saying(answer(b"new"))) as server:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: connections.request("GET", server.url, {}), range(2)))
        with pytest.raises(RemoteDisconnected):
            connections.request("GET", server.url, {})
        assert connections.request("GET", server.url, {}).data == b"new"
        # All of the first two are closed.
        assert all(server.ended.acquire(timeout=5) for _ in range(2))
    assert sorted(server.connections[:2]) == [0, 1]
    assert server.connections[3] == 2


@pytest.mark.parametrize(
    ("play", "error"),
    [
        (closing(), RemoteDisconnected),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), IncompleteRead),
        (closing(CHUNKED + b"9\r\nhalf"), IncompleteRead),
        (closing(CHUNKED + b"odd\r\nhalf"), IncompleteRead),
        (closing(b"220 mail.example ESMTP\r\n"), BadStatusLine),
        (closing(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), LineTooLong),
        (closing(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200), HTTPException),
        (saying(b"HTTP/1.1 200"), TimeoutError),
        (saying(b"HTTP/1.1 200 OK\r\nX: "), TimeoutError),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), TimeoutError),
        (trickling(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99), TimeoutError),
        (trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99), TimeoutError),
        (saying(answer(b"x" * 1001)), AnswerTooLargeError),
        (closing(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001), AnswerTooLargeError),
        (saying(CHUNKED + b"64\r\n%b\r\n" % (b"x" * 100) * 11), AnswerTooLargeError),
    ],
    ids=[
        "nothing", "half", "half chunk", "odd chunk", "other protocol", "long header", "many headers", "slow status",
        "slow headers", "slow body", "trickling headers", "trickling body", "large", "large without length",
        "large in chunks",
    ],
)  # fmt: skip
def test_what_is_no_whole_answer_is_an_error(connections: Connections, play: Play, error: type[Exception]) -> None:
    """What is late, cut short, too large or no HTTP; the request that follows has a connection of its own."""
    with ScriptedServer(play, saying(answer(b"next"))) as server:
        with pytest.raises(error):
            connections.request("GET", server.url, {})
        assert connections.request("GET", server.url, {}).data == b"next"
    assert server.connections == [0, 1]


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (answer(b"x" * 1000), b"x" * 1000),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["chunks", "largest", "empty"],
)
def test_every_form_of_a_body_is_read_and_leaves_the_connection_usable(
    connections: Connections, content: bytes, body: bytes
) -> None:
    """In chunks, of the largest size, and none at all."""
    with ScriptedServer(saying(content)) as server:
        assert [connections.request("GET", server.url, {}).data for _ in range(2)] == [body] * 2
    assert server.connections == [0, 0]


def test_a_server_that_wants_no_more_is_left(connections: Connections) -> None:
    """`Connection: close` ends it, from our side too, and so does a body that only the end of the connection ends."""
    last = saying(answer(b"one", "Connection: close"))
    with ScriptedServer(last, closing(b"HTTP/1.0 200 OK\r\n\r\ntwo"), saying(answer(b"3"))) as server:
        assert [connections.request("GET", server.url, {}).data for _ in range(3)] == [b"one", b"two", b"3"]
        assert all(server.ended.acquire(timeout=5) for _ in range(2))
    assert server.connections == [0, 1, 2]


def test_many_threads_have_a_connection_each_and_few_are_kept(connections: Connections) -> None:
    """No request waits for another, nobody gets another's answer, and only as many as were asked for stay open."""
    together = threading.Barrier(16)

    def at_once(connection: socket.socket) -> None:
        together.wait(5)
        connection.sendall(answer())

    with ScriptedServer(*[at_once] * 16, saying(answer())) as server, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: connections.request("GET", server.url, {}), range(16)))
        assert len(set(server.connections)) == 16
        assert all(server.ended.acquire(timeout=5) for _ in range(14))
        for _ in range(3):
            connections.request("GET", server.url, {})
        assert len(set(server.connections)) == 16


@pytest.mark.parametrize("forgotten", [False, True])
def test_closed_or_forgotten_connections_are_ended(*, forgotten: bool) -> None:
    """The server sees the end, and Python has no open socket to warn of."""
    with ScriptedServer(saying(answer())) as server:
        connections = Connections(LIMITS)
        connections.request("GET", server.url, {})
        if forgotten:
            del connections
            gc.collect()
        else:
            connections.close()
        assert server.ended.acquire(timeout=5)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x/", "http://", "http:///x", "http://x:port/", "http://x:99999/", "http://[x/", "//x/y"]
)
def test_a_url_that_is_none_is_told(connections: Connections, url: str) -> None:
    """Before anything is connected to."""
    with pytest.raises(InvalidURL):
        connections.request("GET", url, {})


def test_what_cannot_be_sent_is_an_error_that_quotes_nothing(connections: Connections) -> None:
    """A host that no name has, and a token that is no header."""
    with pytest.raises(UnsendableError):
        connections.request("GET", f"http://{'x' * 70}.example/", {})
    with ScriptedServer(saying(answer())) as server, pytest.raises(UnsendableError) as raised:
        connections.request("GET", server.url, {"authorization": "Bearer secret\nx: y"})
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_port_that_nobody_listens_on_is_an_error(connections: Connections) -> None:
    """At once."""
    with pytest.raises(ConnectionRefusedError):
        connections.request("GET", "http://127.0.0.1:1", {})


def test_a_certificate_is_checked(tmp_path: Path) -> None:
    """One that is trusted, and for this host, is taken over and over; another authority's or host's is not."""
    trusted, server_side = certified(tmp_path, "127.0.0.1")
    with ScriptedServer(saying(answer(b"safe")), tls=server_side) as server:
        connections = Connections(LIMITS, lambda: trusted)
        assert [connections.request("GET", server.url, {}).data for _ in range(3)] == [b"safe"] * 3
        connections.close()
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            Connections(LIMITS).request("GET", server.url, {})
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            Connections(LIMITS, lambda: trusted).request("GET", f"https://localhost:{server.port}", {})
    assert set(server.connections) == {0}


def test_a_host_that_says_nothing_to_the_handshake_is_given_up() -> None:
    """The time to connect counts for TLS as well."""
    limits = CallLimits(connect_timeout=0.2, read_timeout=5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        Connections(limits).request("GET", f"https://127.0.0.1:{silent.getsockname()[1]}", {})
