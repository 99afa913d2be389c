"""One request over a connection, and its answer: complete, in time, and not larger than anybody needs."""

import io
import socket
import time
from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Final

from shared.frozen import dataclass

FAILURES: Final = (OSError, HTTPException)
"""What is raised where there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How long a call may take, and how much may come of it.

    Attributes:
        connect_timeout: seconds to connect to one address, and for each step of TLS.
        read_timeout: seconds to send the request, and as many until the answer is complete.
        total: seconds for all attempts of a call together, however many addresses a host has.
        connections: how many unused connections to one host are kept.
        largest_answer: bytes of a body. What we ask for brings one megabyte at most.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    total: float = 30
    connections: int = 10
    largest_answer: int = 32 * 1024 * 1024


STANDARD_LIMITS: Final = CallLimits()
NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What is asked.

    Attributes:
        method: the verb, in capitals.
        target: path and query, encoded.
        headers: by name.
        body: what is sent with it; none of a GET.

    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer, read to its end.

    Attributes:
        status: the HTTP status.
        headers: by name, in lower case.
        data: the body; google-auth has the name, and takes this for an answer of its own.

    """

    status: int
    headers: Mapping[str, str]
    data: bytes


class UnsendableError(HTTPException):
    """A host, or a header, is nothing that could be sent."""


class AnswerTooLargeError(HTTPException):
    """The answer is larger than anybody has use for; it was not read to its end."""


def within(seconds: float, ends: float) -> float:
    """Return how many of *seconds* are left until *ends*, a time of `time.monotonic`.

    Raises:
        TimeoutError: none.

    """
    left = min(seconds, ends - time.monotonic())
    if left <= 0:
        raise TimeoutError("the call takes too long")
    return left


def exchange(connection: HTTPConnection, request: HttpRequest, limits: CallLimits, ends: float = NEVER) -> HttpAnswer:
    """Send *request* and return the answer; *connection* is closed then if the server wants no more requests over it.

    Args:
        connection: goes to the server.
        request: what is asked.
        limits: how long that may take, and how much may come of it.
        ends: until when all of it must be done; a time of `time.monotonic`.

    Raises:
        OSError: the host could not be reached, was silent, or is not who it should be.
        HTTPException: the request cannot be sent, or the answer is no HTTP, is not complete or is too large.

    """
    _send(connection, request, limits, ends)
    made: Any = partial(_response, min(time.monotonic() + limits.read_timeout, ends))
    connection.response_class = made
    with connection.getresponse() as response:
        content = response.read(limits.largest_answer + 1)
        if len(content) > limits.largest_answer:
            raise AnswerTooLargeError(f"more than {limits.largest_answer} bytes")
        # Reading up to a limit does not complain of an end that comes too early.
        if response.length:
            raise IncompleteRead(content, response.length)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status, headers=headers, data=content)


def _send(connection: HTTPConnection, request: HttpRequest, limits: CallLimits, ends: float) -> None:
    try:
        if connection.sock is None:
            connection.connect()
        connection.sock.settimeout(within(limits.read_timeout, ends))
        connection.request(request.method, request.target, request.body, dict(request.headers))
    except OSError:
        # That of a certificate is a ValueError, too.
        raise
    except ValueError:
        # Not the cause: its text quotes the header, which may be a token.
        raise UnsendableError("a host or a header that is none") from None


def _response(ends: float, connection: socket.socket, *given: Any, **named: Any) -> HTTPResponse:  # noqa: ANN401 - as it is called
    stream: Any = _Stream(connection, ends)
    return HTTPResponse(stream, *given, **named)


class _Stream(io.RawIOBase):
    """What a connection brings until a time is up: a socket's own timeout begins anew with each byte."""

    def __init__(self, connection: socket.socket, ends: float) -> None:
        self._connection = connection
        self._file: Any = connection.makefile("rb", buffering=0)
        self._ends = ends

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what a response is read from; it asks a socket for it."""
        return io.BufferedReader(self)

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
        # As long as this is open the connection is, even where the client has closed it.
        self._file.close()
        super().close()
