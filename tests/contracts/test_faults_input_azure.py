"""Events of the documentation, odd ones and foreign ones: each is decided immediately, with a clear reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.eventgrid import EventGridEvent

from emulators.event_grid import Subscription
from shared.trigger import derived_id
from tests.contracts.azure_deliveries import delivered
from tests.contracts.messages import HttpRequest
from tests.contracts.on_azure import Azure

pytestmark = pytest.mark.xdist_group("contracts-azure")

EVENTS = Path(__file__).resolve().parents[1] / "events"


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def test_the_documented_event_as_it_is_written_is_acknowledged_and_ignored(azure: Azure) -> None:
    """The host's library drops names in snake case: the trigger sees an event without a type."""
    event = sample("ml3cube/seed-eventgrid-literal.json")
    event["data"]["model_id"] = "churn"
    assert azure.deliver(event).verdict == ("ignore", "ignored")
    assert (azure.trainings(), azure.letters()) == ([], [])


def test_the_documented_event_as_it_is_written_trains_by_the_webhook(azure: Azure) -> None:
    """The HTTP function sees the event as it was sent; without an id it is identified by its content."""
    event = sample("ml3cube/seed-eventgrid-literal.json")
    event["data"]["model_id"] = "churn"
    verdicts = [delivered(azure.account.host, azure.delivered_by_webhook([event])).verdict for _ in range(2)]
    assert verdicts == [("launch", "launched"), ("skip", "duplicate")]
    assert len(azure.trainings()) == 1


def test_the_documented_event_as_the_sdk_sends_it_trains_once(azure: Azure) -> None:
    """From the real publisher over the topic to one training, however often the topic delivers it."""
    client = azure.account.clients.topic(azure.account.variables["RETRAIN_BUS"])()
    documented = sample("ml3cube/seed-eventgrid-literal.json") | {"data": {"model_id": "churn"}}
    client.send([EventGridEvent(**documented)])
    (event,) = azure.account.subscription.take_all()
    wire = sample("ml3cube/derived-eventgrid-wire.json")[0]
    assert wire.keys() <= event.keys()
    assert {name: event[name] for name in ("subject", "eventType", "dataVersion")} == {
        name: wire[name] for name in ("subject", "eventType", "dataVersion")
    }
    for _ in range(3):
        azure.put(event)
    azure.drain()
    assert azure.trainings() == [derived_id(event["topic"], "ml3_platform", "retrain_trigger", event["id"])]
    assert azure.letters() == []


def test_the_documented_event_as_a_plain_object_is_refused_by_the_topic(azure: Azure) -> None:
    """The SDK sends an object as it is; the topic names what is missing in it."""
    client = azure.account.clients.topic(azure.account.variables["RETRAIN_BUS"])()
    with pytest.raises(HttpResponseError, match="id, eventType, eventTime") as raised:
        client.send(sample("ml3cube/seed-eventgrid-literal.json"))
    assert raised.value.status_code == 400
    assert azure.arrived() == []


@pytest.mark.parametrize(
    ("change", "verdict", "error"),
    [
        ({"id": ...}, ("launch", "launched"), ""),
        ({"data": ...}, ("reject", "rejected"), "data: must be an object"),
        ({"eventType": "retrain_everything"}, ("ignore", "ignored"), ""),
        ({"eventType": ...}, ("ignore", "ignored"), ""),
        ({"subject": ...}, ("ignore", "ignored"), ""),
        ({"data": {"model_id": "churn", "reason": "x" * 2_000_000}}, ("reject", "rejected"), "reason: "),
    ],
    ids=["no id", "no data", "another type", "no type", "no subject", "2 MB"],
)
def test_an_odd_event_is_decided_immediately(
    azure: Azure, change: dict[str, object], verdict: tuple[str, str], error: str
) -> None:
    """Whatever is odd about an event, it is acknowledged at its first delivery, and its repeat starts nothing more."""
    changed = azure.event({"model_id": "churn"}) | change
    event = {name: value for name, value in changed.items() if value is not ...}
    assert azure.deliver(event).verdict == verdict
    assert azure.deliver(event).acknowledged
    assert len(azure.trainings()) == (verdict[0] == "launch")
    letters = [json.loads(letter)["error"] for letter in azure.letters()]
    assert [letter[: len(error)] for letter in letters] == ([error] * 2 if error else [])


def test_a_time_that_is_none_never_reaches_the_function(azure: Azure) -> None:
    """The topic refuses such an event; one that came all the same would fail in the host's library, until given up."""
    event = azure.event({"model_id": "churn"}, time="yesterday")
    sent = {name: event[name] for name in ("id", "subject", "eventType", "eventTime", "data", "dataVersion")}
    client = azure.account.clients.topic(azure.account.variables["RETRAIN_BUS"])()
    with pytest.raises(HttpResponseError, match="eventTime is not a valid date and time"):
        client.send(sent)
    subscription = Subscription(url=azure.account.subscription.url, max_attempts=3, delays=(0.01,))
    subscription.put(event)
    subscription.drain(10)
    assert (subscription.requests, len(subscription.dead_letters)) == (3, 1)
    assert (azure.trainings(), azure.traffic()) == ([], ["Publish"])


def test_a_time_that_is_none_does_no_harm_by_the_webhook(azure: Azure) -> None:
    """Nothing hangs on an event's time: the HTTP function acts on it like on any other."""
    event = azure.event({"model_id": "churn"}, time="yesterday")
    assert delivered(azure.account.host, azure.delivered_by_webhook([event])).verdict == ("launch", "launched")


def test_a_delivery_that_is_too_long_for_the_webhook_is_not_repeated(azure: Azure) -> None:
    """Event Grid delivers at most 1 MB; 413 is an answer that it does not repeat."""
    event = azure.event({"model_id": "churn", "reason": "x" * 2_000_000})
    assert azure.delivered_by_webhook([event]).status == 413
    assert (azure.trainings(), azure.letters()) == ([], [])


@pytest.mark.parametrize("body", [b"{", b"", b"\xff"])
def test_a_delivery_that_is_not_json_is_not_repeated(azure: Azure, body: bytes) -> None:
    """400 is an answer that Event Grid does not repeat."""
    assert azure.send(HttpRequest(method="POST", path="/events", content=body)).status == 400


@pytest.mark.parametrize("name", [path.name for path in sorted(EVENTS.glob("azure/*.json")) if "Sub" not in path.name])
def test_samples_of_other_events_start_nothing(azure: Azure, name: str) -> None:
    """Whatever else a subscription may bring is acknowledged, and neither trains nor becomes a letter."""
    content = sample(f"azure/{name}")
    for event in content if isinstance(content, list) else [content]:
        assert azure.deliver(event).acknowledged
    assert (azure.trainings(), azure.letters(), azure.ledger.models(None, 10)) == ([], [], [])


def test_a_validation_event_that_comes_as_a_notification_is_ignored(azure: Azure) -> None:
    """The handshake's event starts nothing at the trigger."""
    (event,) = sample("azure/docs-SubscriptionValidation.json")
    assert azure.deliver(event).verdict == ("ignore", "ignored")
    assert (azure.trainings(), azure.letters()) == ([], [])
