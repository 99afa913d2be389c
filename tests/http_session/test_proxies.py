"""Requests go through the proxy that the environment names, and credentials only to the host that was meant."""

import base64
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from functions.http_session import NO_RETRY, HttpSession, Network, NoAnswerError, environment_proxies, is_loopback_url
from tests.http_session.certificates import certified
from tests.http_session.scripted import ScriptedServer, answer, saying

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def through(proxies: Mapping[str, str], tls: ssl.SSLContext | None = None) -> HttpSession:
    """Return a session with these proxies."""
    network = Network(proxies=lambda: proxies, tls=lambda: tls or ssl.create_default_context())
    return HttpSession(NO_RETRY, network=network)


@pytest.mark.parametrize("form", ["http://{}", "{}", "http://user:p%40ss@{}"])
def test_plain_requests_are_forwarded(form: str) -> None:
    """The proxy gets the whole URL, and its own user and password where its address has them."""
    with ScriptedServer(saying(answer(b"proxied"))) as proxy:
        session = through({"http": form.format(f"127.0.0.1:{proxy.port}")})
        assert session.request("GET", "http://example.test/a", {}).data == b"proxied"
        session.close()
    sent = proxy.requests[0][1]
    assert sent.startswith(b"GET http://example.test/a HTTP/1.1\r\n")
    shown = base64.b64encode(b"user:p@ss")
    assert (b"proxy-authorization: Basic " + shown in sent) is ("user" in form)


class Tunnel:
    """A proxy that connects every CONNECT to one server, whatever host it names."""

    def __init__(self, port: int) -> None:
        """Listen; *port* is that of the server."""
        self.heard: list[bytes] = []
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._serve)]

    @property
    def address(self) -> str:
        """Host and port."""
        return "127.0.0.1:{}".format(*self._listener.getsockname()[1:])

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                self.heard.append(client.recv(65_536))
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=self._copy, args=(server, client))
                self._threads.append(back)
                back.start()
                self._copy(client, server)
                back.join(5)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                self.heard.append(piece)
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)


def test_encrypted_requests_are_tunnelled(tmp_path: Path) -> None:
    """The proxy learns the host and never sees the token: TLS is verified end to end."""
    trusted, server_side = certified(tmp_path, "192.0.2.1")
    headers = {"authorization": "Bearer secret"}
    with ScriptedServer(saying(answer(b"safe")), tls=server_side) as server, Tunnel(server.port) as proxy:
        session = through({"https": proxy.address}, trusted)
        assert session.request("GET", "https://192.0.2.1/a", headers).data == b"safe"
        session.close()
    assert proxy.heard[0].startswith(b"CONNECT 192.0.2.1:443 HTTP/1")
    assert b"secret" not in b"".join(proxy.heard)
    assert b"authorization: Bearer secret" in server.requests[0][1]


def test_a_proxy_that_is_away_is_named_as_the_cause() -> None:
    """An operator learns where to look, and the caller that nothing was sent."""
    for scheme in ("http", "https"):
        with pytest.raises(NoAnswerError, match=r"^ProxyError$") as raised:
            through({"all": "http://127.0.0.1:1"}).request("GET", f"{scheme}://example.test", {})
        assert not raised.value.may_have_arrived


@pytest.mark.parametrize("proxy", ["http://[", "ftp://127.0.0.1", "socks5://127.0.0.1:1"])
def test_a_proxy_that_is_not_supported_is_an_error(proxy: str) -> None:
    """Nothing is sent past it."""
    with pytest.raises(NoAnswerError, match=r"^the URL of the proxy is not valid$"):
        through({"http": proxy}).request("GET", "http://example.test", {})


def test_this_machine_is_reached_directly() -> None:
    """No proxy could reach a stand-in on a loopback address."""
    with ScriptedServer(saying(answer(b"direct"))) as server:
        session = through({"http": "http://127.0.0.1:1"})
        assert session.request("GET", server.url, {}).data == b"direct"
        session.close()


def test_hosts_of_no_proxy_are_reached_directly() -> None:
    """By the name of the host or of its domain."""
    with pytest.raises(NoAnswerError, match=r"^gaierror$"):
        through({"http": "http://127.0.0.1:1", "no": "example.invalid"}).request("GET", "http://a.example.invalid", {})


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment without proxies."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_the_environment_names_proxies(environment: pytest.MonkeyPatch) -> None:
    """In the usual variables, in either case."""
    assert environment_proxies() == {}
    environment.setenv("HTTPS_PROXY", "http://a:1")
    environment.setenv("no_proxy", "b")
    assert environment_proxies() == {"https": "http://a:1", "no": "b"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1/x", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:1", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_loopback_addresses_are_this_machine(url: str, *, expected: bool) -> None:
    """By name or by number, and nothing that only looks like it."""
    assert is_loopback_url(url) is expected
