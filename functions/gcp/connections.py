"""HTTP to the services of Google, over connections that are kept.

On the standard library's client, which the framework has loaded anyway: another one would cost each cold start more than
all of our own modules together. No redirects, no proxies; whoever calls says how often something is asked.
"""

import io
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache, partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead, InvalidURL
from selectors import EVENT_READ, DefaultSelector
from ssl import SSLContext, create_default_context
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from shared.frozen import dataclass

if TYPE_CHECKING:
    import socket

FAILURES: Final = (OSError, HTTPException)
"""What is raised where there is no answer."""

# Scheme, host and port.
_Place = tuple[str, str, int]
_PORTS: Final = {"http": 80, "https": 443}
# RFC 3986: everything that may stand in a path and a query, and the percent sign of what is encoded already.
_WRITTEN_AS_IT_IS: Final = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How long a call may take, and how much may come of it.

    Attributes:
        connect_timeout: seconds to connect to one address, and for a step of TLS.
        read_timeout: seconds to send the request, and again until the answer is complete.
        connections: how many unused connections to one host are kept.
        largest_answer: bytes of a body. The largest answer that is known is a pull of Pub/Sub, of about 10 MB.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    connections: int = 10
    largest_answer: int = 32 * 1024 * 1024


STANDARD_LIMITS: Final = CallLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer, read to its end.

    Attributes:
        status: the HTTP status.
        headers: by name; how names are written does not matter.
        data: the body.

    """

    status: int
    headers: Mapping[str, str]
    data: bytes


class AnswerTooLargeError(HTTPException):
    """The answer is larger than anybody has use for; it was not read to its end."""


@cache
def standard_tls() -> SSLContext:
    """Return what trusts the authorities of this machine; made once, for reading them takes time."""
    context = create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Connections:
    """Connections to any number of hosts, for any number of threads; a request has its connection for itself.

    Args:
        limits: how long a call may take, and how much may come of it.
        tls: makes what judges certificates.

    """

    def __init__(self, limits: CallLimits = STANDARD_LIMITS, tls: Callable[[], SSLContext] = standard_tls) -> None:
        """Connect to nothing yet."""
        self._limits = limits
        self._tls = tls
        self._lock = threading.Lock()
        self._unused: defaultdict[_Place, list[HTTPConnection]] = defaultdict(list)
        # Whoever forgets these connections has closed them.
        weakref.finalize(self, _close_all, self._unused, self._lock)

    def request(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> HttpAnswer:  # noqa: B006 - a mapping that is only read
        """Send one request and return the answer, whatever its status.

        Where there is none, the request may have arrived all the same. Repeating it gets a connection of its own: when
        one has failed that was kept, the others to this host are not trusted either.

        Raises:
            OSError: the host could not be reached, was silent, or is not who it should be.
            http.client.HTTPException: the URL is none, or the answer is no HTTP, is not complete or is too large.

        """
        place, target = _parsed(url)
        connection = self._connection(place)
        try:
            answer = self._answer(connection, method, target, body, headers)
        except BaseException:
            connection.close()
            self._drop(place)
            raise
        self._keep(place, connection)
        return answer

    def close(self) -> None:
        """Close all connections that nobody uses; the next request opens a new one."""
        _close_all(self._unused, self._lock)

    def _answer(
        self, connection: HTTPConnection, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HttpAnswer:
        if connection.sock is None:
            _connect(connection)
        connection.sock.settimeout(self._limits.read_timeout)
        connection.request(method, target, body, dict(headers))
        ends = time.monotonic() + self._limits.read_timeout
        connection.response_class = partial(_response, ends)  # type: ignore[assignment]  # it is called, no more
        with connection.getresponse() as response:
            content = response.read(self._limits.largest_answer + 1)
            if len(content) > self._limits.largest_answer:
                raise AnswerTooLargeError(f"more than {self._limits.largest_answer} bytes")
            # Reading up to a limit does not complain of an end that comes too early.
            if response.length:
                raise IncompleteRead(content, response.length)
            return HttpAnswer(status=response.status, headers=response.headers, data=content)

    def _connection(self, place: _Place) -> HTTPConnection:
        """Return a connection that was kept and is alive, or a new one."""
        while True:
            with self._lock:
                kept = self._unused[place].pop() if self._unused[place] else None
            if kept is None:
                return self._made(place)
            if not _is_readable(kept.sock):
                return kept
            # Nothing was asked: the server has closed it, or says something that nobody can make sense of.
            kept.close()

    def _made(self, place: _Place) -> HTTPConnection:
        scheme, host, port = place
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=self._limits.connect_timeout, context=self._tls())
        return HTTPConnection(host, port, timeout=self._limits.connect_timeout)

    def _keep(self, place: _Place, connection: HTTPConnection) -> None:
        with self._lock:
            # It is closed where the server has said that this was its last answer.
            if connection.sock is not None and len(self._unused[place]) < self._limits.connections:
                self._unused[place].append(connection)
                return
        connection.close()

    def _drop(self, place: _Place) -> None:
        with self._lock:
            dropped = self._unused.pop(place, [])
        for connection in dropped:
            connection.close()


class _Bytes(io.RawIOBase):
    """What a connection brings until a time is up, however slowly: a socket's own timeout begins anew with each byte."""

    def __init__(self, connection: "socket.socket", ends: float) -> None:
        self._connection = connection
        self._file: Any = connection.makefile("rb", buffering=0)
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - as the base class has it
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._connection.settimeout(left)
        read: int | None = self._file.readinto(buffer)
        return read

    def close(self) -> None:
        # It holds the connection open where nothing else does any more.
        self._file.close()
        super().close()
