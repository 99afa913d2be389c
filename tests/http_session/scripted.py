"""A server with scripted answers, byte by byte, that records its connections."""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

Play = Callable[[socket.socket], None]
"""The reaction on a connection to a request."""


def answer(body: bytes = b"{}", *headers: str) -> bytes:
    """Return an answer with a length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def saying(content: bytes) -> Play:
    """Return a play that sends *content*, and waits for the next request."""
    return lambda connection: connection.sendall(content)


def closing(content: bytes = b"") -> Play:
    """Return a play that sends *content*, and closes the connection."""

    def play(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return play


class ScriptedServer:
    """Follows a script, request by request, on any connection; the last play is repeated.

    Args:
        plays: the reactions to the requests.
        tls: encrypts, if it is given.

    Attributes:
        requests: each request, and the number of the connection that it came by.
        ended: how many connections have ended.

    """

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None) -> None:
        """Listen."""
        self.requests: list[tuple[int, bytes]] = []
        self.ended = threading.Semaphore(0)
        self._plays: Sequence[Play] = plays
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Begin to accept."""
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        """The port."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> list[int]:
        """The number of the connection of each request."""
        return [number for number, _ in self.requests]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection, len(self._threads)))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as encrypted:
                    self._open.append(encrypted)
                    self._talk(encrypted, number)
            else:
                self._talk(connection, number)
        self.ended.release()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as lines:
            while line := lines.readline():
                head = line
                while line not in {b"\r\n", b""}:
                    line = lines.readline()
                    head += line
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = lines.read(int(length[0].split(b":")[1])) if length else b""
                with self._lock:
                    play = self._plays[min(len(self.requests), len(self._plays) - 1)]
                    self.requests.append((number, head + body))
                play(connection)
