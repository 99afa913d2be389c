"""Key Vault: reads a secret that the environment names."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from functions.azure.addresses import is_loopback
from functions.azure.errors import STANDARD, Persistence, call
from shared.errors import UnavailableError

# REST reference, "Get Secret".
API_VERSION: Final = "7.4"


class VaultClient(Protocol):
    """The method of `functions.rest.RestClient` that is used."""

    def request(self, method: str, url: str) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return the JSON of the answer."""


def audience_of(url: str) -> str:
    """Return the token audience of a secret's vault: `https://vault.azure.net`, or that of its sovereign cloud."""
    if is_loopback(url):
        return url
    return f"https://{(urlsplit(url).hostname or '').partition('.')[2]}"


def read_secret(client: Callable[[], VaultClient], url: str, *, persistence: Persistence = STANDARD) -> str:
    """Return the secret, which must be a string.

    Args:
        client: returns the client whose tokens are for the vault's audience.
        url: `https://VAULT.vault.azure.net/secrets/NAME`, optionally with a version; the default is the newest.
        persistence: how to repeat a request.

    Raises:
        UnavailableError: the service is not available, or the secret or the permission is missing.

    """

    def send() -> object:
        return client().request("GET", f"{url.rstrip('/')}?api-version={API_VERSION}")

    action = f"give the secret {url}"
    answer = call(send, service="Key Vault", action=action, persistence=persistence)
    if not isinstance(answer, Mapping) or not isinstance(answer.get("value"), str):
        raise UnavailableError("Key Vault", action, "it is not a string")
    return str(answer["value"])
