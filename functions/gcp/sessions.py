"""Which service is called with whose identity: ours, or none where an emulator or a stand-in asks for none."""

import ipaddress
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from functions.gcp.connections import Connections
from functions.gcp.credentials import (
    METADATA_HOST,
    METADATA_LIMITS,
    Credentials,
    FileCredentials,
    MetadataCredentials,
)
from functions.gcp.rest import Session

# Google's own names: a file with credentials, another metadata server, another folder of gcloud.
KEY_FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
METADATA: Final = "GCE_METADATA_HOST"
GCLOUD_FOLDER: Final = "CLOUDSDK_CONFIG"
GCLOUD_FILE: Final = "application_default_credentials.json"


class Sessions:
    """Makes each session once.

    Args:
        variables: the environment variables.

    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Look for no credentials yet."""
        self._variables = variables

    def emulated(self, variable: str) -> tuple[Session, str]:
        """Return the session for a service, and the base URL of its emulator if *variable* names one, else empty."""
        host = self._variables.get(variable, "")
        return (self._anonymous, f"http://{host}") if host else (self._identified, "")

    def at(self, url: str) -> Session:
        """Return the session for the service at the base URL *url*.

        One on this machine is a stand-in: it is shown credentials only if the environment names some.
        """
        named = any(self._variables.get(name) for name in (KEY_FILE, METADATA))
        return self._anonymous if _is_loopback(url) and not named else self._identified

    @cached_property
    def _anonymous(self) -> Session:
        return Session()

    @cached_property
    def _identified(self) -> Session:
        return Session(self._credentials())

    def _credentials(self) -> Credentials:
        if self._variables.get(KEY_FILE) or self._gcloud_file().is_file():
            return FileCredentials(Connections())
        return MetadataCredentials(Connections(METADATA_LIMITS), self._variables.get(METADATA) or METADATA_HOST)

    def _gcloud_file(self) -> Path:
        folder = self._variables.get(GCLOUD_FOLDER) or Path(self._variables.get("HOME") or "/", ".config", "gcloud")
        return Path(folder, GCLOUD_FILE)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
