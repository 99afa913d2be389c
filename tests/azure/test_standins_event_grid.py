"""The stand-in for Event Grid accepts the events that a topic accepts, and delivers at least once."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from emulators.arm import Identity
from emulators.event_grid import EventGridStandIn, Subscription, TopicFault
from emulators.event_grid.standin import KEY, TOPIC
from emulators.event_grid.webhook import shake_hands
from emulators.loopback import Answer, LoopbackServer, Request
from tests.azure.calls import call

EVENT = {"id": "e-1", "subject": "s", "eventType": "t", "eventTime": "2026-11-21T12:00:00Z", "data": {"a": 1}}


@pytest.fixture
def topic() -> Iterator[EventGridStandIn]:
    """Return a topic with a key."""
    with EventGridStandIn() as stand_in:
        yield stand_in


class Endpoint(LoopbackServer):
    """An endpoint that answers with the given statuses, one after another, and keeps the requests."""

    def __init__(self, *statuses: int, body: bytes = b"") -> None:
        """Answer with *statuses*; the last one repeats."""
        self.requests: list[Request] = []
        self._statuses = statuses
        self._body = body
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        place = min(len(self.requests), len(self._statuses)) - 1
        return Answer(status=self._statuses[place], body=self._body)


def publish(topic: EventGridStandIn, *events: Any, key: str = KEY, **options: Any) -> None:
    """Send events with the real publisher, without retries unless *options* say otherwise."""
    with EventGridPublisherClient(topic.endpoint, AzureKeyCredential(key)) as client:
        client.send(list(events), **({"retry_total": 0} | options))


def an_event(**fields: Any) -> EventGridEvent:
    """Return an event made by the SDK."""
    return EventGridEvent(**({"subject": "s", "event_type": "t", "data_version": "1", "data": {}} | fields))


def test_a_topic_completes_the_events_that_it_accepts(topic: EventGridStandIn) -> None:
    """An event of the SDK gets the topic and the version of its metadata."""
    publish(topic, an_event(id="e-1", data={"a": 1}), an_event(id="e-2"))
    first, second = topic.events
    assert (first["id"], first["data"], first["topic"], first["metadataVersion"]) == ("e-1", {"a": 1}, TOPIC, "1")
    assert second["id"] == "e-2"
    assert topic.requests == {200: 1}


def test_the_key_is_checked(topic: EventGridStandIn) -> None:
    """A wrong or missing key is answered with 401, and nothing is accepted."""
    with pytest.raises(HttpResponseError) as raised:
        publish(topic, an_event(), key="wrong")
    assert raised.value.status_code == 401
    assert call("POST", f"{topic.endpoint}?api-version=2018-01-01", [EVENT]).status == 401
    assert (topic.events, topic.requests) == ([], {401: 2})


def test_a_token_is_accepted_if_there_is_an_identity() -> None:
    """A topic without keys accepts the identity's tokens for Event Grid."""
    with Identity() as identity, EventGridStandIn(key=None, identity=identity) as topic:
        url = f"{topic.endpoint}?api-version=2018-01-01"
        address = (
            f"{identity.variables['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=https://eventgrid.azure.net"
        )
        answer = call("GET", address, X_IDENTITY_HEADER=identity.variables["IDENTITY_HEADER"])
        proof = {"Authorization": f"Bearer {answer.body['access_token']}"}
        assert [call("POST", url, [EVENT], **given).status for given in (proof, {"aeg_sas_key": KEY})] == [200, 401]


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ([{"subject": "s", "event_type": "t", "data_version": "1", "data": {}}], 400, "id, eventType, eventTime"),
        ([EVENT, EVENT | {"id": ""}], 400, "missing or not strings: id"),
        ([EVENT | {"subject": 5}], 400, "subject"),
        ([EVENT | {"eventTime": "yesterday"}], 400, "eventTime"),
        ([EVENT | {"topic": "/another"}], 400, "topic"),
        (EVENT, 400, "array"),
        ([7], 400, "array"),
        (b"{", 400, "JSON"),
        ([EVENT | {"data": "x" * 1_048_576}], 413, "1048576"),
    ],
)
def test_a_request_with_an_invalid_event_is_refused_completely(
    topic: EventGridStandIn, body: object, status: int, word: str
) -> None:
    """The answer names the problem, and no event of the request is accepted."""
    answer = call("POST", f"{topic.endpoint}?api-version=2018-01-01", body, aeg_sas_key=KEY)
    assert answer.status == status
    assert word in answer.body["error"]["message"]
    assert topic.events == []


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "?api-version=1999-01-01", 400), ("GET", "", 404)])
def test_another_version_or_method_is_refused(topic: EventGridStandIn, method: str, path: str, status: int) -> None:
    """The topic serves one method and one version of the API."""
    assert call(method, topic.endpoint + path, [EVENT], aeg_sas_key=KEY).status == status


def test_faults_hit_requests_as_ordered(topic: EventGridStandIn) -> None:
    """Requests are throttled, failed or lost as ordered, the last one after it was accepted; all are counted."""
    for fault in (TopicFault(status=429), TopicFault(status=503), TopicFault(status=0, taken=True)):
        topic.fail(fault)
        with pytest.raises(AzureError) as raised:
            publish(topic, an_event(id="e-1"))
        assert getattr(raised.value, "status_code", 0) == fault.status
    publish(topic, an_event(id="e-1"))
    assert [event["id"] for event in topic.events] == ["e-1", "e-1"]
    assert topic.requests == {429: 1, 503: 1, 0: 1, 200: 1}


def test_an_event_is_redelivered_until_it_is_accepted(topic: EventGridStandIn) -> None:
    """Two failures and a success are three deliveries of an array of one event, with the headers of Event Grid."""
    with Endpoint(500, 404, 202) as endpoint:
        subscription = Subscription(url=endpoint.url, delays=(0.01,))
        topic.subscriptions.append(subscription)
        publish(topic, an_event(id="e-1"))
        subscription.drain(10)
    assert [request.headers["aeg-delivery-count"] for request in endpoint.requests] == ["0", "1", "2"]
    assert endpoint.requests[0].headers["aeg-event-type"] == "Notification"
    assert endpoint.requests[0].body.startswith(b'[{"')
    assert subscription.dead_letters == []


@pytest.mark.parametrize(
    ("status", "attempts", "reason"),
    [(500, 3, "MaxDeliveryAttemptsExceeded"), (400, 1, "UndeliverableDueToClientError"), (413, 1, "Undeliverable")],
)
def test_an_event_that_is_never_accepted_is_given_up(status: int, attempts: int, reason: str) -> None:
    """An event is given up after the last attempt, or immediately after an answer that is never retried."""
    with Endpoint(status) as endpoint:
        subscription = Subscription(url=endpoint.url, delays=(0.01,), max_attempts=3)
        subscription.put(EVENT)
        subscription.drain(10)
    ((letter),) = subscription.dead_letters
    assert (letter.event, letter.attempts, letter.last_status) == (EVENT, attempts, status)
    assert letter.reason.startswith(reason)
    assert subscription.requests == attempts


def test_a_subscription_gets_the_events_that_it_wants_as_often_as_ordered() -> None:
    """Events of other types are not delivered, others as often as ordered; waiting events can be removed."""
    with Endpoint(200) as endpoint, Subscription(url=endpoint.url, included_event_types=["t"], copies=2) as running:
        running.put(EVENT | {"eventType": "other"})
        running.put(EVENT)
        running.drain(10)
    assert len(endpoint.requests) == 2
    waiting = Subscription(url=endpoint.url)
    waiting.put(EVENT)
    assert (waiting.take_all(), waiting.take_all()) == ([EVENT], [])


def test_without_an_endpoint_the_event_keeps_waiting() -> None:
    """An endpoint that does not exist accepts nothing."""
    subscription = Subscription(url="http://127.0.0.1:9", delays=(0.01,))
    subscription.put(EVENT)
    with pytest.raises(TimeoutError, match="1 events were not accepted"):
        subscription.drain(0.1)


def test_a_subscription_may_want_cloud_events() -> None:
    """A single event is then an object, with the topic as its source and the same subject."""
    with Endpoint(200) as endpoint:
        subscription = Subscription(url=endpoint.url, delivery_schema="CloudEventSchemaV1_0")
        subscription.deliver(EVENT | {"topic": TOPIC})
    body = endpoint.requests[0].body
    assert body.startswith(b'{"id": "e-1", "source": "/subscriptions/')
    assert b'"type": "t", "subject": "s"' in body


@pytest.mark.parametrize(("status", "body"), [(202, b"{}"), (200, b'{"validationResponse": "made up"}'), (500, b"")])
def test_an_endpoint_that_does_not_return_the_code_gets_no_subscription(status: int, body: bytes) -> None:
    """Only status 200 with the same code proves that the endpoint wants events."""
    with Endpoint(status, body=body) as endpoint, pytest.raises(PermissionError, match="did not prove"):
        shake_hands(endpoint.url)
