"""Secret Manager: reads a secret that the environment names."""

import base64
import binascii
import re
from typing import Final

from functions.gcp.errors import translated
from functions.gcp.sessions import Session
from shared.errors import UnavailableError

SERVICE: Final = "https://secretmanager.googleapis.com"

_LOCATION: Final = re.compile(r"projects/[^/]+/locations/([a-z0-9-]+)/")


def read_secret(session: Session, name: str, endpoint: str = "") -> str:
    """Return the value of the secret.

    Args:
        session: calls Secret Manager.
        name: `projects/P/secrets/S/versions/V`, or the same with `locations/L` of a regional secret.
        endpoint: base URL of Secret Manager, if it is not the public one.

    Raises:
        UnavailableError: the service is unavailable, or an operator has to add the secret or the right to read it.

    """
    action = f"give the secret {name}"
    with translated("Secret Manager", action):
        answer = session.get(f"{endpoint or _service(name)}/v1/{name}:access")
    try:
        return base64.b64decode(answer["payload"]["data"], validate=True).decode()
    except (KeyError, TypeError, UnicodeDecodeError, binascii.Error):
        # Not the cause: its text quotes the value.
        raise UnavailableError("Secret Manager", action, "it is not a string") from None


def _service(name: str) -> str:
    """Return the endpoint of the secret: a regional one exists in its region only."""
    regional = _LOCATION.match(name)
    return f"https://secretmanager.{regional[1]}.rep.googleapis.com" if regional else SERVICE
