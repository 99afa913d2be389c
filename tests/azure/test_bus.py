"""Triggers reach an Event Grid topic by Microsoft's own client."""

import dataclasses

import pytest

from emulators.event_grid import EventGridStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from functions.azure.bus import SIZE_LIMIT, EventGridBus
from functions.azure.clients import Clients
from functions.azure.credentials import Access
from shared.errors import BusError, UnavailableError
from shared.fields import MAX_MAPPING_BYTES
from tests.azure.adapters import IMPATIENT, SOURCE, arrived, bus_at
from tests.contracts.adapters import trigger


def test_an_event_looks_as_documented(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """The event has our own id, the source as subject, the fields as data, and the time of the request."""
    bus.publish([trigger(1)])
    assert topic.events == [
        {
            "id": "t-1",
            "topic": topic.topic,
            "subject": "ml3_platform",
            "eventType": "retrain_trigger",
            "eventTime": "2026-11-21T03:00:00.000Z",
            "dataVersion": "1.0",
            "metadataVersion": "1",
            "data": trigger(1).to_fields(),
        }
    ]


def test_nothing_to_send_makes_no_client() -> None:
    """An empty list makes no call and no client."""

    def client() -> EventGridBus:
        raise AssertionError

    EventGridBus(client, "nowhere", SOURCE).publish([])  # type: ignore[arg-type]  # it is never made


def test_many_triggers_are_one_request(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """Events that fit into one request are sent in one, in their order."""
    bus.publish([trigger(number) for number in range(30)])
    assert arrived(topic) == [f"t-{number}" for number in range(30)]
    assert topic.requests == {200: 1}


def test_requests_stay_below_the_limit(clients: Clients) -> None:
    """Events too large for one request are split over several, none above the limit, each as full as possible."""
    sizes: list[int] = []

    def respond(request: Request) -> Answer:
        sizes.append(len(request.body))
        return Answer(status=200)

    large = [trigger(number, evidence={"text": "x" * (MAX_MAPPING_BYTES - 100)}) for number in range(150)]
    with LoopbackServer(respond) as server:
        EventGridBus(clients.topic(server.url), server.url, SOURCE).publish(large)
    assert len(sizes) == 3
    assert max(sizes) <= SIZE_LIMIT
    assert sizes[0] > SIZE_LIMIT - MAX_MAPPING_BYTES - 1000


def test_a_trigger_above_the_limit_is_named(topic: EventGridStandIn, clients: Clients) -> None:
    """One that no request can hold is refused by itself; the others arrive."""
    bus = EventGridBus(clients.topic(topic.endpoint), topic.endpoint, SOURCE, size_limit=2000)
    with pytest.raises(BusError, match=r"t-2: TooLarge: \d+ bytes, more than 2000$") as raised:
        bus.publish([trigger(1), trigger(2, evidence={"text": "x" * 2000}), trigger(3)])
    assert list(raised.value.failures) == ["t-2"]
    assert arrived(topic) == ["t-1", "t-3"]


def test_a_key_is_sent_and_never_shown(topic: EventGridStandIn, pauses: list[float]) -> None:
    """The topic's key authenticates; no error and no form of the settings shows it."""
    topic.key = "c2VjcmV0"
    for key in ("c2VjcmV0", "d3Jvbmc="):
        access = Access(topic_key=key)
        assert key not in repr(access)
        clients = Clients(access, IMPATIENT)
        try:
            bus_at(topic.endpoint, clients, pauses).publish([trigger(1)])
        except UnavailableError as error:
            assert key not in str(error)  # noqa: PT017 - the first key raises nothing
            assert "Unauthorized" in str(error)  # noqa: PT017 - the same
        clients.close()
    assert topic.requests == {200: 1, 401: 1}


def test_equal_ids_of_two_models_are_two_events(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """An id counts per model, so both are sent."""
    bus.publish([trigger(1), dataclasses.replace(trigger(1), model_id="fraud")])
    assert [event["data"]["model_id"] for event in topic.events] == ["churn", "fraud"]
