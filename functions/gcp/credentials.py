"""Who we are to Google: the function's own service account, or the credentials that the environment names.

google-auth knows both, but its support for the metadata server imports `requests` (compute_engine/_metadata.py), which
costs a cold start 0.15 s of CPU; the protocol itself is one request
(https://cloud.google.com/compute/docs/access/authenticate-workloads#applications).
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from functions.gcp.errors import CredentialsError

if TYPE_CHECKING:
    from urllib3 import PoolManager

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA_HOST: Final = "metadata.google.internal"
PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
# Seconds. The metadata server has a new token five minutes before the old one expires; google-auth asks for it 225
# seconds before.
EARLY: Final = 225
TIMEOUT: Final = 3.0
ATTEMPTS: Final = 3


class Credentials(Protocol):
    """What shows a service who calls."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers that show it.

        Raises:
            CredentialsError: there are no credentials.

        """

    def forget(self) -> None:
        """Get a new token the next time: a service did not take this one."""


class MetadataCredentials:
    """The service account that a function runs as.

    Args:
        pool: makes the connections.
        host: where the metadata server is.
        monotonic: tells a time in seconds that only grows.

    """

    def __init__(
        self,
        pool: "Callable[[], PoolManager]",
        host: str = METADATA_HOST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet."""
        self._pool = pool
        self._url = f"http://{host}{PATH}"
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """Return the headers; see the protocol."""
        with self._lock:
            if not self._token or self._monotonic() >= self._until:
                self._token, lifetime = self._ask()
                self._until = self._monotonic() + max(lifetime - EARLY, 0)
            return {"authorization": f"Bearer {self._token}"}

    def forget(self) -> None:
        """Ask anew the next time."""
        with self._lock:
            self._token = ""

    def _ask(self) -> tuple[str, float]:
        from urllib3 import Retry
        from urllib3.exceptions import HTTPError

        # It answers 503 while it starts.
        retries = Retry(ATTEMPTS - 1, backoff_factor=0.1, status_forcelist=(500, 503), redirect=False)
        asked = {"Metadata-Flavor": "Google"}
        try:
            answer = self._pool().request("GET", self._url, headers=asked, timeout=TIMEOUT, retries=retries)
            content = json.loads(answer.data)
            return str(content["access_token"]), float(content["expires_in"])
        except (HTTPError, ValueError, KeyError, TypeError) as error:
            raise CredentialsError(
                "there are no Google credentials: the metadata server gave no token"
                f" ({type(error).__name__}), and neither GOOGLE_APPLICATION_CREDENTIALS nor gcloud names a file"
            ) from error


class FileCredentials:
    """What google-auth reads from the file that the environment names, or that gcloud has written.

    Args:
        pool: makes the connections.

    """

    def __init__(self, pool: "Callable[[], PoolManager]") -> None:
        """Read nothing yet."""
        self._pool = pool
        self._lock = threading.Lock()
        self._found: Any = None  # google-auth has no types
        self._forgotten = False

    def headers(self) -> Mapping[str, str]:
        """Return the headers; see the protocol. A quota project is among them, where the file names one."""
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.urllib3 import Request

        told: dict[str, str] = {}
        with self._lock:
            try:
                request = Request(self._pool())  # type: ignore[no-untyped-call]  # it has no types
                if self._found is None:
                    self._found, _ = google.auth.default(scopes=[SCOPE], request=request)
                if self._forgotten or not self._found.valid:
                    self._found.refresh(request)
                    self._forgotten = False
                self._found.apply(told)
            except GoogleAuthError as error:
                # Its text may quote what the file holds.
                raise CredentialsError(f"the Google credentials could not be used: {type(error).__name__}") from error
        return told

    def forget(self) -> None:
        """Refresh the next time."""
        with self._lock:
            self._forgotten = True
