"""Tokens of Microsoft Entra ID without azure-identity: of the managed identity, or of a service principal.

Each is one request. azure-identity imports MSAL and cryptography for it: 0.2 s of CPU time of every cold start.
"""

import re
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from functions.azure.failures import CredentialsError
from functions.http_session import CallLimits, HttpAnswer, HttpSession, Network, NoAnswerError, RetryTransient
from shared.backoff import Backoff
from shared.json_text import parse_json

API_VERSION: Final = "2019-08-01"
AUTHORITY: Final = "https://login.microsoftonline.com"
# Seconds. azure-core requests a new token this long before the old one expires.
EARLY: Final = 300
LIMITS: Final = CallLimits(connect_timeout=3, read_timeout=10)
RETRY: Final = RetryTransient(
    statuses=frozenset({404, 429, 500, 502, 503, 504}), backoff=Backoff(attempts=3, base=0.4, longest=2)
)
# Documentation, "Claims challenges, claims requests, and client capabilities": base64 in the header WWW-Authenticate.
_CLAIMS: Final = r'claims="([A-Za-z0-9+/_-]+)=*"'


class Token(NamedTuple):
    """A token, with the fields of azure-core's `AccessToken`.

    Attributes:
        token: the token.
        expires_on: its end, in seconds since 1970.

    """

    token: str
    expires_on: int


class TokenCredential:
    """A credential as azure-core expects it. A token is kept until five minutes before it expires.

    Args:
        request: requests a token for a scope, `AUDIENCE/.default`, with the claims that a service demands, if any.
        close: closes the connections that *request* uses.
        clock: returns the time in seconds since 1970.

    """

    def __init__(
        self,
        request: Callable[[str, str | None], Token],
        close: Callable[[], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._request = request
        self.close = close
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def get_token(self, *scopes: str, claims: str | None = None, **_options: object) -> Token:
        """Return a token for the audience in *scopes*.

        Args:
            scopes: one, `AUDIENCE/.default`.
            claims: what a service demands of a token after it refused one; the kept token does not count then.

        Raises:
            CredentialsError: there is no token.

        """
        (scope,) = scopes
        with self._lock:
            token = self._tokens.get(scope)
            if token is None or claims or token.expires_on - EARLY <= self._clock():
                token = self._tokens[scope] = self._request(scope, claims)
            return token

    def replace(self, scope: str, claims: str | None) -> bool:
        """Request another token for *scope* in place of a refused one; return whether it is another one.

        Raises:
            CredentialsError: there is no token.

        """
        with self._lock:
            refused = self._tokens.get(scope)
            token = self._tokens[scope] = self._request(scope, claims)
            return refused is None or token.token != refused.token


class Bearer:
    """Identifies the caller to a REST service; a `functions.http_session.Credentials`.

    Args:
        credential: gives the tokens.
        audience: the service.

    """

    def __init__(self, credential: TokenCredential, audience: str) -> None:
        self._credential = credential
        self._scope = f"{audience}/.default"

    def headers(self) -> Mapping[str, str]:
        """Return the headers; errors are those of the credential."""
        return {"authorization": f"Bearer {self._credential.get_token(self._scope).token}"}

    def renew(self, refusal: HttpAnswer) -> bool:
        """Request a token with the claims that *refusal* demands, if any; return whether it is another one."""
        return self._credential.replace(self._scope, demanded_claims(refusal.headers.get("www-authenticate", "")))


def demanded_claims(challenge: str) -> str | None:
    """Return the claims in the header `WWW-Authenticate`; None if it demands none that can be read."""
    found = re.search(_CLAIMS, challenge)
    try:
        return None if found is None else b64decode(found[1] + "==", altchars=b"-_").decode()
    except ValueError:
        return None


def kept(identity: Any) -> TokenCredential:  # noqa: ANN401 - a credential of azure-identity, or one of ours
    """Return *identity* as a credential that keeps its tokens, which not every one of azure-identity does."""
    if isinstance(identity, TokenCredential):
        return identity

    def request(scope: str, claims: str | None) -> Token:
        token = identity.get_token(scope, **({"claims": claims} if claims else {}))
        return Token(token.token, token.expires_on)

    return TokenCredential(request, identity.close)


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

    def request(scope: str, _claims: str | None) -> Token:
        query = {"api-version": API_VERSION, "resource": scope.removesuffix("/.default")}
        named = {"client_id": client_id} if client_id else {}
        url = f"{endpoint}?{urlencode(query | named)}"
        with _failures("the managed identity", scope):
            return _token_in(calls.request("GET", url, {"X-IDENTITY-HEADER": secret}), clock())

    return TokenCredential(request, calls.close, clock=clock)


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

    def request(scope: str, claims: str | None) -> Token:
        content = form | {"scope": scope} | ({"claims": claims} if claims else {})
        with _failures("the service principal of AZURE_CLIENT_ID", scope):
            return _token_in(calls.request("POST", url, headers, urlencode(content).encode()), clock())

    return TokenCredential(request, calls.close, clock=clock)


@contextmanager
def _failures(source: str, scope: str) -> Iterator[None]:
    """Name *source*, which gives the tokens, and the audience in the error of a request."""
    try:
        yield
    except (NoAnswerError, ValueError) as error:
        raise CredentialsError(f"{source} gives no token for {scope.removesuffix('/.default')}: {error}") from error


def _token_in(answer: HttpAnswer, now: float) -> Token:
    """Return the token in *answer*.

    Raises:
        ValueError: it has none; the text is the reason.

    """
    try:
        content: Any = parse_json(answer.data)
        # A service principal's token says how long it lives, an identity's when it ends.
        ends = content.get("expires_on") or now + int(content["expires_in"])
        return Token(str(content["access_token"]), int(ends))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(_reason(answer)) from error


def _reason(answer: HttpAnswer) -> str:
    """Return the status and the message of the endpoint, which names what is missing and holds no secret."""
    try:
        content = parse_json(answer.data)
    except ValueError:
        content = None
    failed = isinstance(content, dict) and answer.status != HTTPStatus.OK
    message = (content.get("message") or content.get("error")) if isinstance(content, dict) and failed else None
    return f"{answer.status} {message[:200]}" if isinstance(message, str) else f"{answer.status}, no token in it"
