"""The HTTP server of this machine: waitress, within limits, so that slow or idle clients never block the others.

Waitress reads requests in one thread without blocking and hands complete ones to worker threads. But with
its defaults 100 idle connections keep everyone else out for two minutes, and a client that sends a byte now and then
keeps its connection without end.
"""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from shared.errors import RetrainError
from shared.frozen import dataclass
from shared.http.messages import MAX_BODY, problem

THREADS: Final = 8
MAX_HEADERS: Final = 64 * 1024
# Requests take milliseconds here; those in progress when the server is stopped get this many seconds.
STOP_TIME_LIMIT: Final = 5.0

StartResponse = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class ListenError(RetrainError):
    """The server cannot listen on the address that it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much clients may use.

    Attributes:
        connections: beyond this number the connection that has waited longest is closed for each new one; those whose
            request is being answered are not counted out.
        idle: seconds after which a connection without a request is closed.
        request: seconds in which a request must have arrived completely.

    """

    connections: int = 200
    idle: int = 60
    request: int = 30


_DEFAULTS: Final = Limits()


class Listener:
    """A server that listens from its construction and answers while `run` runs.

    Attributes:
        host: the address that it listens on.
        port: its port.

    """

    def __init__(self, application: Application, host: str, port: int, limits: Limits = _DEFAULTS) -> None:
        """Listen on *host* and *port* (0: any free one).

        Raises:
            ListenError: the port is in use, or the address is not one of this machine.

        """
        sock = _bound(host, port)
        # It warns whenever all threads are busy.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._map: dict[int, Any] = {}
        self._server = _Server(application, self._map, sock, limits)
        self.host, self.port = sock.getsockname()[:2]
        self._stopping = threading.Event()
        # Reentrant: a signal handler may call `stop` in the thread that holds it.
        self._lock = threading.RLock()
        self._is_closed = False

    def run(self) -> None:
        """Answer requests until `stop` is called, then finish those in progress and close everything."""
        while not self._stopping.is_set():
            self._step(1.0)
        # No new connections; the rest of the map goes on.
        wasyncore.dispatcher.close(self._server)
        limit = time.monotonic() + STOP_TIME_LIMIT
        while self._is_answering() and time.monotonic() < limit:
            self._step(0.05)
        self._server.task_dispatcher.shutdown(timeout=1)
        with self._lock:
            self._is_closed = True
            for channel in list(self._server.active_channels.values()):
                channel.handle_close()
            self._server.trigger.close()

    def stop(self) -> None:
        """Let `run` return; may be called from any thread and from a signal handler, and more than once."""
        self._stopping.set()
        with self._lock:
            if not self._is_closed:
                self._server.pull_trigger()

    def _step(self, timeout: float) -> None:
        # select() would fail with descriptors above 1023.
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._map, count=1)

    def _is_answering(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)


class _ProblemTask(ErrorTask):  # type: ignore[misc] # waitress has no types
    """Answers a request that waitress itself refuses: malformed, too large, or an unexpected error."""

    def execute(self) -> None:
        error = self.request.error
        detail = str(error.reason)
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            size = self.request.headers.get("CONTENT_LENGTH") or f"more than {MAX_BODY}"
            detail = f"the body has {size} bytes; at most {MAX_BODY} are accepted"
        response = problem(HTTPStatus(error.code), detail)
        body = response.body.encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend(response.headers.items())
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection that knows since when its unfinished request is arriving."""

    error_task_class = _ProblemTask
    request_begun = 0.0

    def received(self, data: bytes) -> bool:
        before = self.request
        done = bool(super().received(data))
        if self.request is not before or before is None:
            self.request_begun = time.time()
        return done

    def priority(self) -> tuple[bool, float]:
        """Order connections that may be closed for new ones: idle ones first, and those that wait longest."""
        return self.request is not None, self.last_activity if self.request is None else self.request_begun


class _Server(TcpWSGIServer):  # type: ignore[misc] # waitress has no types
    channel_class = _Channel

    def __init__(self, application: Application, channels: dict[int, Any], sock: socket.socket, limits: Limits) -> None:
        self._limits = limits
        adjustments = Adjustments(
            threads=THREADS,
            ident="retrain",
            # Refused from this size on, without reading the rest.
            max_request_body_size=MAX_BODY + 1,
            max_request_header_size=MAX_HEADERS,
            channel_timeout=limits.idle,
            cleanup_interval=1,
            # Beyond it waitress accepts no connection; `handle_accept` makes room before.
            connection_limit=2 * limits.connections + 2,
            log_socket_errors=False,
        )
        address = (sock.family, sock.type, sock.proto, sock.getsockname())
        super().__init__(application, channels, _sock=sock, adj=adjustments, sockinfo=address, bind_socket=False)

    def handle_accept(self) -> None:
        if len(self.active_channels) >= self._limits.connections:
            waiting = [each for each in self.active_channels.values() if not each.requests and not each.will_close]
            if waiting:
                min(waiting, key=_Channel.priority).will_close = True
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        for channel in self.active_channels.values():
            late = channel.request is not None and now - channel.request_begun > self._limits.request
            if late and not channel.requests:
                channel.will_close = True


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"--host: {host!r} is not an address of this machine: {error.strerror}") from error
    try:
        # A port whose last connections have just ended is free.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # Two sockets may be bound to one address before one of them listens.
        sock.listen()
    except OSError as error:
        sock.close()
        raise _listen_error(host, port, error) from error
    return sock


def _listen_error(host: str, port: int, error: OSError) -> ListenError:
    match error.errno:
        case errno.EADDRINUSE:
            return ListenError(
                f"--port: {port} on {host} is in use; stop the program that uses it or choose another one"
            )
        case errno.EACCES:
            return ListenError(f"--port: {port} on {host} needs more rights than this user has; choose one above 1023")
        case errno.EADDRNOTAVAIL:
            return ListenError(f"--host: {host!r} is not an address of this machine")
    return ListenError(f"cannot listen on port {port} of {host}: {error.strerror}")
