"""The HTTP session for services that are called without an SDK: Google's and Azure's REST APIs, and GitHub.

urllib3 sends requests and keeps connections. This module adds what a function of 60 s needs: one time limit for a whole
call, a limit on the size of an answer, retries by a policy of the caller, and one renewal of refused credentials.
Redirects are never followed: they would take credentials to a host that the configuration does not name.
"""

import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, Protocol
from urllib.parse import unquote

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxyError
from urllib3.util import Timeout, Url, make_headers, parse_url

from shared.backoff import Backoff
from shared.frozen import dataclass

USER_AGENT: Final = "retrain-trigger"
_PIECE: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Limits of time and size.

    Attributes:
        connect_timeout: seconds to connect to one address of a host, and for each step of TLS. All addresses together
            get no more than what is left of `total`.
        read_timeout: seconds until the headers of an answer are complete, and as many for its body.
        total: seconds for a whole call: all attempts, the pauses between them, and a renewal of credentials.
        connections: how many idle connections to one host are kept.
        answer_size: the largest body, in bytes. The largest answer that we request has about one megabyte.
        cut_answers: keep the beginning of a body that is too large or too slow, instead of failing.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    total: float = 30
    connections: int = 16
    answer_size: int = 32 * 1024 * 1024
    cut_answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer, whatever its status.

    Attributes:
        status: the HTTP status.
        headers: by name, in lower case.
        data: the body. google-auth expects this name.

    """

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def is_success(self) -> bool:
        """Whether the service has done what was requested."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


class NoAnswerError(Exception):
    """There is no complete answer. The text is the kind of the failure: it quotes neither the URL nor the request.

    Attributes:
        may_have_arrived: the service may have received and executed the request.

    """

    def __init__(self, kind: str, *, may_have_arrived: bool) -> None:
        """Keep both."""
        super().__init__(kind)
        self.may_have_arrived = may_have_arrived


class Credentials(Protocol):
    """Headers that identify the caller."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers; errors are those of the implementation."""

    def renew(self, refusal: HttpAnswer) -> bool:
        """Forget the credentials that a service refused with *refusal*; return whether there may be others."""


class RetryPolicy(Protocol):
    """Decides whether a request is sent again."""

    def wait(self, outcome: HttpAnswer | NoAnswerError, attempt: int, left: float) -> bool:
        """Wait and return true if the request is to be sent again; otherwise return false immediately.

        Args:
            outcome: the result of the last attempt.
            attempt: the number of the last attempt, from 1.
            left: seconds that are left for the call.

        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTransient:
    """Retries requests that got no answer, or one of some statuses: for requests that may arrive twice.

    Attributes:
        statuses: the HTTP statuses to retry.
        backoff: how often to try, and the pauses.

    """

    statuses: Collection[int]
    backoff: Backoff

    def wait(self, outcome: HttpAnswer | NoAnswerError, attempt: int, left: float) -> bool:  # noqa: ARG002 - the protocol
        """See the protocol."""
        if attempt >= self.backoff.attempts:
            return False
        if isinstance(outcome, HttpAnswer) and outcome.status not in self.statuses:
            return False
        self.backoff.pause(attempt)
        return True


NO_RETRY: Final = RetryTransient(statuses=(), backoff=Backoff(attempts=1))
STANDARD_LIMITS: Final = CallLimits()


@cache
def standard_tls() -> ssl.SSLContext:
    """Return the context that trusts this machine's authorities; loading them takes 10 ms or more, so only once."""
    return ssl.create_default_context()


def environment_proxies() -> Mapping[str, str]:
    """Return HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (in either case), each under its first word."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies_environment

    return getproxies_environment()


def count_addresses(host: str, port: int) -> int:
    """Return how many addresses *host* has; 1 where it cannot be resolved."""
    try:
        return len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)) or 1
    except (OSError, UnicodeError):
        return 1


def is_loopback_url(url: str) -> bool:
    """Return whether the host of *url* is this machine."""
    try:
        host = (parse_url(url).host or "").strip("[]")
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (HTTPError, ValueError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How a session reaches hosts.

    Attributes:
        tls: makes the context that verifies certificates.
        proxies: returns proxies by URL scheme, or by `all`; `no` lists the hosts that are reached directly. Loopback
            addresses always are.
        addresses: counts the addresses of a host and port.
        monotonic: returns a time in seconds that only grows.

    """

    tls: Callable[[], ssl.SSLContext] = standard_tls
    proxies: Callable[[], Mapping[str, str]] = environment_proxies
    addresses: Callable[[str, int], int] = count_addresses
    monotonic: Callable[[], float] = time.monotonic


STANDARD_NETWORK: Final = Network()


class HttpSession:
    """Sends requests; any number of threads may use it.

    Args:
        retry: decides what is sent again.
        credentials: identify the caller; none where a service needs none.
        limits: of time and size.
        network: how hosts are reached.

    """

    def __init__(
        self,
        retry: RetryPolicy,
        *,
        credentials: Credentials | None = None,
        limits: CallLimits = STANDARD_LIMITS,
        network: Network = STANDARD_NETWORK,
    ) -> None:
        self._retry = retry
        self._credentials = credentials
        self._limits = limits
        self._network = network
        self._routes: dict[tuple[str, str, int | None], _Route] = {}

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Args:
            method: the verb, in capitals.
            url: characters that no URL may contain are encoded.
            headers: by name; the credentials' headers are added.
            body: the content.

        Raises:
            NoAnswerError: there is no complete answer within the limits.
            Exception: whatever the credentials raise.

        """
        ends = self._network.monotonic() + self._limits.total
        if self._credentials is None:
            return self._answer(method, url, headers, body, ends)
        answer = self._answer(method, url, {**headers, **self._credentials.headers()}, body, ends)
        # A token may be revoked before it expires. The request was not executed, so it may be sent again.
        if answer.status == HTTPStatus.UNAUTHORIZED and self._credentials.renew(answer):
            answer = self._answer(method, url, {**headers, **self._credentials.headers()}, body, ends)
        return answer

    def close(self) -> None:
        """Close the idle connections; the next request opens a new one."""
        for route in list(self._routes.values()):
            route.manager.clear()

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, ends: float) -> HttpAnswer:
        """Return the answer of the last attempt."""
        attempt = 1
        while True:
            outcome: HttpAnswer | NoAnswerError
            try:
                outcome = self._attempt(method, url, headers, body, ends - self._network.monotonic())
            except NoAnswerError as error:
                outcome = error
            if not self._retry.wait(outcome, attempt, ends - self._network.monotonic()):
                break
            attempt += 1
        if isinstance(outcome, NoAnswerError):
            raise outcome
        return outcome

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, left: float
    ) -> HttpAnswer:
        if left <= 0:
            raise NoAnswerError("TimeoutError", may_have_arrived=False)
        route = self._route(url)
        limits = self._limits
        ends = time.monotonic() + left
        # urllib3 gives each address the whole connect timeout, and a host of Google has many addresses.
        connect = min(limits.connect_timeout, left / route.addresses)
        try:
            response = route.manager.request(
                method,
                url,
                body=body,
                headers={"user-agent": USER_AGENT, **{name.lower(): value for name, value in headers.items()}},
                timeout=Timeout(connect=connect, read=limits.read_timeout, total=left),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                content = self._content(response, min(limits.read_timeout, ends - time.monotonic()))
            finally:
                # A connection whose answer was read to its end is back in the pool by now; any other one is closed.
                response.close()
        except BaseException as error:
            # The other idle connections to this host have most likely died as well.
            route.manager.clear()
            if isinstance(error, NoAnswerError):
                raise
            if isinstance(error, HTTPError | HTTPException | OSError):
                raise NoAnswerError(_kind(error), may_have_arrived=_may_have_arrived(error)) from error
            if isinstance(error, ValueError):
                # Not the cause: its text quotes the header, which may be a token.
                raise NoAnswerError("a header is not valid", may_have_arrived=False) from None
            raise
        answered = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status, headers=answered, data=content)

    def _content(self, response: urllib3.BaseHTTPResponse, seconds: float) -> bytes:
        limit, content = self._limits.answer_size, bytearray()
        try:
            with _within(seconds, response.shutdown):
                while len(content) <= limit and (piece := response.read1(_PIECE)):
                    content += piece
        except (TimeoutError, urllib3.exceptions.TimeoutError):
            if not self._limits.cut_answers:
                raise
        if len(content) > limit and not self._limits.cut_answers:
            raise NoAnswerError(f"the answer is larger than {limit} bytes", may_have_arrived=True)
        return bytes(content[:limit])

    def _route(self, url: str) -> "_Route":
        """Return how the host of *url* is reached.

        Raises:
            NoAnswerError: the URL, or that of the proxy, is not valid.

        """
        try:
            target = parse_url(url)
        except HTTPError as error:
            raise NoAnswerError("the URL is not valid", may_have_arrived=False) from error
        if target.scheme not in {"http", "https"} or not target.host:
            raise NoAnswerError("the URL is not valid", may_have_arrived=False)
        place = (target.scheme, target.host, target.port)
        if place not in self._routes:
            try:
                self._routes[place] = self._new_route(target)
            except (HTTPError, ValueError) as error:
                raise NoAnswerError("the URL of the proxy is not valid", may_have_arrived=False) from error
        return self._routes[place]

    def _new_route(self, target: Url) -> "_Route":
        options: dict[str, Any] = {"maxsize": self._limits.connections}
        if target.scheme == "https":
            options["ssl_context"] = self._network.tls()
        proxy = _proxy(target, self._network.proxies())
        if proxy is None:
            manager = urllib3.PoolManager(**options)
        else:
            if proxy.auth:
                options["proxy_headers"] = make_headers(proxy_basic_auth=unquote(proxy.auth))
            manager = urllib3.ProxyManager(proxy._replace(auth=None).url, **options)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        first = proxy or target
        return _Route(manager=manager, addresses=self._network.addresses(first.host or "", first.port or 443))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    manager: urllib3.PoolManager
    addresses: int


class _Timed(HTTPConnection):
    """Limits the time of all headers together."""

    def getresponse(self) -> Any:  # noqa: ANN401 - as the base class calls it
        sock, seconds = self.sock, self.timeout
        with _within(seconds or 0, lambda: sock.shutdown(socket.SHUT_RD)):
            return super().getresponse()


class _TimedTls(HTTPSConnection, _Timed):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Timed


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTls


@contextmanager
def _within(seconds: float, end: Callable[[], object]) -> Iterator[None]:
    """Call *end* from another thread after *seconds*: the timeout of a socket begins anew with each byte.

    Raises:
        TimeoutError: the block took longer.

    """
    lock, done, late = threading.Lock(), threading.Event(), threading.Event()

    def cut() -> None:
        with lock:
            if not done.is_set():
                late.set()
                # It has ended by itself.
                with suppress(OSError, ValueError, RuntimeError):
                    end()

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if late.is_set():
            # Whatever the end of the connection has looked like.
            raise TimeoutError("the answer takes too long") from None
        raise
    finally:
        with lock:
            done.set()
        timer.cancel()
    if late.is_set():
        raise TimeoutError("the answer takes too long")


def _proxy(target: Url, proxies: Mapping[str, str]) -> Url | None:
    address = proxies.get(target.scheme or "") or proxies.get("all")
    if not address or is_loopback_url(target.url):
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

    if proxy_bypass_environment(target.netloc, dict(proxies)):
        return None
    return parse_url(address if "://" in address else f"http://{address}")


def _may_have_arrived(error: BaseException) -> bool:
    inner = error.original_error if isinstance(error, ProxyError) else error
    return not isinstance(inner, ConnectTimeoutError)


def _kind(error: BaseException) -> str:
    """Return the class name of the innermost cause, which says more than that of urllib3, or that it is the proxy."""
    while not isinstance(error, ProxyError):
        inner = error.__cause__ or next((each for each in error.args if isinstance(each, Exception)), None)
        if inner is None:
            break
        error = inner
    return type(error).__name__
