"""Events that a topic does not take are repeated, or the error names the triggers and the reasons."""

import json

import pytest

from emulators.event_grid import EventGridStandIn, TopicFault
from emulators.loopback import Answer, LoopbackServer, Request
from functions.azure.bus import EventGridBus
from functions.azure.clients import Clients
from shared.errors import BusError, UnavailableError
from tests.azure.adapters import SOURCE, arrived, bus_at, noting
from tests.contracts.adapters import Answering, trigger


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_topic_is_sent_to_again(
    bus: EventGridBus, topic: EventGridStandIn, pauses: list[float], status: int
) -> None:
    """A throttled request is repeated as well, which the client itself does not do."""
    topic.fail(TopicFault(status=status, times=2))
    bus.publish([trigger(1)])
    assert arrived(topic) == ["t-1"]
    assert topic.requests == {status: 2, 200: 1}
    assert pauses == [0.1, 0.2]


@pytest.mark.parametrize("status", [429, 503])
def test_a_topic_that_stays_busy_is_away(bus: EventGridBus, topic: EventGridStandIn, status: int) -> None:
    """After the last attempt the error is transient."""
    topic.fail(TopicFault(status=status, times=9))
    with pytest.raises(UnavailableError, match=r"Event Grid could not take 2 trigger\(s\) for .*: OrderedByATest"):
        bus.publish([trigger(1), trigger(2)])
    assert topic.requests == {status: 3}


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_right_is_an_outage(bus: EventGridBus, topic: EventGridStandIn, status: int) -> None:
    """An operator repairs it, and the same trigger arrives then."""
    topic.fail(TopicFault(status=status))
    with pytest.raises(UnavailableError, match="OrderedByATest"):
        bus.publish([trigger(1)])
    bus.publish([trigger(1)])
    assert arrived(topic) == ["t-1"]


@pytest.mark.parametrize("status", [400, 404, 413])
def test_a_refused_request_names_its_triggers(bus: EventGridBus, topic: EventGridStandIn, status: int) -> None:
    """A request is taken whole or not at all, so all its triggers are named."""
    topic.fail(TopicFault(status=status))
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1), trigger(2)])
    assert raised.value.failures == dict.fromkeys(("t-1", "t-2"), "OrderedByATest: ordered by a test")
    assert topic.requests == {status: 1}


def test_a_refusal_does_not_stop_the_next_request(topic: EventGridStandIn, clients: Clients) -> None:
    """The triggers behind a refused request arrive."""
    bus = EventGridBus(clients.topic(topic.endpoint), topic.endpoint, SOURCE, size_limit=1200)
    topic.fail(TopicFault(status=400))
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(number) for number in range(6)])
    assert list(raised.value.failures) == [f"t-{number}" for number in range(6) if f"t-{number}" not in arrived(topic)]
    assert arrived(topic)


def test_a_topic_that_is_away_is_not_called_for_each_request(topic: EventGridStandIn, clients: Clients) -> None:
    """Once the topic is given up the other requests are not tried: there is no time for that."""
    bus = EventGridBus(
        clients.topic(topic.endpoint), topic.endpoint, SOURCE, persistence=noting([], attempts=1), size_limit=1200
    )
    topic.fail(TopicFault(status=503, times=9))
    with pytest.raises(UnavailableError):
        bus.publish([trigger(number) for number in range(6)])
    assert topic.requests == {503: 1}


def test_a_refusal_and_an_outage_are_reported_together(topic: EventGridStandIn, clients: Clients) -> None:
    """The error names every trigger that did not arrive, whatever the reason."""
    bus = EventGridBus(
        clients.topic(topic.endpoint), topic.endpoint, SOURCE, persistence=noting([], attempts=1), size_limit=700
    )
    topic.fail(TopicFault(status=400))
    topic.fail(TopicFault(status=503))
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1), trigger(2), trigger(3)])
    assert raised.value.failures["t-1"] == "OrderedByATest: ordered by a test"
    assert all("try again" in raised.value.failures[name] for name in ("t-2", "t-3"))


def test_a_silent_topic_is_given_up(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """A topic that accepts the connection and says nothing is away after each try's own timeout."""
    topic.fail(TopicFault(status=0, seconds=30, times=9))
    with pytest.raises(UnavailableError, match="ServiceResponseTimeoutError"):
        bus.publish([trigger(1)])


def test_events_whose_answer_got_lost_are_sent_again(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """The receiver is protected by the id, which is the same every time."""
    topic.fail(TopicFault(status=0, taken=True))
    bus.publish([trigger(1)])
    assert arrived(topic) == ["t-1", "t-1"]


def test_a_topic_that_cannot_be_reached_is_away(clients: Clients, pauses: list[float]) -> None:
    """A closed port makes the bus unavailable."""
    with EventGridStandIn() as gone:
        endpoint = gone.endpoint
    with pytest.raises(UnavailableError, match=r"ServiceRequestError: \w+; try again$"):
        bus_at(endpoint, clients, pauses).publish([trigger(1)])


@pytest.mark.parametrize("status", [202, 302, 307, 308, 418])
def test_an_odd_answer_is_not_a_success(
    clients: Clients, answering: Answering, pauses: list[float], status: int
) -> None:
    """Only 200 means that the topic has the events, and no redirection is followed with them."""
    elsewhere: list[Request] = []
    with LoopbackServer(lambda request: elsewhere.append(request) or Answer(status=200)) as other:  # type: ignore[func-returns-value]
        url = answering(status, b"", Location=other.url)
        with pytest.raises(UnavailableError, match=f"HTTP {status}"):
            bus_at(url, clients, pauses).publish([trigger(1)])
    assert elsewhere == []


def test_the_payload_is_not_in_the_errors(bus: EventGridBus, topic: EventGridStandIn) -> None:
    """Parameters may be confidential: no error quotes them."""
    topic.fail(TopicFault(status=400))
    with pytest.raises(BusError) as raised:
        bus.publish([trigger(1, parameters={"password": "hunter2"})])
    assert "hunter2" not in str(raised.value)
    assert "hunter2" in json.dumps(trigger(1, parameters={"password": "hunter2"}).to_fields())
