"""The stand-in for the Functions host passes requests, events and ticks to an app as the real one does."""

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
    """Return the header with the function key."""
    return {"x-functions-key": host.keys.function}


def test_functions_are_found_with_their_bindings(sample: FunctionsHost) -> None:
    """The host finds four functions and their triggers."""
    triggers = {name: function["bindings"][0]["type"] for name, function in sample.functions.items()}
    assert triggers == {
        "web": "httpTrigger",
        "free": "httpTrigger",
        "tick": "timerTrigger",
        "receive": "eventGridTrigger",
    }


def test_a_request_reaches_the_function_as_it_was_sent(sample: FunctionsHost) -> None:
    """Slashes are decoded, but not in a header; queries are joined, without empty values; headers are lower-case."""
    url = f"{sample.url}/a%2Fb/%C3%BC%20x?q=%26&q=2&empty="
    answer = call("PUT", url, "ü".encode(), X_Other="1", **key(sample))
    seen = answer.body
    assert (answer.status, answer.headers["x-a"]) == (201, "b")
    assert seen["url"].endswith("/a/b/%C3%BC%20x?q=%26&q=2&empty=")
    assert seen["headers"]["x-waws-unencoded-url"] == "/a%2Fb/%C3%BC%20x?q=%26&q=2&empty="
    assert (seen["method"], seen["params"], seen["body"]) == ("PUT", {"q": "&,2"}, "ü")
    assert seen["route"] == {"path": "a/b/ü x"}
    assert seen["headers"]["x-other"] == "1"


def test_a_function_sees_its_settings_and_not_our_environment(sample: FunctionsHost) -> None:
    """The environment contains only the variables of the app and the platform."""
    environment = call("GET", sample.url, **key(sample)).body["environment"]
    assert (environment["RETRAIN_X"], environment["FUNCTIONS_WORKER_RUNTIME"]) == ("y", "python")
    assert {"PYTHONPATH", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"} & environment.keys() == set()


def test_routes_methods_and_keys_decide_which_function_is_called(sample: FunctionsHost) -> None:
    """A key may be in a header or the query; an anonymous function needs none; an answer may be a string."""
    assert call("GET", f"{sample.url}/x").status == 401
    assert call("GET", f"{sample.url}/x?code={sample.keys.function}").status == 201
    assert call("GET", f"{sample.url}/x", x_functions_key="wrong").status == 401
    answer = call("POST", f"{sample.url}/open/ada", b"")
    assert (answer.status, answer.body) == (200, b"ada")
    assert call("GET", f"{sample.url}/open/ada").status == 401


def test_every_route_has_the_prefix(tmp_path: Path) -> None:
    """By default the prefix is `api`; paths without it are not found."""
    with FunctionsHost(make_app(tmp_path, SAMPLE, prefix="api"), {}) as host:
        assert [call("GET", host.url + path, **key(host)).status for path in ("/api/x", "/x")] == [201, 404]


@pytest.mark.parametrize(("query", "error"), [("raise=1", "ValueError: no"), ("dict=1", "NotImplementedError: ")])
def test_a_function_that_fails_is_500(sample: FunctionsHost, query: str, error: str) -> None:
    """The caller sees only status 500; error and logs are kept with the invocation."""
    answer = call("GET", f"{sample.url}/x?{query}", **key(sample))
    invocation = sample.invocations[answer.headers["x-ms-invocation-id"]]
    assert (answer.status, answer.body, invocation.error) == (500, b"", error)
    assert [dict(line) for line in invocation.logs] == [{"level": "INFO", "category": "sample", "message": "called"}]


def test_every_event_of_a_batch_is_an_invocation_at_the_same_time(sample: FunctionsHost) -> None:
    """Three events that wait for one another all succeed; one failing event fails the whole delivery."""
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
    """Events that the library accepts reach the function; events that it refuses do not."""
    assert sample.invoke("receive", EVENT | change).error.startswith(error)
    assert bool(sample.invoke("receive", EVENT | change).error) is bool(error)


def test_the_webhook_checks_its_requests(sample: FunctionsHost) -> None:
    """Key, function and kind of event are checked in this order; an invalid event never reaches a function."""
    url, other = sample.event_grid_url("receive"), sample.event_grid_url("tick")
    statuses = {
        (kind, address): call("POST", address, [EVENT], **{"aeg-event-type": kind}).status
        for kind, address in [("Notification", url.replace("code=", "x=")), ("Notification", other), ("x", url)]
    }
    assert list(statuses.values()) == [401, 404, 400]
    assert call("POST", url, [], **{"aeg-event-type": "Unsubscribe"}).status == 202
    assert [call("POST", url, body, **{"aeg-event-type": "Notification"}).status for body in (b"{", [7])] == [500, 500]
    Subscription(url=url).validate()


def test_a_timer_is_run_manually_with_the_master_key(sample: FunctionsHost) -> None:
    """The administration endpoint takes the payload as a string, and accepts only the master key."""
    url = f"{sample.url}/admin/functions/tick"
    body = {"input": json.dumps({"IsPastDue": True, "ScheduleStatus": {"Last": "x"}})}
    assert call("POST", url, body, **key(sample)).status == 401
    answer = call("POST", url, body, x_functions_key=sample.keys.master)
    assert answer.status == 202
    (line,) = sample.invocations[answer.headers["x-ms-invocation-id"]].logs
    assert json.loads(line["message"]) == [True, {"Last": "x"}]


def test_app_service_names_the_caller(tmp_path: Path) -> None:
    """With authentication only known tokens are let through, and the headers about the caller are the platform's."""
    with FunctionsHost(make_app(tmp_path, SAMPLE), {}, principals={"t-1": "ada"}) as host:
        forged = {**key(host), "X-MS-CLIENT-PRINCIPAL-NAME": "mallory"}
        assert call("GET", f"{host.url}/x", **forged).status == 401
        headers = call("GET", f"{host.url}/x", Authorization="Bearer t-1", **forged).body["headers"]
        assert headers["x-ms-client-principal-name"] == "ada"


def test_a_process_that_ends_fails_its_invocations_and_is_replaced(tmp_path: Path) -> None:
    """An exit, a kill and a timeout are each an error, and the next event starts a new process."""
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
    """Only the app's own packages can be imported, and the error says what is wrong with the app."""
    with FunctionsHost(make_app(tmp_path, code), {}) as host:
        with pytest.raises(FunctionError) as raised:
            host.warm()
        assert str(raised.value).startswith(error)
        assert call("GET", host.url).status == 404
