"""Fixtures of the Azure adapters' tests: clients, stand-ins, storage, services with scripted answers."""

import os
from collections.abc import Iterator

import pytest
from azure.data.tables import TableClient

from emulators.arm import ArmStandIn, Component
from emulators.event_grid import EventGridStandIn
from emulators.storage import Storage, azurite, connection_string, missing
from functions.azure.addresses import Place
from functions.azure.bus import EventGridBus
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from functions.azure.launcher import AzureMlLauncher
from tests.azure.adapters import COMPONENT, IMPATIENT, PATIENT, TARGET, bus_at, noting
from tests.contracts.adapters import Answering, answering_services


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return what starts a service that gives the same answer to everything, and returns its URL."""
    with answering_services() as start:
        yield start


@pytest.fixture
def clients() -> Iterator[Clients]:
    """Return clients with a key of storage, without any identity, that soon give a silent service up."""
    made = Clients(Access(connection_string=connection_string("", "")), IMPATIENT)
    yield made
    made.close()


@pytest.fixture
def pauses() -> list[float]:
    """Return where the pauses between two attempts are noted."""
    return []


@pytest.fixture
def topic() -> Iterator[EventGridStandIn]:
    """Return a topic that needs no key of its own."""
    with EventGridStandIn(key="none") as stand_in:
        yield stand_in


@pytest.fixture
def bus(topic: EventGridStandIn, clients: Clients, pauses: list[float]) -> EventGridBus:
    """Return the adapter for the stand-in's topic, which tries three times."""
    return bus_at(topic.endpoint, clients, pauses)


@pytest.fixture
def arm() -> Iterator[ArmStandIn]:
    """Return a workspace with one component, whose jobs last until they are ended."""
    with ArmStandIn(components={COMPONENT: Component()}) as stand_in:
        yield stand_in


@pytest.fixture
def launcher(arm: ArmStandIn, clients: Clients, pauses: list[float]) -> AzureMlLauncher:
    """Return a launcher of the stand-in's component, which tries three times."""
    client = clients.resource_manager(arm.url)
    return AzureMlLauncher(client, TARGET, arm.url, persistence=noting(pauses))


@pytest.fixture(scope="session")
def storage() -> Iterator[Storage]:
    """Return a storage account; where none can run the test is skipped, which in CI is a failure."""
    if lack := missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lack)
    with azurite() as account:
        yield account


@pytest.fixture
def account(storage: Storage) -> Iterator[Clients]:
    """Return clients of that account."""
    made = Clients(Access(connection_string=storage.connection_string), PATIENT)
    yield made
    made.close()


@pytest.fixture
def official(storage: Storage, request: pytest.FixtureRequest) -> Iterator[TableClient]:
    """Return Microsoft's own client of an empty table."""
    name = f"t{abs(hash(request.node.nodeid))}"
    with TableClient.from_connection_string(storage.connection_string, name) as client:
        client.create_table()
        yield client
        client.delete_table()


@pytest.fixture
def table(storage: Storage, official: TableClient) -> Place:
    """Return that table."""
    return Place(endpoint=storage.table, name=official.table_name)


@pytest.fixture
def container(storage: Storage, account: Clients, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return an empty container."""
    place = Place(endpoint=storage.blob, name=f"c{abs(hash(request.node.nodeid))}")
    account.container(place)().create_container()
    yield place
    account.container(place)().delete_container()
