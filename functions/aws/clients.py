"""Makes the clients of AWS services: on first use, with time limits that fit into a function, in an assumed role."""

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
    """How long a call may take.

    With the defaults a silent service is given up after 30 to 33 s, well inside a function of 60 s.

    Attributes:
        connect_timeout: seconds to connect.
        read_timeout: seconds without a byte.
        attempts: how often a call is tried in all when the service throttles, fails or is silent.
        connections: how many calls of one client may be under way at once.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    attempts: int = 3
    connections: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedRole:
    """A role to work in instead of one's own, such as that of the account that owns the bus.

    Attributes:
        arn: the role.
        external_id: what its trust policy asks for, if anything.

    """

    arn: str
    external_id: str = field(default="", repr=False)


_DEFAULTS: Final = CallLimits()


class Clients:
    """Makes each client once. Other endpoints (`AWS_ENDPOINT_URL` and its kind) are botocore's own matter.

    botocore is used without boto3, whose import loads s3transfer: 50 ms of every cold start.

    Args:
        region: the region where a service is asked for without one; by default botocore's own rules find it.
        role: the role to assume, if any.
        limits: how long calls may take.

    """

    def __init__(
        self, *, region: str | None = None, role: AssumedRole | None = None, limits: CallLimits = _DEFAULTS
    ) -> None:
        """Make nothing yet."""
        self._region = region
        self._role = role
        self._limits = limits
        self._made: dict[tuple[str, str | None], Any] = {}
        self._lock = threading.Lock()

    def factory(self, service: str, region: str | None = None) -> Callable[[], Any]:
        """Return what makes the client of *service* when it is first called, and then always returns the same.

        Args:
            service: botocore's name of it, such as `events`.
            region: its region, if it is another than that of all.

        """
        return partial(self._client, service, region or self._region)

    def _client(self, service: str, region: str | None) -> object:
        # botocore makes clients in one thread at a time only.
        with self._lock:
            key = (service, region)
            if key not in self._made:
                self._made[key] = self._session.create_client(service, region_name=region, config=self._config)
            return self._made[key]

    @cached_property
    def _config(self) -> Any:  # noqa: ANN401 - botocore has no types
        from botocore.config import Config

        return Config(
            connect_timeout=self._limits.connect_timeout,
            read_timeout=self._limits.read_timeout,
            max_pool_connections=self._limits.connections,
            retries={"mode": "standard", "total_max_attempts": self._limits.attempts},
        )

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - botocore has no types
        session = _new_session()
        if self._role is not None:
            make_client = partial(_new_session().create_client, region_name=self._region, config=self._config)
            session.register_component("credential_provider", _RoleCredentials(session, make_client, self._role))
        return session


def _new_session() -> Any:  # noqa: ANN401 - botocore has no types
    from botocore.session import get_session

    session = get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return session


@cache
def _loader(data_path: str | None) -> object:
    """Return what reads the descriptions of the services: each session would have its own, and read them again."""
    from botocore.loaders import create_loader

    return create_loader(data_path)


class _RoleCredentials:
    """Stands in a session's place for credentials: those of the role, assumed anew before they expire."""

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
        asked = {"RoleSessionName": SESSION_NAME}
        if self._role.external_id:
            asked["ExternalId"] = self._role.external_id
        fetcher = AssumeRoleCredentialFetcher(self._make_client, own, self._role.arn, extra_args=asked)
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")


def region_of(resource: str) -> str | None:
    """Return the region in an ARN or in the URL of an SQS queue; none where there is none, as in a name."""
    if queue := _QUEUE_URL.match(resource):
        return queue[1]
    parts = resource.split(":")
    return parts[3] or None if parts[0] == "arn" and len(parts) > 5 else None  # noqa: PLR2004 - arn:aws:x:region:account:y
