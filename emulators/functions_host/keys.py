"""Access to a function app: its keys, and the callers that App Service authenticates."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PRINCIPAL: Final = "x-ms-client-principal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of a function app.

    Attributes:
        function: the key for HTTP functions with function-level authorization.
        event_grid: the system key of the Event Grid extension, for its webhook.
        master: the key for administration.

    """

    function: str = field(default="function-key", repr=False)
    event_grid: str = field(default="event-grid-key", repr=False)
    master: str = field(default="master-key", repr=False)


def given_key(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """Return the key in a request, from its header or else its query."""
    return headers.get("x-functions-key") or query.get("code")


def authenticated(headers: Mapping[str, str], principals: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return the headers of a request after the authentication of App Service; None if the request is refused.

    Args:
        headers: as they were sent.
        principals: the names of the permitted callers, by token; None if authentication is off.

    """
    if principals is None:
        return dict(headers)
    scheme, _, token = headers.get("authorization", "").partition(" ")
    name = principals.get(token) if scheme == "Bearer" else None
    if name is None:
        return None
    # "App Service doesn't allow external requests to set these headers": documentation, "Work with user identities".
    own = {key: value for key, value in headers.items() if not key.startswith(_PRINCIPAL)}
    claims = {"auth_typ": "aad", "claims": [{"typ": "name", "val": name}], "name_typ": "name", "role_typ": "roles"}
    added = {
        "-name": name,
        "-id": f"id-of-{name}",
        "-idp": "aad",
        "": base64.b64encode(json.dumps(claims).encode()).decode(),
    }
    return own | {f"{_PRINCIPAL}{part}": value for part, value in added.items()}
