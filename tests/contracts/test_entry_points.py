"""The same requests get the same answers, the same events the same fate, whatever carries them."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from shared.fields import format_time
from shared.schedules import KEY as SCHEDULES
from tests.contracts.clouds import Cloud
from tests.contracts.configuration import MODELS
from tests.contracts.exchanges import ALL_FIELDS, EXCHANGES, Exchange, plain
from tests.contracts.messages import HttpRequest
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import a_trigger, state_of


def model(cloud: Cloud, model_id: str = "churn") -> Any:
    """Return the API's view of a model."""
    return cloud.send(HttpRequest(method="GET", path=f"/models/{model_id}")).body


def retrain(cloud: Cloud, **fields: object) -> None:
    """Request a training over HTTP."""
    assert cloud.send(HttpRequest(method="POST", path="/retrain", content=fields)).status == 202


@pytest.mark.parametrize("exchange", EXCHANGES.values(), ids=EXCHANGES)
def test_a_request_gets_the_same_answer_on_every_cloud(cloud: Cloud, exchange: Exchange) -> None:
    """Status, body and the headers that matter are those of the table, apart from ids and times."""
    reply = cloud.send(exchange.request)
    body = json.loads(re.sub(r"(schedule:fraud:)[\d:TZ-]{20}", r"\1<now>", json.dumps(plain(reply.body))))
    if isinstance(body, dict) and "configuration" in body:
        assert body["configuration"].pop("target")["kind"]
    assert (reply.status, body) == (exchange.status, exchange.body)
    assert {name: reply.headers.get(name) for name in exchange.headers} == exchange.headers


def test_a_model_is_found_by_its_encoded_id(cloud: Cloud) -> None:
    """Slashes, backslashes, steps back and percent signs in an id are its own, whatever the platform does to paths."""
    for model_id in ("any-a/b", "any-a/../b", "any-\\", "any-%", "any-%2F", "any-?#", "any- \u20ac"):
        path = f"/models/{quote(model_id, safe='')}"
        assert cloud.send(HttpRequest(method="GET", path=path)).body["model_id"] == model_id


def test_a_monitor_may_send_head(cloud: Cloud) -> None:
    """HEAD has the status of GET; without a body, wherever the platform does not leave it out itself."""
    replies = [cloud.send(HttpRequest(method="HEAD", path=path)) for path in ("/health", "/models/churn", "/retrain")]
    assert [reply.status for reply in replies] == [200, 200, 405]
    assert cloud.name == "aws" or [reply.body for reply in replies] == ["", "", ""]


@pytest.mark.parametrize("name", [name for name, exchange in EXCHANGES.items() if exchange.status != 202])
def test_only_an_accepted_request_reaches_the_bus(cloud: Cloud, name: str) -> None:
    """Whatever is not accepted sends nothing and stores nothing."""
    cloud.send(EXCHANGES[name].request)
    assert (cloud.arrived(), cloud.ledger.models(None, 10)) == ([], [])


def test_an_accepted_request_is_on_the_bus_with_the_caller(cloud: Cloud) -> None:
    """The event on the bus has every field of the request, and the caller as the platform has authenticated it."""
    retrain(cloud, **ALL_FIELDS)
    ((event),) = cloud.arrived()
    fields = dict(cloud.fields(event))
    assert fields.pop("requested_at")
    assert fields == {**ALL_FIELDS, "requested_by": cloud.caller, "schema": 1}


@pytest.mark.parametrize("epochs", [12, 12.0, "12"])
def test_a_whole_number_is_one_parameter_however_it_is_written(cloud: Cloud, epochs: object) -> None:
    """An integer parameter leaves the HTTP API as an integer, and an event that brings it otherwise trains with one."""
    retrain(cloud, model_id="churn", trigger_id="t-1", parameters={"epochs": epochs})
    ((event),) = cloud.arrived()
    assert json.dumps(cloud.fields(event)["parameters"]) == '{"epochs": 12}'
    cloud.deliver(cloud.event(a_trigger().to_fields() | {"parameters": {"epochs": epochs}}))
    claimed = state_of(cloud.ledger, "churn").training
    assert claimed is not None
    assert json.dumps(dict(claimed.trigger.parameters)) == '{"epochs": 12}'


def test_a_request_trains_and_its_end_is_reported(cloud: Cloud) -> None:
    """From POST /retrain over the bus to one training, and from its end back to the API."""
    retrain(cloud, model_id="churn", trigger_id="t-1")
    cloud.drain()
    assert cloud.trainings() == ["t-1"]
    running = model(cloud)
    assert (running["state"], running["running"]["trigger_id"]) == ("training", "t-1")
    assert running["runs"][0]["run_id"] == running["running"]["run_id"]
    cloud.put(cloud.end("t-1"))
    cloud.drain()
    over = model(cloud)
    assert (over["state"], over["running"]) == ("idle", None)
    assert [(run["trigger_id"], run["result"]) for run in over["runs"]] == [("t-1", "succeeded")]
    assert [(line["trigger_id"], line["reason"]) for line in over["decisions"]] == [("t-1", "launched")]


def test_the_same_key_twice_is_one_training(cloud: Cloud) -> None:
    """A client that repeats its request with the same Idempotency-Key is answered alike and trains once."""
    request = HttpRequest(
        method="POST", path="/retrain", content={"model_id": "churn"}, headers={"Idempotency-Key": "k"}
    )
    assert cloud.send(request).body == cloud.send(request).body
    cloud.drain()
    assert cloud.trainings() == ["k"]


def test_a_rehearsal_shows_what_would_happen(cloud: Cloud) -> None:
    """A dry run answers the decision that the same request would get now, and changes nothing."""
    request = HttpRequest(method="POST", path="/retrain?dry_run=true", content={"model_id": "churn"})
    assert cloud.send(request).body == {"decision": "launch", "reason": "launched"}
    cloud.deliver(trigger_event(cloud))
    assert cloud.send(request).body == {"decision": "queue", "reason": "queued"}
    same = HttpRequest(method="POST", path="/retrain?dry_run=true", content={"trigger_id": "t-1"})
    assert cloud.send(same).body == {"decision": "skip", "reason": "duplicate"}
    assert (cloud.trainings(), cloud.arrived()) == (["t-1"], [])


def test_a_tick_that_comes_twice_emits_once(cloud: Cloud) -> None:
    """The same scheduled time makes the same trigger id, and one training; the next time makes another."""
    # Times that are past: a scheduler that is run by hand may send the time of the next run.
    first, again = (cloud.tick("2025-11-17T09:30:00Z") for _ in range(2))
    assert first == again == [{"model_id": "fraud", "trigger_id": "schedule:fraud:2025-11-17T09:30:00Z"}]
    cloud.drain()
    assert cloud.tick("2025-11-24T09:30:00Z") != first
    cloud.drain()
    assert cloud.trainings() == ["schedule:fraud:2025-11-17T09:30:00Z"]
    assert len(state_of(cloud.ledger, "fraud").decisions) == 2


def test_an_own_schedule_requests_once(cloud: Cloud) -> None:
    """A schedule begins with the evaluation that first sees it; a repeated evaluation makes the same trigger id."""
    assert cloud.evaluate_schedules() == []
    an_hour_ago = format_time(datetime.now(UTC) - timedelta(hours=1))
    evaluated = []
    for _ in range(2):
        stored = cloud.ledger.load(SCHEDULES)
        # As if the platform had not evaluated anything for an hour.
        earlier = json.loads(stored.document or "") | {"until": an_hour_ago}
        assert cloud.ledger.save(SCHEDULES, json.dumps(earlier), stored.version)
        evaluated.append(cloud.evaluate_schedules())
    requested = {line["trigger_id"] for (line,) in evaluated}
    assert all(name.startswith("schedule:followed:20") for name in requested)
    assert cloud.evaluate_schedules() in ([], evaluated[-1])
    cloud.drain()
    assert set(cloud.trainings()) <= requested
    assert len(cloud.trainings()) == 1
    assert SCHEDULES not in [
        line["model_id"] for line in cloud.send(HttpRequest(method="GET", path="/models")).body["models"]
    ]


def test_all_models_that_were_seen_are_listed_page_by_page(cloud: Cloud) -> None:
    """Following `next` shows every named model, then every one seen under the pattern, each once."""
    seen = {f"any-{number}" for number in range(60)}
    for model_id in seen:
        assert cloud.ledger.save(model_id, "{}", None)
    listed, path = [], "/models"
    while path:
        page = cloud.send(HttpRequest(method="GET", path=path)).body
        listed += [line["model_id"] for line in page["models"]]
        path = f"/models?after={page['next']}" if "next" in page else ""
    assert listed[: len(MODELS)] == list(MODELS)
    assert sorted(listed[len(MODELS) :]) == sorted(seen)
