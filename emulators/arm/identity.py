"""The endpoint that gives a function app the tokens of its managed identity, as App Service does."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

from emulators.loopback import Answer, Request, json_answer
from emulators.standin import StandIn

API_VERSION: Final = "2019-08-01"
_LIFETIME: Final = 3600


@dataclass(kw_only=True, eq=False)
class Identity(StandIn):
    """A managed identity: issues tokens for resources, and recognises them later.

    Attributes:
        requested: the resource of every request for a token, oldest first.

    """

    requested: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._secret = secrets.token_hex(16)
        self._resources: dict[str, str] = {}

    @property
    def variables(self) -> dict[str, str]:
        """The variables that App Service sets for an app that has an identity."""
        return {"IDENTITY_ENDPOINT": f"{self._server.url}/msi/token", "IDENTITY_HEADER": self._secret}

    def allows(self, authorization: str, resource: str) -> bool:
        """Whether the value of an `Authorization` header is a token that this identity issued for *resource*."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._resources.get(token) == resource.rstrip("/")

    def _respond(self, request: Request) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        if request.headers.get("x-identity-header") != self._secret:
            return json_answer(401, {"statusCode": 401, "message": "The header X-IDENTITY-HEADER is missing or wrong."})
        if query.get("api-version") != [API_VERSION] or "resource" not in query:
            return json_answer(
                400, {"statusCode": 400, "message": f"api-version={API_VERSION} and a resource are needed."}
            )
        resource = query["resource"][0].rstrip("/")
        token = secrets.token_urlsafe(24)
        self._resources[token] = resource
        self.requested.append(resource)
        expires_on = str(int(time.time()) + _LIFETIME)
        return json_answer(
            200, {"access_token": token, "expires_on": expires_on, "resource": resource, "token_type": "Bearer"}
        )
