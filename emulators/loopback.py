"""The small HTTP server on loopback that every stand-in answers through."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, read completely.

    Attributes:
        method: the verb, in capitals.
        path: the request target as sent, with its query.
        headers: header values by lower-case name.
        body: the whole body; a chunked body is joined.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; `Content-Length` is added when it is sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(
    status: int,
    content: object,
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = "application/json",
) -> Answer:
    """Return an answer whose body is *content* as JSON.

    Args:
        status: the HTTP status.
        content: anything that JSON can hold.
        headers: headers besides `Content-Type`.
        content_type: the value of `Content-Type`.

    """
    named = {"Content-Type": content_type, **(headers or {})}
    return Answer(status=status, body=json.dumps(content).encode(), headers=named)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the default of 5, connections are refused when a test delivers to dozens of clients at the same time.
    request_queue_size = 128

    def __init__(self, port: int, respond: Callable[[Request], Answer | None]) -> None:
        self.respond = respond
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: tuple[str, int]
    ) -> None:
        # Clients that give up or are killed are normal here; any other error is a bug and must be visible.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Both are needed: without them, Nagle's algorithm and the client's delayed ACK cost 40 ms a call.
    disable_nagle_algorithm = True
    wbufsize = 65536

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=self._body())
        answer = self.server.respond(request)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    # The base class calls the methods by these names.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - see above

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return bytes(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the caller sees every answer."""


class LoopbackServer:
    """An HTTP server on 127.0.0.1 that serves every connection in its own thread.

    The constructor binds the port; requests are answered from `start` on.

    Args:
        respond: returns the answer to a request; None closes the connection without an answer.
        port: the port to listen on; 0 takes a free one.
    """

    def __init__(self, respond: Callable[[Request], Answer | None], *, port: int = 0) -> None:
        self._server = _Server(port, respond)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash."""
        return f"http://{self.address}"

    def start(self) -> Self:
        """Start answering."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and cut the connections that clients keep alive, so that no further request is answered."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in list(self._server.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The thread of this connection has closed it in the meantime.
                continue

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
