"""Makes the clients of AWS services: on first use, with time limits that suit a function, in an assumed role."""

import re
import threading
from collections.abc import Callable
from dataclasses import field
from functools import cache, cached_property, partial
from typing import Any, Final

from shared.frozen import dataclass

SESSION_NAME: Final = "retrain-trigger"

_QUEUE_URL: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Time limits of a call.

    With the defaults a call to a silent service fails after 30 to 33 s, well within a function's 60 s.

    Attributes:
        connect_timeout: seconds to connect.
        read_timeout: seconds without a byte.
        attempts: the total number of attempts when the service throttles, fails or is silent.
        connections: how many calls of one client may be in progress at the same time.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    attempts: int = 3
    connections: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedRole:
    """A role to use instead of the function's own, such as one of the account that owns the bus.

    Attributes:
        arn: the role.
        external_id: the external id that its trust policy requires, if any.

    """

    arn: str
    external_id: str = field(default="", repr=False)


_DEFAULTS: Final = CallLimits()


class Clients:
    """Makes each client once. botocore itself handles other endpoints (`AWS_ENDPOINT_URL` and its variants).

    botocore is used without boto3, whose import loads s3transfer: 50 ms of every cold start.

    Args:
        region: the region of services that are requested without one; by default botocore's own rules apply.
        role: the role to assume, if any.
        limits: time limits of calls.

    """

    def __init__(
        self, *, region: str | None = None, role: AssumedRole | None = None, limits: CallLimits = _DEFAULTS
    ) -> None:
        """Keep the arguments; clients are made on first use."""
        self._region = region
        self._role = role
        self._limits = limits
        self._made: dict[tuple[str, str | None, int], Any] = {}
        self._lock = threading.Lock()

    def factory(self, service: str, region: str | None = None, *, attempts: int = 0) -> Callable[[], Any]:
        """Return a function that makes the client of *service* on its first call and then always returns the same.

        Args:
            service: botocore's name of the service, such as `events`.
            region: its region, if it differs from the default.
            attempts: the total number of attempts of a call, if not that of the limits: 1 for calls that must not be
                repeated after a lost answer.

        """
        return partial(self._client, service, region or self._region, attempts or self._limits.attempts)

    def _client(self, service: str, region: str | None, attempts: int) -> object:
        # botocore can make clients in only one thread at a time.
        with self._lock:
            key = (service, region, attempts)
            if key not in self._made:
                config = self._config(attempts)
                self._made[key] = self._session.create_client(service, region_name=region, config=config)
            return self._made[key]

    def _config(self, attempts: int) -> Any:  # noqa: ANN401 - botocore has no types
        from botocore.config import Config

        return Config(
            connect_timeout=self._limits.connect_timeout,
            read_timeout=self._limits.read_timeout,
            max_pool_connections=self._limits.connections,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - botocore has no types
        session = _new_session()
        if self._role is not None:
            config = self._config(self._limits.attempts)
            make_client = partial(_new_session().create_client, region_name=self._region, config=config)
            session.register_component("credential_provider", _RoleCredentials(session, make_client, self._role))
        return session


def _new_session() -> Any:  # noqa: ANN401 - botocore has no types
    from botocore.session import get_session

    session = get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


@cache
def _loader(data_path: str | None) -> object:
    """Return the reader of service descriptions; each session would otherwise have its own and read them again."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


class _RoleCredentials:
    """A session's credential provider: the credentials of the role, renewed before they expire."""

    def __init__(self, session: Any, make_client: Callable[..., Any], role: AssumedRole) -> None:  # noqa: ANN401
        self._own = session.get_component("credential_provider")
        self._make_client = make_client
        self._role = role

    def load_credentials(self) -> object:
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
        from botocore.exceptions import NoCredentialsError

        own = self._own.load_credentials()
        if own is None:
            raise NoCredentialsError
        arguments = {"RoleSessionName": SESSION_NAME}
        if self._role.external_id:
            arguments["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(self._make_client, own, self._role.arn, extra_args=arguments)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def region_of(resource: str) -> str | None:
    """Return the region in an ARN or in the URL of an SQS queue; none if there is none, as in a plain name."""
    if queue := _QUEUE_URL.match(resource):
        return queue[1]
    parts = resource.split(":")
    return parts[3] or None if parts[0] == "arn" and len(parts) > 5 else None  # noqa: PLR2004 - arn:aws:x:region:account:y
