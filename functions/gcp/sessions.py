"""Calls to the REST APIs of Google Cloud: with the function's own identity, or none for an emulator or a stand-in."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from functions.gcp.credentials import METADATA_HOST, FileCredentials, MetadataCredentials
from functions.gcp.errors import AnswerError
from functions.http_session import (
    STANDARD_LIMITS,
    CallLimits,
    Credentials,
    HttpSession,
    RetryTransient,
    is_loopback_url,
)
from functions.rest import RestClient
from shared.backoff import Backoff

# Used-up quotas seldom recover within seconds, but Google's clients retry them, too.
TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
# A silent service is given up after 30 s, or 33 in the middle of a handshake, well inside a function of 60 s.
THREE_TIMES: Final = Backoff(attempts=3)
# Google's own names: a file with credentials, another metadata server, another folder of gcloud.
KEY_FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
METADATA: Final = "GCE_METADATA_HOST"
GCLOUD_FOLDER: Final = "CLOUDSDK_CONFIG"
GCLOUD_FILE: Final = "application_default_credentials.json"


class Session:
    """Calls services with one identity; any number of threads may use it.

    Every call is retried when the service fails or is silent, so it must be safe to repeat: reads, writes with a
    precondition, creations under an id of our own, messages that may arrive twice.

    Args:
        credentials: the identity; none for emulators.
        limits: how long a call may take.
        backoff: how often a call is tried, and the pauses.

    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        limits: CallLimits = STANDARD_LIMITS,
        backoff: Backoff = THREE_TIMES,
    ) -> None:
        retry = RetryTransient(statuses=TRANSIENT, backoff=backoff)
        self._rest = RestClient(HttpSession(retry, credentials=credentials, limits=limits), AnswerError)

    def get(self, url: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the content of *url*.

        Raises:
            AnswerError: the service answered with an error.
            CredentialsError: there are no credentials.
            NoAnswerError: the service could not be reached, was silent, or its answer is not complete.

        """
        return self._call("GET", url, query)

    def post(self, url: str, content: object, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send *content* to *url* and return the answer; errors as in `get`."""
        return self._call("POST", url, query, content)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._rest.close()

    def _call(self, method: str, url: str, query: Mapping[str, str] | None, content: object = None) -> object:
        read = self._rest.request(method, f"{url}?{urlencode(query)}" if query else url, content)
        # Some methods answer without a body.
        return {} if read is None else read


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
