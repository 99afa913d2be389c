"""The stand-in for the Functions host hands requests, events and ticks to an app as the real one does."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emulators.event_grid import Subscription
from emulators.functions_host import FunctionError, FunctionsHost
from tests.azure.calls import call
from tests.azure.function_sample import HEAD, SAMPLE, make_app
from tests.contracts.training_folder import until

EVENT = {"id": "e-1", "subject": "fine", "eventType": "t", "eventTime": "2026-11-21T12:00:00.1234567Z", "data": {}}

pytestmark = pytest.mark.xdist_group("functions-host")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FunctionsHost]:
    """Return a host of the sample app, with one warm process."""
    with FunctionsHost(make_app(tmp_path_factory.mktemp("app"), SAMPLE), {"RETRAIN_X": "y"}) as host:
        yield host


def key(host: FunctionsHost) -> dict[str, str]:
    """Return the header with the key of the functions."""
    return {"x-functions-key": host.keys.function}


def test_functions_are_found_with_their_bindings(sample: FunctionsHost) -> None:
    """Four functions, with what the host must know of them."""
    triggers = {name: function["bindings"][0]["type"] for name, function in sample.functions.items()}
    assert triggers == {
        "web": "httpTrigger",
        "free": "httpTrigger",
        "tick": "timerTrigger",
        "receive": "eventGridTrigger",
    }


def test_a_request_reaches_the_function_as_it_was_sent(sample: FunctionsHost) -> None:
    """The path stays encoded in the URL; queries are decoded, joined and without empty values; headers are small."""
    url = f"{sample.url}/a%2Fb/%C3%BC%20x?q=%26&q=2&empty="
    answer = call("PUT", url, "ü".encode(), X_Other="1", **key(sample))
    told = answer.body
    assert (answer.status, answer.headers["x-a"]) == (201, "b")
    assert told["url"].endswith("/a%2Fb/%C3%BC%20x?q=%26&q=2&empty=")
    assert (told["method"], told["params"], told["body"]) == ("PUT", {"q": "&,2"}, "ü")
    assert told["route"] == {"path": "a%2Fb/ü x"}
    assert told["headers"]["x-other"] == "1"


def test_a_function_sees_its_settings_and_nothing_of_ours(sample: FunctionsHost) -> None:
    """The environment is what the app and the platform set."""
    environment = call("GET", sample.url, **key(sample)).body["environment"]
    assert (environment["RETRAIN_X"], environment["FUNCTIONS_WORKER_RUNTIME"]) == ("y", "python")
    assert {"PYTHONPATH", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"} & environment.keys() == set()


def test_routes_methods_and_keys_decide_who_is_asked(sample: FunctionsHost) -> None:
    """A key may come by header or query; an open function needs none; a function's answer may be a text."""
    assert call("GET", f"{sample.url}/x").status == 401
    assert call("GET", f"{sample.url}/x?code={sample.keys.function}").status == 201
    assert call("GET", f"{sample.url}/x", x_functions_key="wrong").status == 401
    answer = call("POST", f"{sample.url}/open/ada", b"")
    assert (answer.status, answer.body) == (200, b"ada")
    assert call("GET", f"{sample.url}/open/ada").status == 401


def test_a_prefix_stands_in_front_of_every_route(tmp_path: Path) -> None:
    """Without a setting of its own a host has `api` there; another path leads nowhere."""
    with FunctionsHost(make_app(tmp_path, SAMPLE, prefix="api"), {}) as host:
        assert [call("GET", host.url + path, **key(host)).status for path in ("/api/x", "/x")] == [201, 404]


@pytest.mark.parametrize(("query", "error"), [("raise=1", "ValueError: no"), ("dict=1", "NotImplementedError: ")])
def test_a_function_that_fails_is_500(sample: FunctionsHost, query: str, error: str) -> None:
    """The caller sees 500 and nothing else; error and logs are kept with the invocation."""
    answer = call("GET", f"{sample.url}/x?{query}", **key(sample))
    invocation = sample.invocations[answer.headers["x-ms-invocation-id"]]
    assert (answer.status, answer.body, invocation.error) == (500, b"", error)
    assert [dict(line) for line in invocation.logs] == [{"level": "INFO", "category": "sample", "message": "asked"}]


def test_every_event_of_a_batch_is_an_invocation_at_the_same_time(sample: FunctionsHost) -> None:
    """Three events that wait for one another all succeed; one that fails makes the whole delivery fail."""
    subscription = Subscription(url=sample.event_grid_url("receive"))
    meeting = EVENT | {"subject": "meet"}
    answer = subscription.deliver(meeting, meeting, meeting)
    assert (answer.status, answer.headers["x-ms-invocation-id"].count(",")) == (202, 2)
    assert subscription.deliver(EVENT, EVENT | {"subject": "raise"}).status == 500
    assert subscription.deliver().status == 202


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject": "answer"}, "RuntimeError: function 'receive' without a $return binding"),
        ({"eventTime": "yesterday"}, "ValueError: time data 'yesterday'"),
        ({"specversion": "1.0"}, ""),
        ({"eventTime": None, "id": None, "data": None}, ""),
    ],
)
def test_an_event_is_read_by_the_library(sample: FunctionsHost, change: dict[str, object], error: str) -> None:
    """What the library lets through arrives; what it refuses never reaches the function."""
    assert sample.invoke("receive", EVENT | change).error.startswith(error)
    assert bool(sample.invoke("receive", EVENT | change).error) is bool(error)


def test_the_webhook_knows_its_requests(sample: FunctionsHost) -> None:
    """Key, function and kind of event are looked at in this order; what is no event never reaches a function."""
    url, other = sample.event_grid_url("receive"), sample.event_grid_url("tick")
    statuses = {
        (kind, address): call("POST", address, [EVENT], **{"aeg-event-type": kind}).status
        for kind, address in [("Notification", url.replace("code=", "x=")), ("Notification", other), ("x", url)]
    }
    assert list(statuses.values()) == [401, 404, 400]
    assert call("POST", url, [], **{"aeg-event-type": "Unsubscribe"}).status == 202
    assert [call("POST", url, body, **{"aeg-event-type": "Notification"}).status for body in (b"{", [7])] == [500, 500]
    Subscription(url=url).validate()


def test_a_timer_is_run_by_hand_with_the_master_key(sample: FunctionsHost) -> None:
    """The administration takes the payload as text; no other key opens it."""
    url = f"{sample.url}/admin/functions/tick"
    body = {"input": json.dumps({"IsPastDue": True, "ScheduleStatus": {"Last": "x"}})}
    assert call("POST", url, body, **key(sample)).status == 401
    answer = call("POST", url, body, x_functions_key=sample.keys.master)
    assert answer.status == 202
    (line,) = sample.invocations[answer.headers["x-ms-invocation-id"]].logs
    assert json.loads(line["message"]) == [True, {"Last": "x"}]


def test_app_service_tells_who_asks(tmp_path: Path) -> None:
    """With authentication in front only known tokens get through, and the headers of the caller are the platform's."""
    with FunctionsHost(make_app(tmp_path, SAMPLE), {}, principals={"t-1": "ada"}) as host:
        forged = {**key(host), "X-MS-CLIENT-PRINCIPAL-NAME": "mallory"}
        assert call("GET", f"{host.url}/x", **forged).status == 401
        headers = call("GET", f"{host.url}/x", Authorization="Bearer t-1", **forged).body["headers"]
        assert headers["x-ms-client-principal-name"] == "ada"


def test_a_process_that_ends_fails_what_it_was_doing_and_is_replaced(tmp_path: Path) -> None:
    """An exit, a kill and a function that takes too long: each is an error, and the next event finds a new process."""
    with FunctionsHost(make_app(tmp_path, SAMPLE), {}, timeout=30) as host, ThreadPoolExecutor(1) as pool:
        assert host.invoke("receive", EVENT | {"subject": "exit"}).error == (
            "WorkerProcessExitException: the process ended with 3"
        )
        host.warm()
        sleeping = pool.submit(host.invoke, "receive", EVENT | {"subject": "sleep"})
        until(lambda: host.in_flight)
        host.kill()
        assert sleeping.result(5).error.startswith("WorkerProcessExitException: ")
        # The next limit is for the function alone, not for the start of its process.
        host.warm()
        host.timeout = 0.5
        assert host.invoke("receive", EVENT | {"subject": "sleep"}).error.startswith("FunctionTimeoutException: ")
        host.timeout = 30
        assert host.invoke("receive", EVENT).error == ""
        assert host.starts >= 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("def", "SyntaxError: "),
        ("import pytest", "ModuleNotFoundError: No module named 'pytest'"),
        ("import shared", "ModuleNotFoundError: No module named 'shared'"),
        ("x = 1", "ValueError: 0 FunctionApp instances"),
        (f"{HEAD}other = func.FunctionApp()", "ValueError: 2 FunctionApp instances"),
        (f"{HEAD}@app.event_grid_trigger(arg_name='e')\ndef f(e: dict): ...", "TypeError: "),
        (f"{HEAD}@app.event_grid_trigger(arg_name='e')\ndef f(x): ...", "TypeError: cannot load the f function"),
        (f"{HEAD}" + "@app.route(route='x')\ndef f(req): ...\n" * 2, "ValueError: "),
    ],
    ids=["syntax", "dependency", "ours", "no app", "two apps", "annotation", "parameter", "names"],
)
def test_an_app_that_cannot_be_indexed_says_why(tmp_path: Path, code: str, error: str) -> None:
    """Nothing but the app's own packages is importable, and what is wrong with it is the error's text."""
    with FunctionsHost(make_app(tmp_path, code), {}) as host:
        with pytest.raises(FunctionError) as raised:
            host.warm()
        assert str(raised.value).startswith(error)
        assert call("GET", host.url).status == 404
