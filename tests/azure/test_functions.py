"""The Azure functions in the process of the tests, with the types of the host's library."""

import io
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions import get_binding_registry, meta

from emulators.arm import ArmStandIn, Component, Identity
from emulators.arm.standin import WORKSPACE
from emulators.event_grid import EventGridStandIn
from emulators.storage import Storage
from functions.azure import wiring
from functions.azure.addresses import Place
from functions.azure.function_app import app
from shared.errors import ConfigError, UnavailableError
from tests.azure.adapters import COMPONENT
from tests.azure.test_function_app import ASKING, CONFIGURATION, SETTINGS
from tests.fakes.warm import cold

FUNCTIONS = {function.get_function_name(): function for function in app.get_functions()}
FOREIGN = ("RETRAIN_", "AZURE_", "IDENTITY_", "WEBSITE_", "APPSETTING_")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Return the environment of an app whose services are away."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    (tmp_path / "retrain.toml").write_text(CONFIGURATION, encoding="utf-8")
    for name, value in {**SETTINGS, "RETRAIN_CONFIG": str(tmp_path / "retrain.toml")}.items():
        monkeypatch.setenv(name, value)
    with cold(wiring):
        yield monkeypatch


def call(name: str, payload: Any) -> Any:
    """Call a function as the host does; return what it returns."""
    trigger = FUNCTIONS[name].get_trigger()
    assert trigger is not None
    value = (
        get_binding_registry().get(trigger.type).decode(meta.Datum(json.dumps(payload), "json"), trigger_metadata={})
    )
    return FUNCTIONS[name].get_user_function()(**{trigger.name: value})


def request(method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> tuple[int, Any, Any]:
    """Send an HTTP request; return the status, the document and the headers of the answer."""
    sent = {"content-type": "application/json", **(headers or {})}
    value = func.HttpRequest(method, url, headers=sent, params={}, route_params={}, body=body.encode())
    answer = FUNCTIONS["retrain_http"].get_user_function()(req=value)
    return answer.status_code, json.loads(answer.get_body()), dict(answer.headers)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reported"),
    [
        ("GET", "/nothing", "", 404, "/nothing does not exist"),
        ("DELETE", "/retrain", "", 405, "accepts POST, not DELETE"),
        ("POST", "/retrain", "{", 400, "is not valid JSON"),
        ("POST", "/retrain", '{"model_id": "unknown"}', 404, "no model 'unknown'"),
        ("POST", "/retrain", '{"severity": "huge"}', 422, "severity: must be one of"),
        ("POST", "/retrain", "x" * 300_000, 413, "300000 bytes"),
    ],
)
def test_a_wrong_request_gets_a_problem_document(method: str, path: str, body: str, status: int, reported: str) -> None:
    """The answer says what is wrong, in the form of RFC 9457."""
    found, document, headers = request(method, f"http://x{path}", body)
    assert found == document["status"] == status
    assert reported in document["detail"]
    assert headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("RETRAIN_LEDGER", "", "RETRAIN_LEDGER: is not set"),
        ("RETRAIN_LEDGER", "models", "RETRAIN_LEDGER: must be a URL"),
        ("RETRAIN_DEAD_LETTERS", "letters", "RETRAIN_DEAD_LETTERS: must be a URL"),
        ("RETRAIN_CONFIG", "/nowhere.toml", "/nowhere.toml"),
        ("AZURE_STORAGE_CONNECTION_STRING", "", "AZURE_STORAGE_CONNECTION_STRING: must have AccountName"),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountName=a;AccountKey=?", "AccountKey must be base64"),
    ],
)
def test_a_wrong_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str, named: str) -> None:
    """Nothing is acknowledged while the app is set up wrong, and the error says what to set."""
    environment.setenv(name, value)
    with pytest.raises(ConfigError, match=re.escape(named)):
        call("retrain_receive", ASKING)


@pytest.fixture
def log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return a function that returns the lines of the log so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger("retrain").addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger("retrain").removeHandler(handler)


@pytest.mark.usefixtures("environment")
def test_services_that_are_away_are_reported(log: Callable[[], list[dict[str, Any]]]) -> None:
    """HTTP answers 503, every other trigger fails so that it is repeated; no secret is in any of it."""
    answers = [
        request("POST", "http://x/retrain", "{}"),
        request("POST", "http://x/events", json.dumps([ASKING])),
    ]
    assert [status for status, _, _ in answers] == [503, 503]
    assert answers[0][2]["retry-after"]
    errors = []
    for name, payload, message in (
        ("retrain_receive", ASKING, "Azure Tables could not read the state of 'churn'"),
        ("retrain_schedule", {}, r"Event Grid could not take 1 trigger\(s\)"),
    ):
        with pytest.raises(UnavailableError, match=f"^{message}") as raised:
            call(name, payload)
        errors.append(str(raised.value))
    shown = json.dumps([answers, errors, log()])
    for secret in (SETTINGS["RETRAIN_EVENT_GRID_KEY"], "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6"):
        assert secret not in shown


@pytest.mark.parametrize(("enabled", "callers"), [("True", "ada@acme.example"), ("false", None), ("", None)])
def test_a_caller_is_named_only_by_the_platform(
    environment: pytest.MonkeyPatch, enabled: str, callers: str | None
) -> None:
    """Without App Service authentication anybody with the key could send the header."""
    environment.setenv("WEBSITE_AUTH_ENABLED", enabled)
    with EventGridStandIn() as topic:
        environment.setenv("RETRAIN_BUS", topic.endpoint)
        environment.setenv("RETRAIN_EVENT_GRID_KEY", str(topic.key))
        named = {"x-ms-client-principal-name": "ada@acme.example"}
        status, document, _ = request("POST", "http://x/retrain", '{"trigger_id": "t-1"}', named)
        assert (status, document["trigger_id"]) == (202, "t-1")
        (event,) = topic.events
    assert event["data"].get("requested_by") == (callers or "function key")


def test_an_event_becomes_a_job(
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    storage: Storage,
    table: Place,
    log: Callable[[], list[dict[str, Any]]],
) -> None:
    """The event starts one training, over the trigger and the webhook alike; timers emit and finish work."""
    target = f'{{ kind = "azureml", workspace = "{WORKSPACE}", component = "{COMPONENT}" }}'
    lines = f'schedule = "*/5 * * * *"\n[models.churn.target]\nazure = {target}\n'
    (tmp_path / "retrain.toml").write_text(f"[models.churn]\n{lines}", encoding="ascii")
    with (
        Identity() as identity,
        ArmStandIn(components={COMPONENT: Component()}, identity=identity) as arm,
        EventGridStandIn() as topic,
    ):
        services = {
            "RETRAIN_LEDGER": f"{table.endpoint}/{table.name}",
            "RETRAIN_BUS": topic.endpoint,
            "RETRAIN_EVENT_GRID_KEY": str(topic.key),
            "AZURE_STORAGE_CONNECTION_STRING": storage.connection_string,
            "RETRAIN_ARM_ENDPOINT": arm.url,
            **identity.variables,
        }
        for name, value in services.items():
            environment.setenv(name, value)
        call("retrain_receive", ASKING)
        assert request("POST", "http://x/events", json.dumps([ASKING]))[0] == 200
        assert len(arm.jobs()) == 1
        call("retrain_sweep", {})
        assert request("GET", "http://x/models/churn")[1]["runs"][0]["ended_at"] is None
        call("retrain_schedules", {})
        call("retrain_schedule", {"ScheduleStatus": {}})
    found = log()
    decisions = [(line.get("decision"), line.get("reason")) for line in found if line["event"] == "retrain.received"]
    assert decisions[0][0] == "launch"
    assert len(decisions) == 2
    assert [line["models"] for line in found if line["event"] == "retrain.swept"]
