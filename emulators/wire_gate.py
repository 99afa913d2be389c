"""A proxy for TCP connections of any protocol, also gRPC, which no HTTP server of the standard library forwards."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

_PIECE = 65536


class WireGate:
    """Forwards connections to one address, or temporarily to another.

    Attributes:
        connections: the number of connections so far.

    """

    def __init__(self, address: str) -> None:
        """Forward to *address*, `host:port`; the constructor binds the port."""
        self.connections = 0
        self._address = address
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Start forwarding."""
        self._begin(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut all connections and stop."""
        # Closing a listener does not wake the thread that waits in `accept`.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        for thread in self._threads:
            thread.join()

    @contextmanager
    def leading_to(self, address: str) -> Iterator[None]:
        """Forward to another address until the context ends; connections are cut when it starts and when it ends."""
        usual, self._address = self._address, address
        self._cut()
        try:
            yield
        finally:
            self._address = usual
            self._cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                host, port = self._address.split(":")
                far = socket.create_connection((host, int(port)))
            except OSError:
                near.close()
                continue
            with self._lock:
                self.connections += 1
                self._open |= {near, far}
            self._begin(self._forward, near, far)
            self._begin(self._forward, far, near)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                target.sendall(piece)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()

    def _cut(self) -> None:
        with self._lock:
            connections = list(self._open)
        for each in connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _begin(self, work: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
