"""The interface that every cloud's way to authenticate a request to a deployment has."""

from collections.abc import Mapping
from typing import Protocol

from shared.errors import RetrainError


class AccessError(RetrainError):
    """The user has no credentials for the deployment; the message says how to get them."""


class Access(Protocol):
    """Authenticates requests to a deployment's HTTP API as the user."""

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Return all headers of a request: *headers* and those that authenticate it.

        Raises:
            AccessError: there are no credentials, or they have expired.

        """
