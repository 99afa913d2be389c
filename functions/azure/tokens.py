"""Tokens of Microsoft Entra ID without azure-identity: of the managed identity, or of a service principal.

Each is one request. azure-identity imports MSAL and cryptography for it: 0.2 s of CPU time of every cold start.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from functions.http_session import CallLimits, HttpAnswer, HttpSession, Network, NoAnswerError, RetryTransient
from shared.backoff import Backoff

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

API_VERSION: Final = "2019-08-01"
AUTHORITY: Final = "https://login.microsoftonline.com"
# Seconds. azure-core requests a new token this long before the old one expires.
EARLY: Final = 300
LIMITS: Final = CallLimits(connect_timeout=3, read_timeout=10)
RETRY: Final = RetryTransient(
    statuses=frozenset({404, 429, 500, 502, 503, 504}), backoff=Backoff(attempts=3, base=0.4, longest=2)
)

Fetch = Callable[[str], HttpAnswer]
"""Requests a token for a scope, `AUDIENCE/.default`."""


class TokenCredential:
    """A credential as azure-core expects it.

    Args:
        source: what gives the tokens, for messages.
        fetch: requests a token.
        session: what `fetch` uses, to be closed.
        clock: returns the time in seconds since 1970.

    """

    def __init__(
        self, source: str, fetch: Fetch, session: HttpSession, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._source = source
        self._fetch = fetch
        self._session = session
        self._clock = clock
        self._tokens: dict[str, AccessToken] = {}
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, claims: str | None = None, **_options: object) -> "AccessToken":
        """Return a token for the audience in *scopes*, which is kept until five minutes before it expires.

        Args:
            scopes: one, `AUDIENCE/.default`.
            claims: what a service demands of a token after it refused one; the kept token does not count then.

        Raises:
            azure.core.exceptions.ClientAuthenticationError: there is no token.

        """
        (scope,) = scopes
        with self._lock:
            token = self._tokens.get(scope)
            if token is None or claims or token.expires_on - EARLY <= self._clock():
                token = self._tokens[scope] = self._request(scope)
            return token

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _request(self, scope: str) -> "AccessToken":
        from azure.core.credentials import AccessToken
        from azure.core.exceptions import ClientAuthenticationError

        failed = f"{self._source} gives no token for {scope.removesuffix('/.default')}"
        try:
            answer = self._fetch(scope)
        except NoAnswerError as error:
            raise ClientAuthenticationError(f"{failed}: {error}") from error
        try:
            content = json.loads(answer.data)
            # A service principal's token says how long it lives, an identity's when it ends.
            ends = content.get("expires_on") or self._clock() + int(content["expires_in"])
            return AccessToken(str(content["access_token"]), int(ends))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ClientAuthenticationError(f"{failed}: {_reason(answer)}") from error


def managed_identity(
    endpoint: str,
    secret: str,
    client_id: str = "",
    *,
    session: HttpSession | None = None,
    clock: Callable[[], float] = time.time,
) -> TokenCredential:
    """Return the managed identity of a function app.

    App Service gives its tokens at an address on the machine ("How to use managed identities for App Service and Azure
    Functions", REST endpoint reference).

    Args:
        endpoint: `IDENTITY_ENDPOINT`.
        secret: `IDENTITY_HEADER`, which proves that a request comes from this app.
        client_id: the client id of a user-assigned identity; empty: the system-assigned one.
        session: sends the requests; the endpoint is on this machine, which no proxy reaches.
        clock: returns the time in seconds since 1970.

    """
    calls = session or HttpSession(RETRY, limits=LIMITS, network=Network(proxies=dict))

    def fetch(scope: str) -> HttpAnswer:
        query = {"api-version": API_VERSION, "resource": scope.removesuffix("/.default")}
        named = {"client_id": client_id} if client_id else {}
        return calls.request("GET", f"{endpoint}?{urlencode(query | named)}", {"X-IDENTITY-HEADER": secret})

    return TokenCredential("the managed identity", fetch, calls, clock=clock)


def service_principal(
    variables: Mapping[str, str], *, session: HttpSession | None = None, clock: Callable[[], float] = time.time
) -> TokenCredential | None:
    """Return the service principal that the environment names with a secret; none if it names none.

    The request is the client credentials flow of the Microsoft identity platform, as azure-identity's
    `EnvironmentCredential` sends it.

    Args:
        variables: the environment, of which `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and
            `AZURE_AUTHORITY_HOST` count.
        session: sends the requests.
        clock: returns the time in seconds since 1970.

    """
    tenant, client_id, secret = (variables.get(f"AZURE_{name}") for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"))
    if not tenant or not client_id or not secret:
        return None
    calls = session or HttpSession(RETRY, limits=LIMITS)
    host = variables.get("AZURE_AUTHORITY_HOST") or AUTHORITY
    authority = host if "://" in host else f"https://{host}"
    url = f"{authority.rstrip('/')}/{quote(tenant, safe='')}/oauth2/v2.0/token"
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    def fetch(scope: str) -> HttpAnswer:
        return calls.request("POST", url, headers, urlencode(form | {"scope": scope}).encode())

    return TokenCredential("the service principal of AZURE_CLIENT_ID", fetch, calls, clock=clock)


def _reason(answer: HttpAnswer) -> str:
    """Return the status and the message of the endpoint, which names what is missing and holds no secret."""
    try:
        content = json.loads(answer.data)
    except (ValueError, RecursionError):
        content = None
    failed = isinstance(content, dict) and answer.status != HTTPStatus.OK
    message = (content.get("message") or content.get("error")) if isinstance(content, dict) and failed else None
    return f"{answer.status} {message[:200]}" if isinstance(message, str) else f"{answer.status}, no token in it"
