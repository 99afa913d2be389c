"""Addresses of services: what is in them, and which of them lead to this machine."""

import re
from typing import Final
from urllib.parse import urlsplit

from shared.errors import ConfigError
from shared.frozen import dataclass

# What a name may be, by the rules of the two services.
_LEGAL: Final = {
    "RETRAIN_LEDGER": re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}"),
    "RETRAIN_DEAD_LETTERS": re.compile(r"(?!.{64})[a-z0-9](?:-?[a-z0-9]){2,62}"),
}

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A table or a container.

    Attributes:
        endpoint: the service's URL, without a slash at its end.
        name: the table or the container.

    """

    endpoint: str
    name: str


def is_loopback(url: str) -> bool:
    """Whether *url* leads to this machine: a stand-in, for which no credentials are looked for."""
    return urlsplit(url).hostname in _LOOPBACK


def is_plain(url: str) -> bool:
    """Whether *url* has no TLS, so that the SDKs send no token without being told to."""
    return urlsplit(url).scheme == "http"


def place_of(variable: str, url: str) -> Place:
    """Split the URL of a table or a container.

    Args:
        variable: the environment variable that holds it, `RETRAIN_LEDGER` or `RETRAIN_DEAD_LETTERS`.
        url: the service's endpoint, a slash and the name; Azurite has the account before the name.

    Raises:
        ConfigError: it is no such URL.

    """
    parts = urlsplit(url)
    endpoint, _, name = url.rstrip("/").rpartition("/")
    is_url = parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/") and not parts.query
    if not is_url or not _LEGAL[variable].fullmatch(name):
        # Not quoted: what follows a question mark may be a signature.
        kind = "table" if variable == "RETRAIN_LEDGER" else "container"
        problem = f"{variable}: must be a URL: the endpoint of the service, a slash and the name of a {kind}"
        raise ConfigError("environment", [problem])
    return Place(endpoint=endpoint, name=name)
