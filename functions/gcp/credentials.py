"""Who we are to Google: the function's own service account, or the credentials that the environment names.

google-auth knows both, but its support for the metadata server imports `requests` (compute_engine/_metadata.py), which
costs a cold start 0.15 s of CPU; the protocol itself is one request
(https://cloud.google.com/compute/docs/access/authenticate-workloads#applications).
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from functions.gcp.connections import Connections
from functions.gcp.errors import CredentialsError
from functions.gcp.exchange import FAILURES, CallLimits, HttpAnswer
from shared.backoff import Backoff

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA_HOST: Final = "metadata.google.internal"
PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
# Seconds. The metadata server has a new token five minutes before the old one expires; google-auth asks for it 225
# seconds before.
EARLY: Final = 225
METADATA_LIMITS: Final = CallLimits(connect_timeout=3, read_timeout=3)
METADATA_BACKOFF: Final = Backoff(attempts=3)
_ASKED: Final = {"Metadata-Flavor": "Google"}
# It answers so while it starts.
_STARTING: Final = frozenset({500, 503})


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
        connections: lead to the metadata server.
        host: where it is.
        backoff: how often it is asked, and after which pauses.
        monotonic: tells a time in seconds that only grows.

    """

    def __init__(
        self,
        connections: Connections,
        host: str = METADATA_HOST,
        *,
        backoff: Backoff = METADATA_BACKOFF,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet."""
        self._connections = connections
        self._backoff = backoff
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
        try:
            content = json.loads(self._answer().data)
            return str(content["access_token"]), float(content["expires_in"])
        except (*FAILURES, ValueError, KeyError, TypeError, RecursionError) as error:
            raise CredentialsError(
                "there are no Google credentials: the metadata server gave no token"
                f" ({type(error).__name__}), and neither GOOGLE_APPLICATION_CREDENTIALS nor gcloud names a file"
            ) from error

    def _answer(self) -> HttpAnswer:
        last = self._backoff.attempts - 1
        for attempt in range(last):
            self._backoff.pause(attempt)
            with contextlib.suppress(*FAILURES):
                answer = self._connections.request("GET", self._url, _ASKED)
                if answer.status not in _STARTING:
                    return answer
        self._backoff.pause(last)
        return self._connections.request("GET", self._url, _ASKED)


class FileCredentials:
    """What google-auth reads from the file that the environment names, or that gcloud has written.

    Args:
        connections: lead to whoever exchanges what the file holds for tokens.

    """

    def __init__(self, connections: Connections) -> None:
        """Read nothing yet."""
        self._connections = connections
        self._lock = threading.Lock()
        self._found: Any = None  # google-auth has no types
        self._forgotten = False

    def headers(self) -> Mapping[str, str]:
        """Return the headers; see the protocol. A quota project is among them, where the file names one."""
        import google.auth
        from google.auth.exceptions import GoogleAuthError

        request: Any = self._request
        told: dict[str, str] = {}
        with self._lock:
            try:
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

    def _request(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> HttpAnswer:
        """Do as a `google.auth.transport.Request` does; its timeouts of two minutes would outlast a function."""
        from google.auth.exceptions import TransportError

        try:
            return self._connections.request(method, url, headers or {}, body)
        except FAILURES as error:
            raise TransportError(type(error).__name__) from error
