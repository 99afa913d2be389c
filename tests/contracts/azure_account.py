"""An Azure subscription on loopback for a whole session: storage, a topic, an identity, and the function app."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import pytest
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from emulators.arm import Identity
from emulators.arm.standin import WORKSPACE
from emulators.azure_bundle import with_apprise
from emulators.event_grid import EventGridStandIn, Subscription
from emulators.functions_host import FunctionsHost
from emulators.storage import Storage, azurite, missing
from functions.azure.clients import CallLimits, Clients
from functions.azure.credentials import Access
from tests.contracts.azure_gate import ARM, BLOBS, TABLES, TOPIC, AzureGate
from tests.contracts.bundles import built_bundle
from tests.contracts.configuration import configuration
from tests.contracts.outlets import Outlets

TABLE: Final = "retrain"
CONTAINER: Final = "dead-letters"
COMPONENT: Final = f"{WORKSPACE}/components/train/versions/1"
EXPERIMENT: Final = "churn"
CALLER: Final = "ada@example.com"
BEARER: Final = "token-of-ada"
# Four instances, with at least five threads each, take sixteen events at the same time.
INSTANCES: Final = 4


def need_azurite() -> None:
    """Skip the test where Azurite cannot run; in CI that is a failure."""
    if lack := missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lack)


class Subscribed:
    """The services of the subscription, which live as long as the session.

    Attributes:
        gate: between the functions and the services.
        identity: the identity whose tokens the topic and Resource Manager require; the topic has no key.
        topic: the event bus.
        outlets: where what follows a training goes.
        subscription: delivers what is on the topic to `retrain_receive`, when a test lets it.
        clients: what the adapters are made of, through the gate.
        variables: the app settings.
        host: the function app, its processes stay warm.
        table, container: clients that go past the gate.

    """

    def __init__(self, folder: Path) -> None:
        """Use *folder* for the configuration; nothing runs yet."""
        self._folder = folder
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start everything; the app's processes start with their first work."""
        self._bundle = with_apprise(built_bundle("azure"), self._folder / "bundle")
        self.outlets = self._open.enter_context(Outlets())
        self.identity = self._open.enter_context(Identity())
        self.topic = self._open.enter_context(EventGridStandIn(key=None, identity=self.identity))
        storage = self._open.enter_context(azurite())
        self._make_storage(storage)
        self.gate = self._open.enter_context(self._gate(storage))
        self.variables = self._variables(storage)
        access = Access(managed_identity=True, connection_string=storage.connection_string)
        self.clients = Clients(access, CallLimits(read_timeout=5))
        self._open.callback(self.clients.close)
        self.host = self._open.enter_context(self.app(instances=INSTANCES))
        self.subscription = Subscription(url=self.host.event_grid_url("retrain_receive"))
        self.topic.subscriptions.append(self.subscription)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._open.close()

    def app(self, settings: Mapping[str, str] = MappingProxyType({}), *, instances: int = 1) -> FunctionsHost:
        """Return the function app, not started yet, with other *settings*; empty ones are left out."""
        environment = {key: value for key, value in (self.variables | dict(settings)).items() if value}
        return FunctionsHost(self._bundle, environment, instances=instances, principals={BEARER: CALLER})

    def letters(self) -> list[str]:
        """Return the texts of all dead letters."""
        return [
            self.container.download_blob(name, encoding="utf-8").readall() for name in self.container.list_blob_names()
        ]

    def empty(self) -> None:
        """Leave nothing of the test before."""
        for entity in self.table.list_entities(select=["PartitionKey", "RowKey"]):
            self.table.delete_entity(entity)
        for name in self.container.list_blob_names():
            self.container.delete_blob(name)
        self.subscription.take_all()
        self.gate.reset()
        self.outlets.empty()

    def _make_storage(self, storage: Storage) -> None:
        text = storage.connection_string
        self.table = self._open.enter_context(TableClient.from_connection_string(text, TABLE))
        self.container = self._open.enter_context(ContainerClient.from_connection_string(text, CONTAINER))
        self.table.create_table()
        self.container.create_container()

    def _gate(self, storage: Storage) -> AzureGate:
        # Resource Manager is another one for each test.
        services = {TABLES: storage.table, BLOBS: storage.blob, TOPIC: self.topic.endpoint, ARM: ""}
        return AzureGate(services, f"{urlsplit(storage.blob).path}/{CONTAINER}")

    def _variables(self, storage: Storage) -> dict[str, str]:
        account = urlsplit(storage.table).path
        return (
            self.identity.variables
            | self.outlets.variables
            | {
                "RETRAIN_CONFIG": str(self._configured()),
                "RETRAIN_BUS": self.gate.url + urlsplit(self.topic.endpoint).path,
                "RETRAIN_LEDGER": f"{self.gate.url}{account}/{TABLE}",
                "RETRAIN_DEAD_LETTERS": f"{self.gate.url}{account}/{CONTAINER}",
                "RETRAIN_ARM_ENDPOINT": self.gate.url,
                "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
            }
        )

    def _configured(self) -> Path:
        target = (
            f'{{ kind = "azureml", workspace = "{WORKSPACE}", component = "{COMPONENT}", experiment = "{EXPERIMENT}" }}'
        )
        broken = target.replace("train/", "no-such-component/")
        text = configuration("azure", works=target, broken=broken, channel=self.outlets.channel)
        path = self._folder / "retrain.toml"
        path.write_text(text, encoding="utf-8")
        return path
