"""The token for GitHub: as configured, or read from a secret store and kept for a while."""

import json
import re
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from shared.errors import ConfigError, UnavailableError

VARIABLE: Final = "RETRAIN_GITHUB_TOKEN"
# Seconds for which a token from a secret is used: after a rotation the new one is used this soon, even if the old one
# stays valid.
LIFETIME: Final = 300.0

ReadSecret = Callable[[str], str]
"""Reads the secret of that name; raises UnavailableError if the store, the secret or the right is missing."""

# GitHub's tokens consist of letters, digits, `_`, `.` and `-` (installation tokens may have several parts). Nothing
# else may get into a header, and the name of a secret must not be used as a token.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_.-]{1,2048}")


class SecretStore(StrEnum):
    """A store of secrets."""

    AWS = "Secrets Manager"
    GCP = "Secret Manager"
    AZURE = "Key Vault"


_NAMES: Final = {
    SecretStore.AWS: re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+"),
    SecretStore.GCP: re.compile(
        r"projects/[A-Za-z0-9:.-]+/(?:locations/[a-z0-9-]+/)?secrets/[A-Za-z0-9_-]+/versions/[A-Za-z0-9_-]+"
    ),
    # vault.azure.net, and those of sovereign clouds: vault.azure.cn, vault.usgovcloudapi.net.
    SecretStore.AZURE: re.compile(
        r"https://[A-Za-z0-9-]+\.vault\.[a-z0-9.-]+/secrets/[A-Za-z0-9-]+(?:/[A-Za-z0-9]+)?/?"
    ),
}


class GitHubToken:
    """Returns the token, which no error and no log shows.

    Args:
        setting: a token, the name of a secret that holds one, or empty if none is needed.
        stores: reads secrets, by the stores that this cloud can read.
        lifetime: seconds for which a token from a secret is used.
        monotonic: returns a time in seconds that only grows.

    Raises:
        ConfigError: the setting is neither a token nor a secret, or is a secret of another cloud.

    """

    def __init__(
        self,
        setting: str,
        stores: Mapping[SecretStore, ReadSecret],
        *,
        lifetime: float = LIFETIME,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._setting = setting.strip()
        self._read = _reader(self._setting, stores)
        self._lifetime = lifetime
        self._monotonic = monotonic
        self._kept: tuple[str, float] | None = None

    def current(self) -> str:
        """Return the token; empty if none is needed.

        Raises:
            UnavailableError: the secret cannot be read, or holds no token.

        """
        if self._read is None:
            return self._setting
        kept = self._kept
        if kept is None or self._monotonic() - kept[1] > self._lifetime:
            kept = (_token_in(self._read(self._setting)), self._monotonic())
            self._kept = kept
        return kept[0]

    def renew(self, refused: str) -> bool:
        """Read the secret again, and return whether it was rotated and holds another token than the *refused* one.

        Raises:
            UnavailableError: the secret cannot be read, or holds no token.

        """
        if self._read is None:
            return False
        self._kept = None
        return self.current() != refused


def store_of(setting: str) -> SecretStore | None:
    """Return the store whose secret *setting* names; none if it is not the name of a secret."""
    return next((store for store, name in _NAMES.items() if name.fullmatch(setting)), None)


def _reader(setting: str, stores: Mapping[SecretStore, ReadSecret]) -> ReadSecret | None:
    store = store_of(setting)
    if store is None:
        if setting and not _TOKEN.fullmatch(setting):
            # The value is not shown: it may be a token that was pasted with other characters.
            raise ConfigError("environment", [f"{VARIABLE}: is neither a token nor the name of a secret"])
        return None
    if store not in stores:
        raise ConfigError("environment", [f"{VARIABLE}: names a secret of {store}, which this cloud cannot read"])
    return stores[store]


def _token_in(secret: str) -> str:
    """Return the token in *secret*: its text, or in a JSON object the value of `token` or the only value."""
    text: object = secret.strip()
    if secret.lstrip().startswith("{"):
        try:
            values = json.loads(secret)
        except ValueError:
            values = {}
        text = values.get("token", next(iter(values.values())) if len(values) == 1 else None)
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):
        raise UnavailableError(
            "the secret store", f"return the token that {VARIABLE} names", "the secret holds no token"
        )
    return text
