"""Makes the clients of Azure services: on first use, with time limits that suit a function."""

import threading
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from functions.azure.addresses import Place, is_loopback, is_plain
from functions.azure.credentials import Access, make_identity, storage_keys
from functions.azure.failures import AnswerError
from functions.azure.launcher import PUBLIC
from shared.errors import ConfigError
from shared.frozen import dataclass

if TYPE_CHECKING:
    from functions.azure.tables import TableClient
    from functions.http_session import CallLimits as SessionLimits
    from functions.http_session import Credentials
    from functions.rest import RestClient


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Time limits of one attempt of a call; `functions.azure.errors.Persistence` says how often it is attempted.

    Attributes:
        connect_timeout: seconds to connect.
        read_timeout: seconds without a byte.

    """

    connect_timeout: float = 3
    read_timeout: float = 10

    @property
    def options(self) -> dict[str, Any]:
        """The same limits as options of azure-core."""
        return {"connection_timeout": self.connect_timeout, "read_timeout": self.read_timeout}

    @property
    def of_session(self) -> "SessionLimits":
        """The same limits for our own session; a renewal of a token is part of the whole."""
        from functions.http_session import CallLimits as SessionLimits

        whole = self.connect_timeout + self.read_timeout
        return SessionLimits(connect_timeout=self.connect_timeout, read_timeout=self.read_timeout, total=whole)


def rest_client(limits: "SessionLimits", credentials: "Credentials | None" = None) -> "RestClient":
    """Return a client of REST APIs of Azure, without azure-core, whose import takes longer than a call.

    Each call is one attempt, and one more with another token if the service refuses the first one;
    `functions.azure.errors.call` repeats it. An answer that is an error is a `functions.azure.failures.AnswerError`.

    Args:
        limits: how long a call may take.
        credentials: the identity; none for a stand-in on this machine.

    """
    from functions.http_session import NO_RETRY, HttpSession
    from functions.rest import RestClient

    return RestClient(HttpSession(NO_RETRY, credentials=credentials, limits=limits), AnswerError)


_NO_ACCESS: Final = Access()
_DEFAULTS: Final = CallLimits()
# Otherwise the clients would sleep for as long as a service requests, and follow redirects with the data they send.
_NO_REPEATS: Final[dict[str, Any]] = {"retry_total": 0, "permit_redirects": False}


class Clients:
    """Makes each client once; the clients may be used by several threads.

    Args:
        access: how to authenticate.
        limits: time limits of calls.

    """

    def __init__(self, access: Access = _NO_ACCESS, limits: CallLimits = _DEFAULTS) -> None:
        """Keep the arguments; clients are made on first use."""
        self._access = access
        self._limits = limits
        self._options = limits.options
        self._made: dict[object, Any] = {}
        # Reentrant, because making a client makes the credential.
        self._lock = threading.RLock()

    def topic(self, endpoint: str) -> Callable[[], Any]:
        """Return a function that returns the client of the Event Grid topic at *endpoint*."""
        return partial(self._once, ("topic", endpoint), partial(self._make_topic, endpoint))

    def table(self, place: Place) -> Callable[[], "TableClient"]:
        """Return a function that returns the client of a table."""
        return partial(self._once, ("table", place), partial(self._make_table, place))

    def container(self, place: Place) -> Callable[[], Any]:
        """Return a function that returns the client of a blob container."""
        return partial(self._once, ("container", place), partial(self._make_container, place))

    def resource_manager(self, endpoint: str = PUBLIC) -> Callable[[], "RestClient"]:
        """Return a function that returns the client of Azure Resource Manager at *endpoint*."""
        # The Resource Manager of every Azure cloud has its own address as audience.
        return self.rest(endpoint, PUBLIC if is_loopback(endpoint) else endpoint.rstrip("/"))

    def rest(self, url: str, audience: str) -> Callable[[], "RestClient"]:
        """Return a function that returns the client of a service at *url* that takes tokens for *audience*."""
        return partial(self._once, ("rest", url, audience), partial(self._make_rest, url, audience))

    def close(self) -> None:
        """Close the connections of all clients that were made."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    def _once(self, key: object, make: Callable[[], object]) -> Any:  # noqa: ANN401 - each client has its own class
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def _make_topic(self, endpoint: str) -> object:
        from azure.core.credentials import AzureKeyCredential
        from azure.eventgrid import EventGridPublisherClient

        _check_secure(endpoint)
        # The constructor ignores time limits and retries, so they are passed with every call.
        options = {**self._options, **_NO_REPEATS}
        credential = None if self._access.topic_key else self._identity_for(endpoint)
        if credential is None:
            # An emulator on this machine checks no key, but the SDK sends nothing without one.
            credential = AzureKeyCredential(self._access.topic_key or "none")
        elif is_plain(endpoint):
            options["enforce_https"] = False
        return _Topic(EventGridPublisherClient(endpoint, credential), options)

    def _make_table(self, place: Place) -> object:
        from functions.azure.tables import AUDIENCE, TableClient

        keys = storage_keys(self._access, place.endpoint)
        rest = rest_client(self._limits.of_session, self._bearer(AUDIENCE) if keys is None else None)
        return TableClient(rest, place, keys)

    def _make_container(self, place: Place) -> object:
        from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
        from azure.storage.blob import ContainerClient

        keys, credential = storage_keys(self._access, place.endpoint), None
        if keys is not None:
            shared = AzureNamedKeyCredential(keys.account, b64encode(keys.key).decode())
            credential = shared if keys.key else AzureSasCredential(keys.signature)
        return ContainerClient(
            place.endpoint, place.name, credential=credential or self._identity(), **_NO_REPEATS, **self._options
        )

    def _make_rest(self, url: str, audience: str) -> object:
        _check_secure(url)
        identity = self._identity_for(url)
        return rest_client(self._limits.of_session, None if identity is None else self._bearer(audience))

    def _bearer(self, audience: str) -> "Credentials":
        from functions.azure.tokens import Bearer, kept

        # One for all clients, so that clients of the same audience share a token.
        return Bearer(self._once("tokens", lambda: kept(self._identity())), audience)

    def _identity_for(self, url: str) -> Any:  # noqa: ANN401 - a class of azure-identity
        """Return our identity; none for an emulator on this machine, unless the platform provides one here."""
        return None if is_loopback(url) and not self._access.managed_identity else self._identity()

    def _identity(self) -> Any:  # noqa: ANN401 - a class of azure-identity
        return self._once("identity", lambda: make_identity(self._access, **self._options))


def _check_secure(url: str) -> None:
    if is_plain(url) and not is_loopback(url):
        raise ConfigError("environment", [f"{url}: must begin with https://, because a token or a key is sent there"])


@dataclass(frozen=True, slots=True)
class _Topic:
    client: Any
    options: dict[str, Any]

    def send(self, events: list[Any], **options: object) -> None:
        self.client.send(events, **self.options, **options)

    def close(self) -> None:
        self.client.close()
