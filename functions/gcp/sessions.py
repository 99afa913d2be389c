"""Selects the identity for each service: the function's own, or none for an emulator or a stand-in."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

from functions.gcp.credentials import METADATA_HOST, FileCredentials, MetadataCredentials
from functions.gcp.rest import Session
from functions.http_session import Credentials, is_loopback_url

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
        self._variables = variables

    def emulated(self, variable: str) -> tuple[Session, str]:
        """Return the session for a service, and the base URL of its emulator if *variable* names one, else empty."""
        host = self._variables.get(variable, "")
        return (self._anonymous, f"http://{host}") if host else (self._identified, "")

    def at(self, url: str) -> Session:
        """Return the session for the service at the base URL *url*.

        A stand-in on this machine gets credentials only if the environment names some.
        """
        named = any(self._variables.get(name) for name in (KEY_FILE, METADATA))
        return self._anonymous if is_loopback_url(url) and not named else self._identified

    @cached_property
    def _anonymous(self) -> Session:
        return Session()

    @cached_property
    def _identified(self) -> Session:
        return Session(self._credentials())

    def _credentials(self) -> Credentials:
        if self._variables.get(KEY_FILE) or self._gcloud_file().is_file():
            return FileCredentials()
        return MetadataCredentials(self._variables.get(METADATA) or METADATA_HOST)

    def _gcloud_file(self) -> Path:
        folder = self._variables.get(GCLOUD_FOLDER) or Path(self._variables.get("HOME") or "/", ".config", "gcloud")
        return Path(folder, GCLOUD_FILE)
