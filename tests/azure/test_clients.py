"""Clients are made on first use, once, and prove who we are with what there is and no more."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulators.arm import ArmStandIn, Component, Identity
from emulators.event_grid import EventGridStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.storage import ACCOUNT, KEY
from functions.azure.addresses import Place
from functions.azure.bus import EventGridBus
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from functions.azure.launcher import AzureMlLauncher
from functions.azure.ledger import TableLedger
from functions.http_session import NoAnswerError
from shared.errors import ConfigError, UnavailableError
from tests.azure.adapters import COMPONENT, IMPATIENT, ONCE, SOURCE, TARGET
from tests.contracts.adapters import Answering, request, trigger


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> Iterator[Identity]:
    """Return a managed identity, to which the environment leads."""
    with Identity() as stand_in:
        for name, value in stand_in.variables.items():
            monkeypatch.setenv(name, value)
        yield stand_in


@pytest.fixture
def managed(identity: Identity) -> Iterator[Clients]:  # noqa: ARG001 - it must be there
    """Return clients with that identity."""
    made = Clients(Access(managed_identity=True), IMPATIENT)
    yield made
    made.close()


def bus_on(clients: Clients, endpoint: str) -> EventGridBus:
    """Return a bus that tries once."""
    return EventGridBus(clients.topic(endpoint), endpoint, SOURCE, persistence=ONCE)


def launcher_on(clients: Clients, url: str) -> AzureMlLauncher:
    """Return a launcher that tries once."""
    return AzureMlLauncher(clients.resource_manager(url), TARGET, url, persistence=ONCE)


def test_the_identity_of_the_platform_is_used(managed: Clients, identity: Identity) -> None:
    """Topic and Resource Manager get tokens of their own audiences, also over plain HTTP on this machine."""
    with (
        EventGridStandIn(key=None, identity=identity) as topic,
        ArmStandIn(components={COMPONENT: Component()}, identity=identity) as arm,
    ):
        for number in range(3):
            bus_on(managed, topic.endpoint).publish([trigger(number)])
            launcher_on(managed, arm.url).start(request(trigger(number)), again=False)
        assert len(topic.events) == len(arm.jobs()) == 3
    assert sorted(identity.requested) == ["https://eventgrid.azure.net", "https://management.azure.com"]


def test_a_key_counts_before_the_identity(identity: Identity) -> None:
    """Who sets the topic's key wants it to be used."""
    with EventGridStandIn(key="a2V5", identity=identity) as topic:
        clients = Clients(Access(managed_identity=True, topic_key="a2V5"), IMPATIENT)
        bus_on(clients, topic.endpoint).publish([trigger()])
        clients.close()
    assert identity.requested == []
    assert len(topic.events) == 1


def test_a_stand_in_on_this_machine_needs_no_credentials(clients: Clients) -> None:
    """Without an identity no token is requested for an address of this machine."""
    asked: list[Request] = []

    def respond(asking: Request) -> Answer:
        asked.append(asking)
        return Answer(status=201, body=b'{"properties": {}}')

    with LoopbackServer(respond) as server:
        launcher_on(clients, server.url).start(request(), again=False)
    assert "authorization" not in asked[0].headers


@pytest.mark.parametrize(
    "answer", [(500, {"statusCode": 500, "message": "no"}), (400, {"statusCode": 400}), (503, b"<html>"), (200, b"")]
)
def test_an_identity_that_gives_no_token_is_an_outage(
    monkeypatch: pytest.MonkeyPatch, answering: Answering, answer: tuple[int, Any]
) -> None:
    """Without a token nothing is sent, and the trigger comes again; no secret is shown."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", answering(*answer, Content_Type="application/json"))
    monkeypatch.setenv("IDENTITY_HEADER", "hunter2")
    clients = Clients(Access(managed_identity=True), IMPATIENT)
    with ArmStandIn(components={COMPONENT: Component()}) as arm:
        with pytest.raises(UnavailableError) as raised:
            launcher_on(clients, arm.url).start(request(), again=False)
        assert arm.all_calls() == {}
    clients.close()
    assert "hunter2" not in str(raised.value)


def test_each_client_is_made_once(clients: Clients) -> None:
    """However many threads need it at the same time, there is one client for each address."""
    factories = [clients.resource_manager("http://127.0.0.1:1"), clients.topic("http://127.0.0.1:1/api/events")]
    together = threading.Barrier(8)

    def make(number: int) -> int:
        together.wait()
        return id(factories[number % 2]())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 2
    assert clients.resource_manager("http://127.0.0.1:2")() is not factories[0]()


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (f"AccountName={ACCOUNT};AccountKey={KEY}", "SharedKey"),
        (
            f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={KEY};EndpointSuffix=core.windows.net",
            "Shared",
        ),
        ("TableEndpoint=https://example.com;SharedAccessSignature=sv=1&sig=s%3D", "sig=s%3D"),
    ],
)
def test_the_connection_string_proves_and_the_url_leads(text: str, header: str) -> None:
    """Key or signature come from the connection string, the address from the setting alone."""
    asked: list[Request] = []

    def respond(asking: Request) -> Answer:
        asked.append(asking)
        return Answer(status=404, body=b'{"odata.error": {"code": "ResourceNotFound"}}')

    clients = Clients(Access(connection_string=text), IMPATIENT)
    with LoopbackServer(respond) as server:
        place = Place(endpoint=f"{server.url}/{ACCOUNT}", name="states")
        assert TableLedger(clients.table(place), "states").load("churn").document is None
    clients.close()
    assert header in asked[0].headers.get("authorization", "") + asked[0].path


@pytest.mark.parametrize("text", ["", "AccountName=a", "UseDevelopmentStorage=true", "nonsense", "AccountKey=hunter2"])
def test_storage_over_plain_http_needs_a_key(text: str) -> None:
    """The SDKs send no token there, so what is missing is said, and nothing of what was given."""
    clients = Clients(Access(connection_string=text, managed_identity=True), IMPATIENT)
    place = Place(endpoint=f"http://127.0.0.1:1/{ACCOUNT}", name="states")
    for make in (clients.table(place), clients.container(place)):
        with pytest.raises(ConfigError, match="AZURE_STORAGE_CONNECTION_STRING: must have AccountName") as raised:
            make()
        assert "hunter2" not in str(raised.value)
    clients.close()


def test_storage_is_reached_by_identity_without_a_connection_string(identity: Identity) -> None:
    """Over TLS the identity is what counts; the client is made without requesting a token."""
    clients = Clients(Access(managed_identity=True), IMPATIENT)
    place = Place(endpoint="https://acme.table.core.windows.net", name="states")
    assert clients.table(place)() is clients.table(place)()
    container = Place(endpoint="https://acme.blob.core.windows.net", name="letters")
    assert clients.container(container)().url == "https://acme.blob.core.windows.net/letters"
    clients.close()
    assert identity.requested == []


@pytest.mark.parametrize(
    ("endpoint", "audience"),
    [
        ("https://management.azure.com", "https://management.azure.com"),
        ("https://management.chinacloudapi.cn/", "https://management.chinacloudapi.cn"),
        ("https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
    ],
)
def test_each_cloud_has_its_own_audience(managed: Clients, identity: Identity, endpoint: str, audience: str) -> None:
    """A token for Resource Manager is requested for the address of its own cloud."""
    client = managed.resource_manager(endpoint)()
    # Nothing listens there: the token comes first, and is all that this is about.
    with pytest.raises(NoAnswerError, match="ConnectionRefusedError"):
        client.request("GET", "https://127.0.0.1:1/")
    assert identity.requested == [audience]


def test_no_token_leaves_this_machine_in_the_clear(managed: Clients, identity: Identity) -> None:
    """An address of another machine without TLS is reported as a mistake, and no token is sent to it."""
    keyed = Clients(Access(topic_key="a2V5"))
    url = "http://example.com/api/events"
    for make in (managed.resource_manager("http://example.com"), managed.topic(url), keyed.topic(url)):
        with pytest.raises(ConfigError, match=r"http://example.com.*: must begin with https://"):
            make()
    assert identity.requested == []


def test_no_secret_is_shown() -> None:
    """Neither key nor connection string is in the form that a log or a debugger shows."""
    access = Access(topic_key="hunter2", connection_string="AccountKey=hunter2")
    assert "hunter2" not in repr(access)
    assert "hunter2" not in json.dumps(repr(Clients(access)))
