"""Addresses of services: their parts, and whether they are on this machine."""

import re
from typing import Final
from urllib.parse import urlsplit

from shared.errors import ConfigError
from shared.frozen import dataclass

# The naming rules of the two services.
_VALID_NAME: Final = {
    "RETRAIN_LEDGER": r"[A-Za-z][A-Za-z0-9]{2,62}",
    "RETRAIN_DEAD_LETTERS": r"(?!.{64})[a-z0-9](?:-?[a-z0-9]){2,62}",
    "RETRAIN_UNDELIVERED": r"(?!.{64})[a-z0-9](?:-?[a-z0-9]){2,62}",
}

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table or a container.

    Attributes:
        endpoint: the URL of the service, without a trailing slash.
        name: the name of the table or container.

    """

    endpoint: str
    name: str


def is_loopback(url: str) -> bool:
    """Whether *url* is on this machine: an emulator, for which no credentials are searched."""
    return urlsplit(url).hostname in _LOOPBACK


def is_plain(url: str) -> bool:
    """Whether *url* has no TLS, so that the SDKs send no token unless configured to."""
    return urlsplit(url).scheme == "http"


def topic_of(url: str) -> str:
    """Return *url*, the endpoint of an Event Grid topic, as `RETRAIN_BUS` names it.

    Raises:
        ConfigError: it is not a URL; a key or a token would be sent there.

    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        problem = f"RETRAIN_BUS: must be the endpoint of a topic, https://.../api/events, not {url!r}"
        raise ConfigError("environment", [problem])
    return url


def place_of(variable: str, url: str) -> Place:
    """Split the URL of a table or a container.

    Args:
        variable: the environment variable that holds it, `RETRAIN_LEDGER`, `RETRAIN_DEAD_LETTERS` or
            `RETRAIN_UNDELIVERED`.
        url: the service's endpoint, a slash and the name; Azurite has the account before the name.

    Raises:
        ConfigError: *url* does not have this form.

    """
    parts = urlsplit(url)
    endpoint, _, name = url.rstrip("/").rpartition("/")
    is_url = parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/") and not parts.query
    if not is_url or not re.fullmatch(_VALID_NAME[variable], name):
        # The value is not shown: after a question mark there may be a signature.
        kind = "table" if variable == "RETRAIN_LEDGER" else "container"
        problem = f"{variable}: must be a URL: the endpoint of the service, a slash and the name of a {kind}"
        raise ConfigError("environment", [problem])
    return Place(endpoint=endpoint, name=name)
