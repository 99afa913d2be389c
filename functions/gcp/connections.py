"""HTTP to the services of Google, over connections that are kept.

On the standard library's client, which the framework has loaded anyway: urllib3 would cost each cold start a tenth of
what the framework takes. No redirects, no proxies, and nothing is asked twice here.
"""

import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPConnection, HTTPSConnection, InvalidURL
from selectors import EVENT_READ, DefaultSelector
from ssl import SSLContext, create_default_context
from typing import Any, Final
from urllib.parse import quote, urlsplit

from functions.gcp.exchange import NEVER, STANDARD_LIMITS, CallLimits, HttpAnswer, HttpRequest, exchange, within

# Scheme, host and port.
_Place = tuple[str, str, int]
_PORTS: Final = {"http": 80, "https": 443}
# RFC 3986: what may stand in a path and a query, and the percent sign of what is encoded already.
_AS_IT_IS: Final = "/?:@!$&'()*+,;=-._~%[]"


@cache
def standard_tls() -> SSLContext:
    """Return what trusts the authorities that this machine trusts; made once, for reading them takes time."""
    context = create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connections:
    """Connections to any number of hosts, for any number of threads; each request has one for itself.

    Args:
        limits: how long a call may take, and how much may come of it.
        tls: makes what judges certificates.

    """

    def __init__(self, limits: CallLimits = STANDARD_LIMITS, tls: Callable[[], SSLContext] = standard_tls) -> None:
        """Connect to nothing yet."""
        self._limits = limits
        self._tls = tls
        self._lock = threading.Lock()
        self._unused: dict[_Place, list[HTTPConnection]] = {}
        # Whoever forgets this object has closed its connections.
        weakref.finalize(self, _close_all, self._unused, self._lock)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, *, ends: float = NEVER
    ) -> HttpAnswer:
        """Send one request and return the answer, whatever its status.

        Without an answer, the request may have arrived all the same. Whoever repeats it gets a new connection: the ones
        that were kept have most likely died of the same.

        Args:
            method: the verb, in capitals.
            url: where to; what no URL may hold is encoded.
            headers: by name.
            body: what is sent with it.
            ends: until when all of it must be done, but for a handshake that has begun; a time of `time.monotonic`.

        Raises:
            OSError: the host could not be reached, was silent, or is not who it should be.
            http.client.HTTPException: the URL is none, or the answer is no HTTP, is not complete or is too large.

        """
        place, target = _parsed(url)
        connection = self._connection(place, ends)
        try:
            request = HttpRequest(method=method, target=target, headers=headers, body=body)
            answer = exchange(connection, request, self._limits, ends)
        except BaseException:
            connection.close()
            self._drop(place)
            raise
        self._keep(place, connection)
        return answer

    def close(self) -> None:
        """Close the connections that nobody uses; the next request opens a new one."""
        _close_all(self._unused, self._lock)

    def _connection(self, place: _Place, ends: float) -> HTTPConnection:
        """Return a connection that was kept and is alive, or a new one."""
        while True:
            with self._lock:
                kept = self._unused.get(place)
                connection = kept.pop() if kept else None
            if connection is None:
                return self._made(place, ends)
            if not _is_readable(connection):
                return connection
            # Nothing was asked: the server has closed it, or says something that is no answer to anything.
            connection.close()

    def _made(self, place: _Place, ends: float) -> HTTPConnection:
        scheme, host, port = place
        timeout = self._limits.connect_timeout
        if scheme == "https":
            made: Any = HTTPSConnection(host, port, timeout=timeout, context=self._tls())
        else:
            made = HTTPConnection(host, port, timeout=timeout)
        # Its own would wait at each address for so long, and a host of Google has many.
        made._create_connection = partial(connected, ends)  # noqa: SLF001 - there is no other way in
        connection: HTTPConnection = made
        return connection

    def _keep(self, place: _Place, connection: HTTPConnection) -> None:
        with self._lock:
            kept = self._unused.setdefault(place, [])
            # There is no socket any more where the server wanted no more requests.
            if connection.sock is not None and len(kept) < self._limits.connections:
                kept.append(connection)
                return
        connection.close()

    def _drop(self, place: _Place) -> None:
        with self._lock:
            dropped = self._unused.pop(place, [])
        for connection in dropped:
            connection.close()


def connected(
    ends: float,
    place: tuple[str, int],
    timeout: float,
    _source: object = None,
    *,
    look_up: Callable[..., list[tuple[Any, ...]]] = socket.getaddrinfo,
) -> socket.socket:
    """Return a connection to the first address of a host that takes one.

    Args:
        ends: until when all addresses together are tried; a time of `time.monotonic`.
        place: host and port.
        timeout: seconds to try one address.
        look_up: finds the addresses.

    Raises:
        OSError: none takes one in time.

    """
    failure = OSError("the host has no address")
    for *_, address in look_up(*place, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection(address[:2], within(timeout, ends))
        except OSError as error:
            failure = error
    raise failure


def _parsed(url: str) -> tuple[_Place, str]:
    """Return where *url* is, and what is asked for there."""
    try:
        parts = urlsplit(url)
        standard = _PORTS[parts.scheme]
        port = parts.port or standard
    except (ValueError, KeyError) as error:
        raise InvalidURL("its scheme, host or port is none") from error
    if not parts.hostname:
        raise InvalidURL("it has no host")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return (parts.scheme, parts.hostname, port), quote(target, safe=_AS_IT_IS)


def _is_readable(connection: HTTPConnection) -> bool:
    with DefaultSelector() as selector:
        selector.register(connection.sock, EVENT_READ)
        return bool(selector.select(0))


def _close_all(unused: dict[_Place, list[HTTPConnection]], lock: threading.Lock) -> None:
    with lock:
        closed = [connection for kept in unused.values() for connection in kept]
        unused.clear()
    for connection in closed:
        connection.close()
