"""The credentials for Azure services: an identity, or keys."""

import os
from base64 import b64decode
from dataclasses import field
from typing import Any, Final

from functions.azure.addresses import is_plain
from shared.errors import ConfigError
from shared.frozen import dataclass

STORAGE_KEYS: Final = ("AccountName", "AccountKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to authenticate.

    Attributes:
        managed_identity: whether the platform provides one; else azure-identity searches the environment and the
            command line tools for a login.
        client_id: which identity to use if there are several.
        topic_key: the key of the Event Grid topic; empty: the identity is used.
        connection_string: of the storage account; empty: the identity is used. Only its key or signature counts.

    """

    managed_identity: bool = False
    client_id: str = ""
    topic_key: str = field(default="", repr=False)
    connection_string: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageKeys:
    """The key of a storage account, or a signature, which authorize requests instead of an identity.

    Attributes:
        account: the name of the account, for the key.
        key: the account's key; empty: there is a signature.
        signature: a shared access signature, the query of a URL.

    """

    account: str = ""
    key: bytes = field(default=b"", repr=False)
    signature: str = field(default="", repr=False)


def make_identity(access: Access, **limits: Any) -> Any:  # noqa: ANN401 - a class of ours or two of azure-identity
    """Return the credential of our identity, which requests tokens when they are needed.

    Args:
        access: how to authenticate.
        limits: time limits of the requests for tokens, as options of azure-core.

    Raises:
        ConfigError: there is no managed identity, and azure-identity, which searches for others, is not installed.

    """
    if access.managed_identity and os.environ.get("IDENTITY_HEADER"):
        # App Service and Functions: one request. azure-identity would take 0.2 s of CPU time of every cold start.
        from functions.azure.tokens import managed_identity

        return managed_identity(os.environ["IDENTITY_ENDPOINT"], os.environ["IDENTITY_HEADER"], access.client_id)
    if not access.managed_identity and os.environ.get("AZURE_CLIENT_SECRET"):
        from functions.azure.tokens import service_principal

        if principal := service_principal(os.environ):
            return principal
    try:
        # DefaultAzureCredential tries one source after the other, which takes time, so it is used only if nothing is
        # known.
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
    except ImportError as error:
        problem = (
            "IDENTITY_ENDPOINT, IDENTITY_HEADER: are not set; assign a managed identity to the function app, or set"
            " AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
        )
        raise ConfigError("environment", [problem]) from error

    options = {"retry_total": 2, "retry_backoff_max": 2, **limits}
    if access.managed_identity:
        return ManagedIdentityCredential(client_id=access.client_id or None, **options)
    return DefaultAzureCredential(**options)


def storage_keys(access: Access, endpoint: str) -> StorageKeys | None:
    """Return the key or the signature in the connection string of a storage account; none if there is no string.

    Args:
        access: how to authenticate.
        endpoint: the address of the account. Endpoints in the connection string are ignored.

    Raises:
        ConfigError: the connection string has neither, or is missing although *endpoint* has no TLS.

    """
    given = dict(part.split("=", 1) for part in access.connection_string.split(";") if "=" in part)
    if all(given.get(name) for name in STORAGE_KEYS):
        return StorageKeys(account=given["AccountName"], key=_decoded(given["AccountKey"]))
    if given.get("SharedAccessSignature"):
        return StorageKeys(signature=given["SharedAccessSignature"].lstrip("?"))
    if access.connection_string or is_plain(endpoint):
        # No token is sent over plain HTTP.
        raise _wrong_connection_string("must have AccountName and AccountKey, or SharedAccessSignature")
    return None


def _decoded(key: str) -> bytes:
    try:
        return b64decode(key, validate=True)
    except ValueError as error:
        raise _wrong_connection_string("AccountKey must be base64, as the portal shows it") from error


def _wrong_connection_string(problem: str) -> ConfigError:
    return ConfigError("environment", [f"AZURE_STORAGE_CONNECTION_STRING: {problem}"])
