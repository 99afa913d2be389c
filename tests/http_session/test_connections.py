"""Connections are reused, replaced when they have died, and given up in time."""

import gc
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from functions.http_session import NO_RETRY, CallLimits, HttpSession, Network, NoAnswerError
from tests.http_session.certificates import certified
from tests.http_session.scripted import Play, ScriptedServer, answer, closing, saying

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LIMITS = CallLimits(connect_timeout=2, read_timeout=0.4, connections=2, answer_size=1000)


@pytest.fixture
def session() -> Iterator[HttpSession]:
    """Return a session that gives up soon."""
    session = HttpSession(NO_RETRY, limits=LIMITS)
    yield session
    session.close()


def trickling(content: bytes) -> Play:
    """Return a play that sends *content* byte by byte, each soon enough for a timeout that begins anew with it."""

    def play(connection: socket.socket) -> None:
        pause = threading.Event()
        for byte in content:
            connection.sendall(bytes([byte]))
            pause.wait(LIMITS.read_timeout / 8)

    return play


def test_a_connection_is_used_again(session: HttpSession) -> None:
    """Several requests, with and without bodies, go over one connection, exactly as given."""
    with ScriptedServer(saying(answer(b"one", "X-Name: Value")), saying(answer(b"two"))) as server:
        first = session.request("GET", f"{server.url}/a?b=%C3%BC c", {"x-mine": "1"})
        second = session.request("POST", server.url, {}, b"body")
    assert (first.status, first.data, first.headers["x-name"]) == (200, b"one", "Value")
    assert second.data == b"two"
    assert server.connections == [0, 0]
    assert server.requests[0][1].startswith(b"GET /a?b=%C3%BC%20c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nuser-agent: retrain-trigger\r\n" in server.requests[0][1]
    assert b"\r\nAccept-Encoding: identity\r\n" in server.requests[0][1]
    assert b"\r\nx-mine: 1\r\n" in server.requests[0][1]
    assert server.requests[1][1].startswith(b"POST / HTTP/1.1\r\n")
    assert server.requests[1][1].endswith(b"body")


def test_a_connection_that_was_closed_meanwhile_is_replaced(session: HttpSession) -> None:
    """A server that closes an idle connection is noticed before anything is sent."""
    with ScriptedServer(closing(answer(b"one")), saying(answer(b"two"))) as server:
        assert session.request("GET", server.url, {}).data == b"one"
        server.ended.acquire()
        assert session.request("GET", server.url, {}).data == b"two"
    assert server.connections == [0, 1]


def test_unrequested_content_is_never_an_answer(session: HttpSession) -> None:
    """A connection on which a server sends more than its answer is not used again."""
    with ScriptedServer(saying(answer(b"one") + answer(b"extra")), saying(answer(b"two"))) as server:
        assert session.request("GET", server.url, {}).data == b"one"
        assert session.request("GET", server.url, {}).data == b"two"


def test_after_a_failure_no_idle_connection_is_trusted(session: HttpSession) -> None:
    """After a request that got no answer the next one gets a new connection, although others are idle."""
    together = threading.Barrier(2)

    def together_with_others(connection: socket.socket) -> None:
        together.wait(5)
        connection.sendall(answer())

    with ScriptedServer(together_with_others, together_with_others, closing(), saying(answer(b"new"))) as server:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: session.request("GET", server.url, {}), range(2)))
        with pytest.raises(NoAnswerError, match=r"^RemoteDisconnected$"):
            session.request("GET", server.url, {})
        assert session.request("GET", server.url, {}).data == b"new"
        # The first two are closed; the frames of the error may have kept them until then.
        gc.collect()
        assert all(server.ended.acquire(timeout=5) for _ in range(2))
    assert sorted(server.connections[:2]) == [0, 1]
    assert server.connections[3] == 2


@pytest.mark.parametrize(
    ("play", "kind"),
    [
        (closing(), "RemoteDisconnected"),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "IncompleteRead"),
        (closing(CHUNKED + b"9\r\nhalf"), "IncompleteRead"),
        (closing(CHUNKED + b"odd\r\nhalf"), "IncompleteRead"),
        (closing(b"220 mail.example ESMTP\r\n"), "BadStatusLine"),
        (closing(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), "LineTooLong"),
        (closing(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200), "HTTPException"),
        (saying(b"HTTP/1.1 200"), "TimeoutError"),
        (saying(b"HTTP/1.1 200 OK\r\nX: "), "TimeoutError"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "TimeoutError"),
        (trickling(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99), "TimeoutError"),
        (trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + b"x" * 99), "TimeoutError"),
        (saying(answer(b"x" * 1001)), "the answer is larger than 1000 bytes"),
        (closing(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001), "the answer is larger than 1000 bytes"),
        (saying(CHUNKED + b"64\r\n%b\r\n" % (b"x" * 100) * 11), "the answer is larger than 1000 bytes"),
    ],
    ids=[
        "nothing", "half", "half chunk", "odd chunk", "other protocol", "long header", "many headers", "slow status",
        "slow headers", "slow body", "trickling headers", "trickling body", "large", "large without length",
        "large in chunks",
    ],
)  # fmt: skip
def test_an_incomplete_answer_is_an_error(session: HttpSession, play: Play, kind: str) -> None:
    """An answer may be late, cut short, too large or not HTTP; the next request gets a new connection."""
    with ScriptedServer(play, saying(answer(b"next"))) as server:
        with pytest.raises(NoAnswerError, match=f"^{kind}$") as raised:
            session.request("GET", server.url, {})
        assert raised.value.may_have_arrived
        assert session.request("GET", server.url, {}).data == b"next"
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
    session: HttpSession, content: bytes, body: bytes
) -> None:
    """A body may be in chunks, of the largest size, or absent."""
    with ScriptedServer(saying(content)) as server:
        assert [session.request("GET", server.url, {}).data for _ in range(2)] == [body] * 2
    assert server.connections == [0, 0]


def test_a_connection_that_the_server_ends_is_closed(session: HttpSession) -> None:
    """`Connection: close`, or a body without a length, ends the connection on our side as well."""
    last = saying(answer(b"one", "Connection: close"))
    with ScriptedServer(last, closing(b"HTTP/1.0 200 OK\r\n\r\ntwo"), saying(answer(b"3"))) as server:
        assert [session.request("GET", server.url, {}).data for _ in range(3)] == [b"one", b"two", b"3"]
        assert all(server.ended.acquire(timeout=5) for _ in range(2))
    assert server.connections == [0, 1, 2]


def test_many_threads_have_a_connection_each_and_few_are_kept(session: HttpSession) -> None:
    """No request waits for another, and only the configured number of connections stays open."""
    together = threading.Barrier(16)

    def together_with_others(connection: socket.socket) -> None:
        together.wait(5)
        connection.sendall(answer())

    with ScriptedServer(*[together_with_others] * 16, saying(answer())) as server, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: session.request("GET", server.url, {}), range(16)))
        assert len(set(server.connections)) == 16
        assert all(server.ended.acquire(timeout=5) for _ in range(14))
        for _ in range(3):
            session.request("GET", server.url, {})
        assert len(set(server.connections)) == 16


@pytest.mark.parametrize("forgotten", [False, True])
def test_connections_of_a_closed_or_forgotten_session_end(*, forgotten: bool) -> None:
    """The server sees the end, and Python warns of no open socket."""
    with ScriptedServer(saying(answer())) as server:
        session = HttpSession(NO_RETRY, limits=LIMITS)
        session.request("GET", server.url, {})
        if forgotten:
            del session
            gc.collect()
        else:
            session.close()
        assert server.ended.acquire(timeout=5)


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x/", "http://", "http:///x", "http://x:port/", "http://x:99999/", "http://[x/", "//x/y"]
)
def test_a_url_that_is_not_valid_is_an_error(session: HttpSession, url: str) -> None:
    """It is found before anything is sent."""
    with pytest.raises(NoAnswerError, match=r"^the URL is not valid$"):
        session.request("GET", url, {})


def test_an_error_never_quotes_the_request(session: HttpSession) -> None:
    """A host name may be too long, and a token may not be valid in a header."""
    with pytest.raises(NoAnswerError, match=r"^LocationParseError$"):
        session.request("GET", f"http://{'x' * 70}.example/", {})
    with ScriptedServer(saying(answer())) as server, pytest.raises(NoAnswerError, match=r"^a header is") as raised:
        session.request("GET", server.url, {"authorization": "Bearer secret\nx: y"})
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert not raised.value.may_have_arrived


def test_a_refused_connection_is_an_error(session: HttpSession) -> None:
    """It is known that nothing was sent."""
    with pytest.raises(NoAnswerError, match=r"^ConnectionRefusedError$") as raised:
        session.request("GET", "http://127.0.0.1:1", {})
    assert not raised.value.may_have_arrived


def test_a_certificate_is_checked(tmp_path: Path) -> None:
    """Only a certificate of a trusted authority and for this host is accepted."""
    trusted, server_side = certified(tmp_path, "127.0.0.1")
    with ScriptedServer(saying(answer(b"safe")), tls=server_side) as server:
        session = HttpSession(NO_RETRY, limits=LIMITS, network=Network(tls=lambda: trusted))
        assert [session.request("GET", server.url, {}).data for _ in range(3)] == [b"safe"] * 3
        for url, other in (
            (server.url, HttpSession(NO_RETRY, limits=LIMITS)),
            (f"https://localhost:{server.port}", session),
        ):
            with pytest.raises(NoAnswerError, match=r"^SSLCertVerificationError$") as raised:
                other.request("GET", url, {})
            assert ("self-signed" in str(raised.value.__cause__)) is (url == server.url)
        session.close()
    assert set(server.connections) == {0}


def test_a_silent_handshake_is_given_up() -> None:
    """The connect timeout counts for each step of TLS as well."""
    limits = CallLimits(connect_timeout=0.2, read_timeout=5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoAnswerError, match=r"^TimeoutError$"):
        HttpSession(NO_RETRY, limits=limits).request("GET", f"https://127.0.0.1:{silent.getsockname()[1]}", {})
