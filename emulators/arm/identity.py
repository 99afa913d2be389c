"""The endpoint at which a function app asks for the tokens of its managed identity, as App Service has it."""

import json
import secrets
import time
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from emulators.loopback import Answer, LoopbackServer, Request

API_VERSION: Final = "2019-08-01"
_LIFETIME: Final = 3600


class Identity:
    """A managed identity: gives out tokens for resources, and knows them again.

    Attributes:
        asked: the resource of every request, the oldest first.

    """

    def __init__(self) -> None:
        """Bind a free port; nothing is answered before the context is entered."""
        self.asked: list[str] = []
        self._secret = secrets.token_hex(16)
        self._resources: dict[str, str] = {}
        self._server = LoopbackServer(self._respond)

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._server.close()

    @property
    def variables(self) -> dict[str, str]:
        """What App Service puts into the environment of an app that has an identity."""
        return {"IDENTITY_ENDPOINT": f"{self._server.url}/msi/token", "IDENTITY_HEADER": self._secret}

    def allows(self, authorization: str, resource: str) -> bool:
        """Whether the value of a header `Authorization` is a token of ours for *resource*."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._resources.get(token) == resource.rstrip("/")

    def _respond(self, request: Request) -> Answer:
        query = parse_qs(urlsplit(request.path).query)
        if request.headers.get("x-identity-header") != self._secret:
            return _answer(401, {"statusCode": 401, "message": "The header X-IDENTITY-HEADER is missing or wrong."})
        if query.get("api-version") != [API_VERSION] or "resource" not in query:
            return _answer(400, {"statusCode": 400, "message": f"api-version={API_VERSION} and a resource are needed."})
        resource = query["resource"][0].rstrip("/")
        token = secrets.token_urlsafe(24)
        self._resources[token] = resource
        self.asked.append(resource)
        expires_on = str(int(time.time()) + _LIFETIME)
        return _answer(
            200, {"access_token": token, "expires_on": expires_on, "resource": resource, "token_type": "Bearer"}
        )


def _answer(status: int, body: dict[str, object]) -> Answer:
    return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
