"""How we prove who we are: an identity, or keys."""

from dataclasses import field
from typing import Any, Final

from functions.azure.addresses import is_plain
from shared.errors import ConfigError
from shared.frozen import dataclass

STORAGE_KEYS: Final = ("AccountName", "AccountKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What there is to prove it with.

    Attributes:
        managed_identity: the platform offers one; else Azure's own rules find a login: the environment, the command
            line tools.
        client_id: which identity, where there are several.
        topic_key: the key of the Event Grid topic, if not by identity.
        connection_string: that of the storage account, if not by identity; only its key or signature counts.

    """

    managed_identity: bool = False
    client_id: str = ""
    topic_key: str = field(default="", repr=False)
    connection_string: str = field(default="", repr=False)


def make_identity(access: Access, **limits: Any) -> Any:  # noqa: ANN401 - two classes of azure-identity
    """Return the credential of our identity, which gets its tokens when they are needed.

    Args:
        access: what there is.
        limits: time limits of the requests for tokens, in azure-core's words.

    """
    # The chain of DefaultAzureCredential asks one place after the other, which takes time: only where nothing is known.
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    patience = {"retry_total": 2, "retry_backoff_max": 2, **limits}
    if access.managed_identity:
        return ManagedIdentityCredential(client_id=access.client_id or None, **patience)
    return DefaultAzureCredential(**patience)


def storage_keys(access: Access, endpoint: str) -> Any:  # noqa: ANN401 - two classes of azure-core
    """Return the credential in the connection string of a storage account; none: our identity is what counts.

    Args:
        access: what there is.
        endpoint: where the account is. The connection string's own endpoints do not count.

    Raises:
        ConfigError: there is nothing that counts at *endpoint*.

    """
    from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential

    given = dict(part.split("=", 1) for part in access.connection_string.split(";") if "=" in part)
    if all(given.get(name) for name in STORAGE_KEYS):
        return AzureNamedKeyCredential(*(given[name] for name in STORAGE_KEYS))
    if given.get("SharedAccessSignature"):
        return AzureSasCredential(given["SharedAccessSignature"])
    if access.connection_string or is_plain(endpoint):
        # The SDKs of storage send no token over plain HTTP, whatever they are told.
        needed = "must have AccountName and AccountKey, or SharedAccessSignature"
        raise ConfigError("environment", [f"AZURE_STORAGE_CONNECTION_STRING: {needed}"])
    return None
