"""The HTTP server on this machine over real sockets: what it answers, what it refuses, and that no client blocks it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from functions.local.listener import Limits, Listener, ListenError
from functions.local.server import application
from functions.local.wiring import local_cloud
from shared.http.messages import MAX_BODY
from tests.local.given import until

CONFIGURATION = '[models."churn".target.local]\nkind = "command"\ncommand = ["true"]\n'
SMALL = Limits(connections=5, idle=1, request=2)


@contextmanager
def running(app: Any, limits: Limits = SMALL) -> Iterator[Listener]:
    """Run a server on a free port."""
    listener = Listener(app, "127.0.0.1", 0, limits)
    thread = threading.Thread(target=listener.run, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.stop()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Listener]:
    """The HTTP API with small limits, which also answers under the name box.example."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION, encoding="ascii")
    cloud = local_cloud({"RETRAIN_CONFIG": str(tmp_path / "retrain.toml")})
    with running(application(cloud.emitter, ["box.example"])) as listener:
        yield listener
    cloud.bus.close()


def answer(listener: Listener, path: str = "/health", method: str = "GET", body: Any = None, **headers: str) -> Any:
    """Send a request and return status, content type and body of the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=20)
    try:
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response.status, response.getheader("content-type"), json.loads(response.read())
    finally:
        connection.close()


def connect(listener: Listener, sent: bytes = b"") -> socket.socket:
    """Open a connection and send the beginning of a request."""
    connection = socket.create_connection(("127.0.0.1", listener.port), timeout=20)
    connection.sendall(sent)
    return connection


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *[(host, 200) for host in ("localhost", "127.0.0.1:8080", "[::1]:8080", "x.localhost", "BOX.example:8080")],
        *[(host, 403) for host in ("evil.example", "localhost.evil.example", "192.168.1.2:8080", "", "localhost, a")],
    ],
)
def test_only_known_host_names_are_answered(server: Listener, host: str, status: int) -> None:
    """A foreign page that reaches this machine under a name of its own (DNS rebinding) gets 403, for reading, too."""
    found, kind, body = answer(server, host=host)
    assert (found, kind) == (status, "application/json" if status == 200 else "application/problem+json")
    assert status == 200 or body["detail"].startswith(f"the Host {host!r} is not a name of this server; ")


def test_the_own_page_may_act_under_every_permitted_name(server: Listener) -> None:
    """The origin of a permitted name is own with http, and a foreign one gets 403."""
    body = json.dumps({"model_id": "churn"})
    sent = {"content_type": "application/json", "host": "box.example:8080"}
    assert answer(server, "/retrain", "POST", body, origin="http://box.example:8080", **sent)[0] == 202
    assert answer(server, "/retrain", "POST", body, origin="http://evil.example", **sent)[0] == 403


def test_a_long_body_is_refused_unread(server: Listener) -> None:
    """A body over 256 KB is 413 before any of it arrives; one of exactly 256 KB is read."""
    head = b"POST /retrain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with connect(server, head % (MAX_BODY + 1)) as connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        problem = json.loads(response.read())
        assert (response.status, problem["status"], problem["title"]) == (413, 413, "Content Too Large")
        assert connection.recv(1) == b""
    assert answer(server, "/retrain", "POST", b" " * MAX_BODY, content_type="application/json")[0] == 400


def test_a_long_body_in_chunks_is_refused(server: Listener) -> None:
    """A body without a length is read up to the limit and no further."""
    head = b"POST /retrain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(server, head) as connection:
        connection.sendall(b"%x\r\n%s\r\n" % (MAX_BODY, b" " * MAX_BODY))
        connection.sendall(b"10\r\n")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == 413


@pytest.mark.parametrize(
    ("sent", "status"), [(b"nonsense\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431)]
)
def test_a_malformed_request_is_a_problem_document(server: Listener, sent: bytes, status: int) -> None:
    """Requests that never reach the API are answered in its form, too."""
    with connect(server, sent) as connection:
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, response.getheader("content-type")) == (status, "application/problem+json")
        assert json.loads(response.read())["status"] == status


@pytest.mark.parametrize("sent", [b"", b"POST /retrain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"])
def test_idle_and_slow_clients_block_no_others(server: Listener, sent: bytes) -> None:
    """With more open connections than the server keeps, others are answered immediately."""
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(connect(server, sent))
        begun = time.monotonic()
        assert [answer(server)[0] for _ in range(3)] == [200] * 3
        assert time.monotonic() - begun < 1


def test_an_idle_connection_is_closed(server: Listener) -> None:
    """A connection without a request ends after the time for it."""
    with connect(server) as connection:
        assert connection.recv(1) == b""


def test_a_request_that_never_completes_is_closed(server: Listener) -> None:
    """A client that keeps sending a little is cut off when the time for a request is over."""
    with connect(server, b"GET /health HTTP/1.1\r\n") as connection:
        begun = time.monotonic()
        until(lambda: is_cut_off(connection), 20)
    assert time.monotonic() - begun >= SMALL.request - 0.5


def is_cut_off(connection: socket.socket) -> bool:
    """Send a little more of a request, and return whether the server has closed the connection."""
    try:
        connection.sendall(b"X: x\r\n")
    except OSError:
        return True
    time.sleep(0.1)
    return False


def slow(begun: threading.Event, go_on: threading.Event) -> Callable[[Any, Any], Iterable[bytes]]:
    """Return an application that answers once it may go on."""

    def answered(_environ: Any, start_response: Any) -> Iterable[bytes]:
        begun.set()
        assert go_on.wait(10)
        start_response("200 OK", [("content-length", "2")])
        return [b"ok"]

    return answered


def test_stopping_finishes_what_is_in_progress() -> None:
    """A request that is being answered when the server stops gets its answer; new connections are refused."""
    begun, go_on = threading.Event(), threading.Event()
    with running(slow(begun, go_on)) as listener, connect(listener, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
        assert begun.wait(5)
        listener.stop()
        until(lambda: refuses(listener.port))
        go_on.set()
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, response.read()) == (200, b"ok")
    listener.stop()


def refuses(port: int) -> bool:
    """Whether connections to a port are refused."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_used_port_is_named() -> None:
    """The error names the port and says what to do."""
    app = slow(threading.Event(), threading.Event())
    with running(app) as listener, pytest.raises(ListenError) as caught:
        Listener(app, "127.0.0.1", listener.port)
    expected = f"--port: {listener.port} on 127.0.0.1 is in use; stop the program that uses it or choose another one"
    assert str(caught.value) == expected


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_foreign_address_is_named(host: str) -> None:
    """An address of another machine, or a name without one, is reported as such."""
    with pytest.raises(ListenError, match=rf"^--host: '{host}' is not an address of this machine"):
        Listener(slow(threading.Event(), threading.Event()), host, 0)
