"""Azure: a function key, or with App Service authentication a token of Entra ID; both travel in headers only."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.cli.command import AccessError

# Seconds before its end at which a token is replaced.
EARLY: Final = 300


class KeyAccess:
    """Sends a function key; a `functions.cli.command.Access`."""

    def __init__(self, key: str) -> None:
        """Send *key*."""
        self._key = key

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol
        """Return *headers* and the key; see `Access`."""
        return {**headers, "x-functions-key": self._key}


class EntraAccess:
    """Sends a token of Entra ID; a `functions.cli.command.Access`."""

    def __init__(self, audience: str, credential: Any, clock: Callable[[], float] = time.time) -> None:  # noqa: ANN401 - azure-identity's
        """Send tokens for the application *audience*.

        Args:
            audience: the application's id URI, such as `api://CLIENT_ID`.
            credential: a credential of azure-identity.
            clock: returns the time in seconds since 1970.

        """
        self._scope, self._credential, self._clock = f"{audience.rstrip('/')}/.default", credential, clock
        self._token: Any = None

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol
        """Return *headers* and the token; see `Access`."""
        from azure.core.exceptions import ClientAuthenticationError

        if self._token is None or self._clock() > self._token.expires_on - EARLY:
            try:
                self._token = self._credential.get_token(self._scope)
            except ClientAuthenticationError as error:
                raise AccessError(f"Entra ID gives no token for {self._scope}; run `az login`: {error}") from error
        return {**headers, "authorization": f"Bearer {self._token.token}"}
