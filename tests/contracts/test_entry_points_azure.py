"""Input that only Azure passes to the functions: keys, handshakes, timers, callers."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from emulators.event_grid.webhook import posted, shake_hands
from emulators.functions_host import FunctionsHost
from emulators.loopback import Answer
from tests.contracts.azure_deliveries import lines, timer
from tests.contracts.messages import HttpRequest, Json
from tests.contracts.on_azure import Azure
from tests.contracts.socket_client import send_request
from tests.contracts.test_faults import trigger_event

pytestmark = pytest.mark.xdist_group("contracts-azure")


def test_the_app_has_five_functions_and_no_other(azure: Azure) -> None:
    """The host finds them in the bundle alone, each with the trigger that the contract names."""
    functions = azure.account.host.functions
    triggers = {name: function["bindings"][0] for name, function in functions.items()}
    assert {name: trigger["type"] for name, trigger in triggers.items()} == {
        "retrain_http": "httpTrigger",
        "retrain_schedule": "timerTrigger",
        "retrain_schedules": "timerTrigger",
        "retrain_sweep": "timerTrigger",
        "retrain_receive": "eventGridTrigger",
    }
    assert triggers["retrain_http"]["authLevel"] == "FUNCTION"
    # Six fields, with seconds in front.
    assert {len(triggers[name]["schedule"].split()) for name in triggers if "schedule" in triggers[name]} == {6}


def test_who_has_no_key_gets_nowhere(azure: Azure) -> None:
    """Without its key neither HTTP nor the webhook of Event Grid leads to a function."""
    url = azure.account.host.url
    for path in ("/models", "/runtime/webhooks/EventGrid?functionName=retrain_receive"):
        assert posted(url + path, [trigger_event(azure)], {"aeg-event-type": "Notification"}).status == 401
    assert azure.traffic() == []


def test_both_endpoints_confirm_their_subscriptions_to_event_grid(azure: Azure) -> None:
    """The host answers the handshake for the trigger, and the HTTP function does so itself."""
    azure.account.subscription.validate()
    with azure.account.app() as host:
        # Without authentication in front: Event Grid brings the key of the function only.
        open_app = FunctionsHost(host.bundle, host.environment)
    with open_app:
        shake_hands(f"{open_app.url}/events?code={open_app.keys.function}")


def ticked(azure: Azure, payload: Json) -> list[str]:
    """Let the timer come due, and return the trigger ids that were sent."""
    invocation = azure.account.host.invoke("retrain_schedule", payload)
    assert invocation.error == ""
    return [line["trigger_id"] for line in lines(invocation, "retrain.emitted")]


def test_a_tick_that_comes_twice_to_two_instances_trains_once(azure: Azure) -> None:
    """The second one is late, and reported by another status: both count for the scheduled time."""
    first = ticked(azure, timer("2025-11-10T09:30:00+00:00", "2025-11-17T09:30:00+00:00"))
    again = ticked(azure, timer("2025-11-17T09:30:00+00:00", "2099-11-23T09:30:00+00:00", past_due=True))
    assert first == again == ["schedule:fraud:2025-11-17T09:30:00Z"]
    azure.drain()
    assert azure.trainings() == first


@pytest.mark.parametrize("last", [None, "2025-11-10T09:30:00+00:00", "0001-01-01T00:00:00+00:00"])
def test_a_tick_by_hand_counts_by_the_minute(azure: Azure, last: str | None) -> None:
    """A timer that is run by hand gets the schedule's stored status, which is not its own: the current minute counts.

    The host passes when the last tick was, or year 1 before the first one, and when the next one is.
    """
    host = azure.account.host
    status = timer(last, None if last is None else "2099-11-16T09:30:00+00:00")
    body = json.dumps({"input": json.dumps(status)}).encode()
    headers = {"x-functions-key": host.keys.master, "content-type": "application/json"}
    answer: Answer = posted(f"{host.url}/admin/functions/retrain_schedule", json.loads(body), headers)
    (line,) = lines(host.invocations[answer.headers["x-ms-invocation-id"]], "retrain.emitted")
    moment = datetime.fromisoformat(line["trigger_id"].removeprefix("schedule:fraud:"))
    assert answer.status == 202
    assert moment.second == moment.microsecond == 0
    assert timedelta() <= datetime.now(UTC) - moment < timedelta(minutes=2)


def test_the_caller_counts_only_where_the_platform_says_so(azure: Azure) -> None:
    """Without App Service authentication anybody with the key can send its headers: they are not believed."""
    with azure.account.app() as protected:
        app = FunctionsHost(protected.bundle, protected.environment)
    with app:
        headers = {"x-functions-key": app.keys.function, "x-ms-client-principal-name": "mallory"}
        request = HttpRequest(method="POST", path="/retrain", content={"model_id": "churn"}, headers=headers)
        assert send_request(int(app.url.rpartition(":")[2]), request).status == 202
    ((event),) = azure.arrived()
    assert azure.fields(event)["requested_by"] == "function key"


def test_the_caller_cannot_be_forged_where_the_platform_says_so(azure: Azure) -> None:
    """With App Service authentication the headers of the caller are replaced by the platform's."""
    forged = {"X-MS-CLIENT-PRINCIPAL-NAME": "mallory", "X-MS-CLIENT-PRINCIPAL-ID": "0"}
    azure.send(HttpRequest(method="POST", path="/retrain", content={"model_id": "churn"}, headers=forged))
    ((event),) = azure.arrived()
    assert azure.fields(event)["requested_by"] == azure.caller
