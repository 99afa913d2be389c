"""What must be there on Azure before a trigger becomes a training; each check asks with the caller's own login."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from functions.azure.addresses import Place, place_of
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from functions.azure.errors import Persistence, RefusalError, call
from functions.azure.launcher import PUBLIC
from functions.azure.ledger import TableLedger
from functions.azure.secrets import audience_of, read_secret
from functions.cli.doctor.azure.azureml import azureml_checks
from functions.cli.doctor.azure.eventgrid import EventSubscriptions
from functions.cli.doctor.azure.topic import Topic, codes_of
from functions.cli.doctor.check import (
    PROBE,
    Check,
    CheckFailedError,
    CheckSkippedError,
    Form,
    Setting,
    explained,
    needed,
    variable_check,
)
from functions.github.token import ReadSecret, SecretStore
from shared.backoff import Backoff
from shared.config.targets import AzureMlTarget
from shared.errors import ConfigError

# A person waits.
PATIENCE: Final = Persistence(backoff=Backoff(attempts=2, base=0.4), seconds=5)
# What no entity and no blob has.
OLD_ETAG: Final = "W/\"datetime'1970-01-01T00%3A00%3A00.0000000Z'\""
NO_ETAG: Final = '"0x0"'

_FORMS: Final = {
    "RETRAIN_BUS": Form(
        wanted="the endpoint of a topic, https://.../api/events",  # A key or a token goes there.
        pattern=re.compile(r"(https://[^/?\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)/api/events"),
    ),
    "RETRAIN_LEDGER": Form(
        wanted="the URL of a table: the endpoint of the service, a slash and the name",
        pattern=re.compile(r"https?://[^?\s]+/[A-Za-z][A-Za-z0-9]{2,62}"),
        secret=True,
    ),
    "RETRAIN_DEAD_LETTERS": Form(
        wanted="the URL of a container: the endpoint of the service, a slash and the name",
        pattern=re.compile(r"https?://[^?\s]+/[a-z0-9](?:-?[a-z0-9]){2,62}"),
        unset="a rejected event is raised, and the event subscription's dead-letter destination has to take it",
        secret=True,
    ),
}
_DEPLOY: Final = "in this storage account: deploy, or correct"
_DENIED: Final = ("401", "403")
_NOBODY: Final[Mapping[str, Exception]] = {
    name: CheckSkippedError(f"not checked: Azure does not know who asks ({name}): run `az login`")
    for name in ("ClientAuthenticationError", "CredentialUnavailableError")
}


def checks(setting: Setting) -> list[Check]:
    """Return the checks for Azure, in the order in which they are best repaired."""
    account = _Account(setting)
    return [
        *(variable_check(setting, name, form) for name, form in _FORMS.items()),
        *account.topic().checks(),
        *account.subscriptions().checks(),
        Check(name="ledger, reading", about="the table can be read", run=account.read),
        Check(name="ledger, writing", about="a write was refused by nothing but its condition", run=account.write),
        Check(name="dead letters", about="a write was refused by nothing but its condition", run=account.letters),
        *azureml_checks(setting.config, account.get, _told),
    ]


def secret_stores(setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on Azure."""
    clients = _clients(setting)
    return {SecretStore.AZURE: lambda url: read_secret(clients.rest(url, audience_of(url)), url, persistence=PATIENCE)}


def _clients(setting: Setting) -> Clients:
    variables = setting.variables
    access = Access(
        managed_identity=bool(variables.get("IDENTITY_ENDPOINT")),
        client_id=variables.get("AZURE_CLIENT_ID", ""),
        topic_key=variables.get("RETRAIN_EVENT_GRID_KEY", ""),
        connection_string=variables.get("AZURE_STORAGE_CONNECTION_STRING", ""),
    )
    clients = Clients(access)
    setting.opened.callback(clients.close)
    return clients


class _Account:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._clients = _clients(setting)
        self._arm = (setting.variables.get("RETRAIN_ARM_ENDPOINT") or PUBLIC).rstrip("/")

    def topic(self) -> Topic:
        key = self._setting.variables.get("RETRAIN_EVENT_GRID_KEY", "")
        return Topic(self._clients.rest, key, self._bus, _NOBODY, PATIENCE)

    def subscriptions(self) -> EventSubscriptions:
        named = [self._setting.variables.get("AZURE_SUBSCRIPTION_ID", "")]
        for model in self._setting.config.models if self._setting.config else ():
            target = model.targets.get("azure")
            named += [target.workspace.strip("/").split("/")[1]] if isinstance(target, AzureMlTarget) else []
        gone = CheckSkippedError("not checked: Resource Manager knows no such subscription")

        def get(path: str, version: str) -> Mapping[str, Any]:
            with _told(gone):
                return self.get(path, version)

        return EventSubscriptions(get, self._bus, list(dict.fromkeys(filter(None, named))), self._setting.source)

    def read(self) -> None:
        place = self._place("RETRAIN_LEDGER")
        gone = CheckFailedError(f"there is no table {place.name} {_DEPLOY} RETRAIN_LEDGER")
        with _storage(gone, f"table {place.name}", "Storage Table Data Contributor"):
            self._table(place).models(None, 1)

    def write(self) -> None:
        """Write on a condition that nothing meets: storage looks at the right to write before it looks at that."""
        place = self._place("RETRAIN_LEDGER")
        gone = CheckSkippedError("not checked: the table is not there")
        with _storage(gone, f"table {place.name}", "Storage Table Data Contributor"):
            self._table(place).save(PROBE, "{}", OLD_ETAG)

    def letters(self) -> None:
        """Write as `write` does."""
        place = self._place("RETRAIN_DEAD_LETTERS")

        def upload() -> None:
            from azure.core import MatchConditions

            self._clients.container(place)().upload_blob(
                f"{PROBE}.json", b"", overwrite=True, etag=NO_ETAG, match_condition=MatchConditions.IfNotModified
            )

        gone = CheckFailedError(f"there is no container {place.name} {_DEPLOY} RETRAIN_DEAD_LETTERS")
        with _storage(gone, f"container {place.name}", "Storage Blob Data Contributor"):
            try:
                action = f"write to the container {place.name}"
                call(upload, service="Blob storage", action=action, judged=(412,), persistence=PATIENCE)
            except RefusalError:
                return

    def get(self, path: str, version: str) -> Mapping[str, Any]:
        """Read a resource of Azure Resource Manager; a whole address, as of a next page, brings its own version."""

        def send() -> Mapping[str, Any]:
            from azure.core.rest import HttpRequest

            url = path if path.startswith("http") else f"{self._arm}{path}?api-version={version}"
            response = self._clients.resource_manager(self._arm)().send_request(HttpRequest("GET", url))
            response.raise_for_status()
            found: Mapping[str, Any] = response.json()
            return found

        return call(send, service="Azure Resource Manager", action=f"read {path}", persistence=PATIENCE)

    def _bus(self) -> str:
        endpoint = needed(self._setting, "RETRAIN_BUS")
        if not _FORMS["RETRAIN_BUS"].pattern.fullmatch(endpoint):
            raise CheckSkippedError("not checked: RETRAIN_BUS is no such URL")
        return endpoint

    def _table(self, place: Place) -> TableLedger:
        return TableLedger(self._clients.table(place), place.name, persistence=PATIENCE)

    def _place(self, variable: str) -> Place:
        try:
            return place_of(variable, needed(self._setting, variable))
        except ConfigError as error:
            raise CheckSkippedError(f"not checked: {variable} is no such URL") from error


def _storage(gone: Exception, what: str, role: str) -> AbstractContextManager[None]:
    denied = CheckFailedError(f"this login may not use the {what}: grant the role {role}, or wait until it is known")
    return explained(codes_of, {**_NOBODY, "404": gone, **dict.fromkeys(_DENIED, denied)})


def _told(gone: Exception) -> AbstractContextManager[None]:
    """Let *gone* be what a 404 means; and without the right to look, nothing is known."""
    lacking = CheckSkippedError("not checked: this login lacks the role Reader there, which only this check needs")
    return explained(codes_of, {**_NOBODY, "404": gone, **dict.fromkeys(_DENIED, lacking)})
