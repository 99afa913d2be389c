"""The managed identity of a function app, without azure-identity.

App Service gives a token for one request to an address on the machine ("How to use managed identities for App Service
and Azure Functions", REST endpoint reference). azure-identity imports MSAL and cryptography for it: 0.2 s of CPU time.
"""

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from functions.http_session import CallLimits, HttpAnswer, HttpSession, Network, NoAnswerError, RetryTransient
from shared.backoff import Backoff

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

API_VERSION: Final = "2019-08-01"
# Seconds. azure-core requests a new token this long before the old one expires.
EARLY: Final = 300
LIMITS: Final = CallLimits(connect_timeout=3, read_timeout=10)
RETRY: Final = RetryTransient(
    statuses=frozenset({404, 429, 500, 502, 503, 504}), backoff=Backoff(attempts=3, base=0.4, longest=2)
)


class ManagedIdentity:
    """A credential as azure-core expects it (`TokenCredential`).

    Args:
        endpoint: `IDENTITY_ENDPOINT`.
        secret: `IDENTITY_HEADER`, which proves that a request comes from this app.
        client_id: the client id of a user-assigned identity; empty: the system-assigned one.
        session: sends the requests; the endpoint is on this machine, which no proxy reaches.
        clock: returns the time in seconds since 1970.

    """

    def __init__(
        self,
        endpoint: str,
        secret: str,
        client_id: str = "",
        *,
        session: HttpSession | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._secret = secret
        self._client_id = client_id
        self._session = session or HttpSession(RETRY, limits=LIMITS, network=Network(proxies=dict))
        self._clock = clock
        self._tokens: dict[str, AccessToken] = {}
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, claims: str | None = None, **_options: object) -> "AccessToken":
        """Return a token for the audience in *scopes*, which is kept until five minutes before it expires.

        Args:
            scopes: one, `AUDIENCE/.default`.
            claims: what a service demands of a token after it refused one; the kept token does not count then.

        Raises:
            azure.core.exceptions.ClientAuthenticationError: the endpoint returned no token.

        """
        (scope,) = scopes
        resource = scope.removesuffix("/.default")
        with self._lock:
            token = self._tokens.get(resource)
            if token is None or claims or token.expires_on - EARLY <= self._clock():
                token = self._tokens[resource] = self._request(resource)
            return token

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _request(self, resource: str) -> "AccessToken":
        from azure.core.credentials import AccessToken
        from azure.core.exceptions import ClientAuthenticationError

        query = {"api-version": API_VERSION, "resource": resource}
        if self._client_id:
            query["client_id"] = self._client_id
        try:
            headers = {"X-IDENTITY-HEADER": self._secret}
            answer = self._session.request("GET", f"{self._endpoint}?{urlencode(query)}", headers)
        except NoAnswerError as error:
            raise ClientAuthenticationError(f"the managed identity gives no token for {resource}: {error}") from error
        try:
            content = json.loads(answer.data)
            return AccessToken(str(content["access_token"]), int(content["expires_on"]))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = _reason(answer)
            raise ClientAuthenticationError(f"the managed identity gives no token for {resource}: {reason}") from error


def _reason(answer: HttpAnswer) -> str:
    """Return the status and the message of the endpoint, which names what is missing and holds no secret."""
    try:
        content = json.loads(answer.data)
    except (ValueError, RecursionError):
        content = None
    message = content.get("message") if isinstance(content, dict) and answer.status != HTTPStatus.OK else None
    return f"{answer.status} {message[:200]}" if isinstance(message, str) else f"{answer.status}, no token in it"
