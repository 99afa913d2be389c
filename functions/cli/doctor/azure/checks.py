"""The preconditions of a training on Azure; every check uses the caller's own login."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

from functions.azure.addresses import Place, place_of
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from functions.azure.errors import Persistence, RefusalError, call
from functions.azure.launcher import PUBLIC
from functions.azure.ledger import TableLedger, Version
from functions.azure.secrets import audience_of, read_secret
from functions.cli.doctor.azure.azureml import azureml_checks
from functions.cli.doctor.azure.eventgrid import EventSubscriptions
from functions.cli.doctor.azure.topic import Topic, codes_of
from functions.cli.doctor.check import PROBE, Check, CheckFailedError, CheckSkippedError, Setting, explained
from functions.cli.doctor.places import WRITABLE, Form, form_checks, ledger_checks
from functions.github.token import ReadSecret, SecretStore
from shared.backoff import Backoff
from shared.config.targets import AzureMlTarget
from shared.errors import ConfigError

# A person is waiting for the result.
RETRIES: Final = Persistence(backoff=Backoff(attempts=2, base=0.4), seconds=5)
# No entity and no blob has these ETags.
OLD_ETAG: Final = "W/\"datetime'1970-01-01T00%3A00%3A00.0000000Z'\""
NO_ETAG: Final = '"0x0"'

_FORMS: Final = {
    "RETRAIN_BUS": Form(
        expected="the endpoint of a topic, https://.../api/events",  # A key or a token is sent there.
        pattern=re.compile(r"(https://[^/?\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)/api/events"),
    ),
    "RETRAIN_LEDGER": Form(
        expected="the URL of a table: the endpoint of the service, a slash and the name",
        pattern=re.compile(r"https?://[^?\s]+/[A-Za-z][A-Za-z0-9]{2,62}"),
        secret=True,
    ),
    "RETRAIN_DEAD_LETTERS": Form(
        expected="the URL of a container: the endpoint of the service, a slash and the name",
        pattern=re.compile(r"https?://[^?\s]+/[a-z0-9](?:-?[a-z0-9]){2,62}"),
        unset="a rejected event is raised, so it goes to the event subscription's dead-letter destination",
        secret=True,
    ),
}
_DEPLOY: Final = "in this storage account; deploy, or correct"
_DENIED: Final = ("401", "403")
_NO_LOGIN: Final[Mapping[str, Exception]] = {
    name: CheckSkippedError(f"not checked: there is no valid Azure login ({name}); run `az login`")
    for name in ("CredentialsError", "ClientAuthenticationError", "CredentialUnavailableError")
}


def checks(setting: Setting) -> list[Check]:
    """Return the checks for Azure, in the order in which to fix them."""
    account = _Account(setting)
    return [
        *form_checks(setting, _FORMS),
        *account.topic().checks(),
        *account.subscriptions().checks(),
        *ledger_checks("table", account.read, account.write),
        Check(name="dead letters", about=WRITABLE, run=account.dead_letters),
        *azureml_checks(setting.config, account.get, _explain),
    ]


def secret_stores(setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on Azure."""
    clients = _clients(setting)
    return {SecretStore.AZURE: lambda url: read_secret(clients.rest(url, audience_of(url)), url, persistence=RETRIES)}


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
        return Topic(self._clients.rest, key, self._bus, _NO_LOGIN, RETRIES)

    def subscriptions(self) -> EventSubscriptions:
        named = [self._setting.variables.get("AZURE_SUBSCRIPTION_ID", "")]
        for model in self._setting.config.models if self._setting.config else ():
            target = model.targets.get("azure")
            named += [target.workspace.strip("/").split("/")[1]] if isinstance(target, AzureMlTarget) else []
        missing = CheckSkippedError("not checked: Azure Resource Manager has no such subscription")

        def get(path: str, version: str) -> Mapping[str, Any]:
            with _explain(missing):
                return self.get(path, version)

        return EventSubscriptions(get, self._bus, list(dict.fromkeys(filter(None, named))), self._setting.source)

    def read(self) -> None:
        place = self._place("RETRAIN_LEDGER")
        missing = CheckFailedError(f"there is no table {place.name} {_DEPLOY} RETRAIN_LEDGER")
        with _storage(missing, f"table {place.name}", "Storage Table Data Contributor"):
            self._table(place).models(None, 1)

    def write(self) -> None:
        """Write under a condition that can never hold: storage checks the permission first."""
        place = self._place("RETRAIN_LEDGER")
        missing = CheckSkippedError("not checked: the table does not exist")
        with _storage(missing, f"table {place.name}", "Storage Table Data Contributor"):
            self._table(place).save(PROBE, "{}", Version(etag=OLD_ETAG, indexed=False))

    def dead_letters(self) -> None:
        """Write under a condition that can never hold, as in `write`."""
        place = self._place("RETRAIN_DEAD_LETTERS")

        def upload() -> None:
            from azure.core import MatchConditions

            self._clients.container(place)().upload_blob(
                f"{PROBE}.json", b"", overwrite=True, etag=NO_ETAG, match_condition=MatchConditions.IfNotModified
            )

        missing = CheckFailedError(f"there is no container {place.name} {_DEPLOY} RETRAIN_DEAD_LETTERS")
        with _storage(missing, f"container {place.name}", "Storage Blob Data Contributor"):
            try:
                action = f"write to the container {place.name}"
                call(upload, service="Blob storage", action=action, judged=(412,), persistence=RETRIES)
            except RefusalError:
                return

    def get(self, path: str, version: str) -> Mapping[str, Any]:
        """Read a resource of Azure Resource Manager; a full URL, as of a next page, includes its own version."""

        def send() -> Mapping[str, Any]:
            url = path if path.startswith("http") else f"{self._arm}{path}?api-version={version}"
            found: Mapping[str, Any] = self._clients.resource_manager(self._arm)().request("GET", url)
            return found

        return call(send, service="Azure Resource Manager", action=f"read {path}", persistence=RETRIES)

    def _bus(self) -> str:
        endpoint = self._setting.needed("RETRAIN_BUS")
        if not _FORMS["RETRAIN_BUS"].pattern.fullmatch(endpoint):
            raise CheckSkippedError("not checked: RETRAIN_BUS is not such a URL")
        return endpoint

    def _table(self, place: Place) -> TableLedger:
        return TableLedger(self._clients.table(place), place.name, persistence=RETRIES)

    def _place(self, variable: str) -> Place:
        try:
            return place_of(variable, self._setting.needed(variable))
        except ConfigError as error:
            raise CheckSkippedError(f"not checked: {variable} is not such a URL") from error


def _storage(missing: Exception, resource: str, role: str) -> AbstractContextManager[None]:
    denied = CheckFailedError(
        f"this login may not use the {resource}; grant the role {role}, or wait until the grant takes effect"
    )
    return explained(codes_of, {**_NO_LOGIN, "404": missing, **dict.fromkeys(_DENIED, denied)})


def _explain(missing: Exception) -> AbstractContextManager[None]:
    """Translate a 404 into *missing*, and skip the check if the permission to look is missing."""
    denied = CheckSkippedError("not checked: this login lacks the role Reader there, which only this check needs")
    return explained(codes_of, {**_NO_LOGIN, "404": missing, **dict.fromkeys(_DENIED, denied)})
