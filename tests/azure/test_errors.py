"""Calls are repeated while that may help and not longer, and failures of Azure become errors of this project."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpRequest, HttpResponse

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from functions.azure.failures import failure_of
from shared.backoff import Backoff
from shared.errors import UnavailableError
from tests.azure.adapters import noting


class Told(HttpResponse):
    """An answer of a service, as azure-core's pipelines hold it."""

    def __init__(self, status: int, body: object = "", headers: dict[str, str] | None = None) -> None:
        """Answer *status* with a *body*, JSON unless it is text."""
        super().__init__(HttpRequest("GET", "https://example.com/?sig=secret"), None)
        self.status_code = status
        self.reason = "as scripted"
        self.headers = headers or {}
        self._text = body if isinstance(body, str) else json.dumps(body)

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - the base class's form
        """Return the body."""
        return self._text

    def body(self) -> bytes:
        """Return the body's bytes."""
        return self._text.encode()


class Broken(Told):
    """An answer that breaks off."""

    def text(self, encoding: str | None = None) -> str:
        """Fail to be read."""
        raise ConnectionError(encoding)


def failing(*errors: Exception, result: str = "done") -> tuple[Callable[[], str], list[int]]:
    """Return work that raises the errors one after the other and then succeeds, and where its calls are counted."""
    waiting, calls = list(errors), []

    def work() -> str:
        calls.append(1)
        if waiting:
            raise waiting.pop(0)
        return result

    return work, calls


def answered(status: int, body: object = "", **headers: str) -> HttpResponseError:
    """Return the error that azure-core makes of an answer."""
    return HttpResponseError(response=Told(status, body, {name.replace("_", "-"): v for name, v in headers.items()}))


def attempt(work: Callable[[], Any], persistence: Persistence, judged: tuple[str | int, ...] = ()) -> Any:
    """Do *work* as an adapter does."""
    return call(work, service="Azure", action="work", judged=judged, persistence=persistence)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_service_is_called_again(status: int, pauses: list[float]) -> None:
    """Failures that may pass in a moment are repeated after growing pauses."""
    work, calls = failing(answered(status), answered(status))
    assert attempt(work, noting(pauses)) == "done"
    assert len(calls) == 3
    assert pauses == [0.1, 0.2]


@pytest.mark.parametrize(
    "error",
    [ServiceRequestError("no route", error=OSError()), ServiceResponseTimeoutError("silent", error=TimeoutError())],
)
def test_a_service_that_cannot_be_reached_is_called_again(error: AzureError, pauses: list[float]) -> None:
    """Broken connections and silence are unavailable services."""
    work, calls = failing(error)
    assert attempt(work, noting(pauses)) == "done"
    assert len(calls) == 2


def test_a_service_that_stays_busy_is_away(pauses: list[float]) -> None:
    """After the last attempt the error is transient and gives the reason."""
    work, calls = failing(*[answered(503, {"error": {"code": "ServerBusy", "message": "Too much."}})] * 9)
    with pytest.raises(UnavailableError, match=r"^Azure could not work: ServerBusy: Too much.; try again$"):
        attempt(work, noting(pauses))
    assert len(calls) == 3
    assert len(pauses) == 2


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 412, 418, 501])
def test_what_does_not_pass_in_a_moment_is_not_repeated(status: int, pauses: list[float]) -> None:
    """Missing permissions, conflicts and all codes that the caller does not judge are reported without a repeat."""
    work, calls = failing(answered(status))
    with pytest.raises(UnavailableError, match=f"HTTP {status}; try again"):
        attempt(work, noting(pauses))
    assert len(calls) == 1


@pytest.mark.parametrize(("reported", "pause"), [("1", 1), ("3", 3)])
def test_a_short_pause_is_granted(reported: str, pause: float, pauses: list[float]) -> None:
    """`Retry-After` counts instead of a pause of our own."""
    work, _ = failing(answered(429, Retry_After=reported))
    assert attempt(work, noting(pauses)) == "done"
    assert pauses == [pause]


@pytest.mark.parametrize("reported", ["4", "600", "86400"])
def test_a_long_pause_is_left_to_the_platform(reported: str, pauses: list[float]) -> None:
    """A function does not sleep for minutes: the event comes again by itself."""
    work, calls = failing(answered(429, Retry_After=reported))
    with pytest.raises(UnavailableError):
        attempt(work, noting(pauses))
    assert (len(calls), pauses) == (1, [])


@pytest.mark.parametrize("reported", ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_pause_that_is_not_a_number_of_seconds_is_ours(reported: str, pauses: list[float]) -> None:
    """A `Retry-After` that cannot be read is left alone."""
    work, _ = failing(answered(503, Retry_After=reported))
    assert attempt(work, noting(pauses)) == "done"
    assert pauses == [0.1]


def test_no_attempt_begins_after_its_time(pauses: list[float]) -> None:
    """However many attempts are left, a slow service gets no further attempt when the time is over."""
    times = iter([0.0, 13.0, 26.0])
    work, calls = failing(*[ServiceResponseTimeoutError("silent")] * 9)
    with pytest.raises(UnavailableError, match="ServiceResponseTimeoutError"):
        attempt(work, noting(pauses, attempts=9, clock=lambda: next(times)))
    assert len(calls) == 2


def test_a_silent_service_is_given_up_before_event_grid_does() -> None:
    """With the defaults two tries of 13 s each fit into the 30 s for which Event Grid waits."""
    longest_pause = STANDARD.backoff.base
    assert STANDARD.seconds < 2 * 13
    assert 2 * 13 + longest_pause < 30


@pytest.mark.parametrize("judged", [404, "Gone", "Inner"])
def test_the_caller_judges_what_it_names(judged: str | int, pauses: list[float]) -> None:
    """A status, an outer or an inner code that the caller named comes out as a refusal with everything about it."""
    body = {"error": {"code": "Gone", "message": "It is gone.\nTrace", "additionalInfo": [{"info": {"code": "Inner"}}]}}
    work, calls = failing(answered(404, body))
    with pytest.raises(RefusalError, match=r"^Gone: It is gone.$") as raised:
        attempt(work, noting(pauses), (judged,))
    assert raised.value.codes == ("Gone", "Inner")
    assert (raised.value.code, raised.value.message) == ("Gone", "It is gone.")
    assert len(calls) == 1


@pytest.mark.parametrize("code", ["TooManyRequests", "QuotaExceeded", "ServerTimeout"])
def test_quotas_are_no_refusals(code: str, pauses: list[float]) -> None:
    """Failures that an operator or time can fix are not judged by their status."""
    work, _ = failing(answered(400, {"error": {"code": "UserError", "details": [{"code": code}]}}))
    with pytest.raises(UnavailableError, match="UserError"):
        attempt(work, noting(pauses), (400,))


@pytest.mark.parametrize("status", [400, 409])
def test_a_judged_code_counts_more_than_a_conflict_around_it(status: int, pauses: list[float]) -> None:
    """The inner code is the more precise one: only the outer one would have the call repeated."""
    work, _ = failing(answered(status, {"error": {"code": "Conflict", "innerError": {"code": "Taken"}}}))
    with pytest.raises(RefusalError) as raised:
        attempt(work, noting(pauses), (404, "Taken"))
    assert raised.value.codes == ("Conflict", "Taken")


def test_other_errors_go_through(pauses: list[float]) -> None:
    """A mistake in our own code is not hidden as an outage."""
    work, _ = failing(KeyError("x"))
    with pytest.raises(KeyError):
        attempt(work, noting(pauses))


def test_nonsense_where_json_must_be_is_an_outage(pauses: list[float]) -> None:
    """A service, or the identity endpoint behind MSAL, that answers no JSON is away."""
    work, calls = failing(json.JSONDecodeError("no JSON", "<html>", 0), result="")
    with pytest.raises(UnavailableError, match="JSONDecodeError"):
        attempt(work, noting(pauses))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (answered(400, {"error": {"code": "A", "message": "m"}}), "A: m"),
        (answered(409, {"odata.error": {"code": "B", "message": {"lang": "en", "value": "m\nRequestId: 1"}}}), "B: m"),
        (answered(404, "<xml/>", x_ms_error_code="ContainerNotFound"), "ContainerNotFound"),
        (answered(500, "no JSON"), "HTTP 500"),
        (answered(500, [1, {"code": 5, "message": ["x"]}]), "HTTP 500"),
        (answered(400, {"error": {"code": "A", "message": "m" * 999}}), "A: " + "m" * 300),
        (DecodeError("bad", response=Told(200, "<html>")), "HTTP 200"),
        (
            ServiceRequestError("https://example.com/?sig=secret", error=OSError("secret")),
            "ServiceRequestError: OSError",
        ),
        (ServiceResponseTimeoutError("sig=secret"), "ServiceResponseTimeoutError"),
        (ClientAuthenticationError("No identity.\nMore"), "ClientAuthenticationError: No identity."),
    ],
)
def test_an_error_is_reported_in_one_line(error: AzureError, reported: str) -> None:
    """Code and first line of the message; of an error without an answer its kind alone, as its text may hold a key."""
    assert str(failure_of(error)) == reported


def test_an_answer_that_breaks_off_is_still_reported() -> None:
    """An answer whose body cannot be read hides nothing but its own text."""
    assert str(failure_of(HttpResponseError(message="x", response=Broken(502)))) == "HTTP 502"


def test_the_default_persistence_pauses_for_real() -> None:
    """The standard backoff is the one of the core, which sleeps."""
    assert STANDARD.backoff.sleep is Backoff().sleep
