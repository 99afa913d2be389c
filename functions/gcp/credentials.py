"""Google credentials: the function's own service account, or a file that the environment names.

google-auth supports both, but its support for the metadata server imports `requests` (compute_engine/_metadata.py),
which costs a cold start 0.15 s of CPU time; the protocol itself is one request
(https://cloud.google.com/compute/docs/access/authenticate-workloads#applications).
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.gcp.errors import CredentialsError, named
from functions.http_session import NO_RETRY, CallLimits, HttpAnswer, HttpSession, Network, NoAnswerError, RetryTransient
from shared.backoff import Backoff
from shared.json_text import parse_json

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA_HOST: Final = "metadata.google.internal"
PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"
# Seconds. The metadata server has a new token five minutes before the old one expires; google-auth requests it 225
# seconds before.
EARLY: Final = 225
METADATA_LIMITS: Final = CallLimits(connect_timeout=3, read_timeout=3)
# While it starts, the server answers with one of these.
METADATA_RETRY: Final = RetryTransient(statuses=frozenset({500, 503}), backoff=Backoff(attempts=3))


def metadata_session(limits: CallLimits = METADATA_LIMITS) -> HttpSession:
    """Return a session for the metadata server: it is on the local link, which no proxy reaches."""
    return HttpSession(METADATA_RETRY, limits=limits, network=Network(proxies=dict))


def token_session(limits: CallLimits | None = None) -> HttpSession:
    """Return a session for the service that issues tokens for a file; google-auth retries by itself."""
    return HttpSession(NO_RETRY, limits=limits or CallLimits())


class MetadataCredentials:
    """The service account that a function runs as; a `functions.http_session.Credentials`.

    Args:
        host: the metadata server.
        session: calls it.
        monotonic: returns a time in seconds that only grows.

    """

    def __init__(
        self,
        host: str = METADATA_HOST,
        *,
        session: HttpSession | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session or metadata_session()
        self._url = f"http://{host}{PATH}"
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def headers(self) -> Mapping[str, str]:
        """Return the headers.

        Raises:
            CredentialsError: the metadata server returned no token.

        """
        with self._lock:
            if not self._token or self._monotonic() >= self._until:
                self._token, lifetime = self._request_token()
                self._until = self._monotonic() + max(lifetime - EARLY, 0)
            return {"authorization": f"Bearer {self._token}"}

    def renew(self, refusal: HttpAnswer) -> bool:  # noqa: ARG002 - the protocol
        """Request a new token the next time."""
        with self._lock:
            self._token = ""
        return True

    def _request_token(self) -> tuple[str, float]:
        """Return a token and its lifetime in seconds."""
        try:
            content: Any = parse_json(self._session.request("GET", self._url, {"Metadata-Flavor": "Google"}).data)
            return str(content["access_token"]), float(content["expires_in"])
        except (NoAnswerError, ValueError, KeyError, TypeError) as error:
            reason = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
            raise CredentialsError(
                f"there are no Google credentials: the metadata server returned no token ({reason}),"
                " and neither GOOGLE_APPLICATION_CREDENTIALS nor gcloud names a file"
            ) from error


class FileCredentials:
    """The credentials in the file that the environment names or gcloud has written, as google-auth reads them.

    Args:
        session: calls the service that issues tokens.

    """

    def __init__(self, session: HttpSession | None = None) -> None:
        self._session = session or token_session()
        self._lock = threading.Lock()
        self._found: Any = None  # google-auth has no types
        self._refused = False

    def headers(self) -> Mapping[str, str]:
        """Return the headers; a quota project is among them, where the file names one.

        Raises:
            CredentialsError: the file cannot be read, or no token is issued for it.

        """
        import google.auth
        from google.auth.exceptions import GoogleAuthError

        request: Any = self._request
        headers: dict[str, str] = {}
        with self._lock:
            try:
                if self._found is None:
                    self._found, _ = google.auth.default(scopes=[SCOPE], request=request)
                if self._refused or not self._found.valid:
                    self._found.refresh(request)
                    self._refused = False
                self._found.apply(headers)
            except GoogleAuthError as error:
                # Its text may quote the content of the file.
                raise CredentialsError(f"the Google credentials could not be used: {named(error)}") from error
        return headers

    def renew(self, refusal: HttpAnswer) -> bool:  # noqa: ARG002 - the protocol
        """Refresh the token the next time."""
        with self._lock:
            self._refused = True
        return True

    def _request(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> HttpAnswer:
        """Act as a `google.auth.transport.Request`; its own timeout of two minutes would outlast a function."""
        from google.auth.exceptions import TransportError

        try:
            return self._session.request(method, url, headers or {}, body)
        except NoAnswerError as error:
            raise TransportError(str(error)) from error
