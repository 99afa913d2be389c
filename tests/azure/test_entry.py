"""Objects of the Functions host, made by Microsoft's own converters, are read correctly."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.functions import get_binding_registry, meta

from functions.azure.entry import event_of, http_answer, read_request, tick_time
from shared.http.messages import HttpError, Request, answer
from shared.wire.eventgrid import decode, events_of
from shared.wire.incoming import Foreign, TriggerEvent

EVENTS = Path(__file__).parents[1] / "events"
SOURCE = "ml3_platform"
NOW = datetime(2026, 11, 23, 9, 30, 0, 500, tzinfo=UTC)
ASKING = {
    "id": "e-1",
    "topic": "/t",
    "subject": SOURCE,
    "eventType": "retrain_trigger",
    "eventTime": "2026-11-21T03:00:00.1234567Z",
    "data": {"model_id": "churn"},
    "dataVersion": "1.0",
    "metadataVersion": "1",
}
CLOUD_ASKING = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/t",
    "subject": SOURCE,
    "type": "retrain_trigger",
    "time": "2026-11-21T03:00:00Z",
    "data": {"model_id": "churn"},
}


def converted(kind: str, payload: object) -> Any:
    """Return what the worker gives to a function of that trigger."""
    return get_binding_registry().get(kind).decode(meta.Datum(json.dumps(payload), "json"), trigger_metadata=None)


def event(**changes: object) -> dict[str, Any]:
    """Return an event with a trigger and other fields; `...` leaves one out."""
    return {name: value for name, value in (ASKING | changes).items() if value is not ...}


def asked(url: str = "http://x/models", *, method: str = "GET", body: bytes = b"", **headers: str) -> Request:
    """Return what is read from a request where App Service authenticates."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = func.HttpRequest(method, url, headers=named, params={}, route_params={}, body=body)
    return read_request(request, authenticated=True)


def test_an_event_is_as_it_was() -> None:
    """Every field of both schemas comes through, but for the one that the library does not know."""
    reported = event_of(converted("eventGridTrigger", ASKING))
    assert reported == event(eventTime="2026-11-21T03:00:00.123456Z", metadataVersion=...)
    assert event_of(converted("eventGridTrigger", CLOUD_ASKING)) == CLOUD_ASKING


@pytest.mark.parametrize("payload", [ASKING, CLOUD_ASKING], ids=["Event Grid", "CloudEvents"])
def test_the_codec_reads_what_the_library_gives(payload: object) -> None:
    """A trigger passes the library with its id and its time."""
    incoming = decode(event_of(converted("eventGridTrigger", payload)), SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.fields == {"model_id": "churn"}
    assert incoming.trigger_id
    assert incoming.sent_at is not None


@pytest.mark.parametrize("missing", ["id", "topic", "eventTime", "data", "dataVersion"])
def test_what_is_missing_is_missing(missing: str) -> None:
    """A field that is not there is not made up, and the event is ours all the same."""
    reported = event_of(converted("eventGridTrigger", event(**{missing: ...})))
    assert missing not in reported
    assert isinstance(decode({"data": {}} | reported, SOURCE), TriggerEvent)


def test_packed_data_come_through() -> None:
    """The library does not know `data_base64`: it is among the extensions, where we find it."""
    packed = {name: value for name, value in CLOUD_ASKING.items() if name != "data"}
    reported = event_of(converted("eventGridTrigger", packed | {"data_base64": "eyJtb2RlbF9pZCI6ICJjaHVybiJ9"}))
    incoming = decode(reported, SOURCE)
    assert isinstance(incoming, TriggerEvent)
    assert incoming.fields == {"model_id": "churn"}


def test_names_in_snake_case_do_not_come_through() -> None:
    """The library drops all names but those of the wire; `/events` is the way for such events."""
    literal = json.loads((EVENTS / "ml3cube/seed-eventgrid-literal.json").read_text(encoding="utf-8"))
    assert decode(event_of(converted("eventGridTrigger", literal)), SOURCE) == Foreign(what="ml3_platform / no type")


def test_a_time_that_is_none_fails_in_the_library() -> None:
    """This happens before any code of ours, so the trigger answers 500; Event Grid itself lets no such event in."""
    with pytest.raises(ValueError, match="yesterday"):
        converted("eventGridTrigger", event(eventTime="yesterday"))


@pytest.mark.parametrize("data", ["text", [1], 5, True, "x" * 2_000_000])
def test_any_data_come_through(data: object) -> None:
    """Whatever the data are, they are as they were."""
    assert event_of(converted("eventGridTrigger", event(data=data)))["data"] == data


@pytest.mark.parametrize("path", sorted((EVENTS / "azure").glob("*.json")), ids=lambda path: path.stem)
def test_every_recorded_event_can_be_read(path: Path) -> None:
    """Nothing that Azure was seen to send is beyond reading."""
    for each in events_of(json.loads(path.read_text(encoding="utf-8"))):
        decode(event_of(converted("eventGridTrigger", each)), SOURCE)


def ticked(status: object, *, past_due: bool = False) -> datetime | None:
    """Return the time of a tick with that status of its schedule."""
    return tick_time(converted("timerTrigger", {"IsPastDue": past_due, "ScheduleStatus": status}), NOW)


@pytest.mark.parametrize(
    ("last", "coming", "due"),
    [
        ("2026-11-16T09:30:00+00:00", "2026-11-23T09:30:00+00:00", "2026-11-23T09:30:00"),
        ("2026-11-23T09:30:00Z", "2026-11-16T09:30:00Z", "2026-11-23T09:30:00"),
        ("2026-11-16T09:30:00Z", "2026-11-23T10:30:00.0000000+01:00", "2026-11-23T09:30:00"),
        ("0001-01-01T00:00:00", "2026-11-23T09:30:00+00:00", "2026-11-23T09:30:00"),
        ("0001-01-01T00:00:00+00:00", "2026-11-23T09:30:00+00:00", "2026-11-23T09:30:00"),
        (None, "2026-11-16T09:30:00Z", "2026-11-16T09:30:00"),
    ],
)
def test_a_tick_has_the_time_at_which_it_was_due(last: str | None, coming: str, due: str) -> None:
    """The latest of the schedule's times that is not in the future counts."""
    assert ticked({"Last": last, "Next": coming}) == datetime.fromisoformat(due).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        {"Last": None, "Next": None},
        {"Last": "2027-01-01T00:00:00Z"},
        {"Last": "soon", "Next": 5},
        {"Last": "2026-01-01"},
        {"Last": "0001-01-01T00:00:00+00:00"},
    ],
)
def test_a_tick_may_have_no_time(status: object) -> None:
    """Without a time, or with times in the future only, the core uses the current time."""
    assert ticked(status) is None


@pytest.mark.parametrize("last", ["2026-11-23T09:30:00+00:00", "0001-01-01T00:00:00", "0001-01-01T00:00:00+00:00"])
def test_a_timer_that_is_run_by_hand_has_no_time(last: str) -> None:
    """The host passes the stored status: the last tick is not this one, and the next one is still ahead."""
    status = {"Last": last, "Next": "2026-11-30T09:30:00+00:00", "LastUpdated": last}
    assert ticked(status) is None


def test_a_tick_that_is_past_due_is_none_by_hand() -> None:
    """A second instance may be late and find the next time ahead: its tick is the one that the first one had."""
    status = {"Last": "2026-11-23T09:30:00Z", "Next": "2026-11-30T09:30:00Z"}
    assert ticked(status, past_due=True) == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_a_timer_may_be_a_little_early() -> None:
    """A host's clock may be behind: the tick that is due in a moment is this one, not the one before."""
    due = NOW + timedelta(seconds=2)
    assert ticked({"Last": "2026-11-16T09:30:00Z", "Next": due.isoformat()}) == due


def test_a_request_is_read() -> None:
    """Method, path as sent, query, headers in small letters, body."""
    request = asked(
        "https://acme.azurewebsites.net/models/a%2Fb%20c?after=x%20y&after=z&empty=",
        method="post",
        body=b"{}",
        Content_Type="application/json",
    )
    assert (request.method, request.path) == ("POST", "/models/a%2Fb%20c")
    assert request.query == {"after": "x y,z", "empty": ""}
    assert request.headers["content-type"] == "application/json"
    assert request.body == b"{}"


@pytest.mark.parametrize(
    ("step", "seen"),
    [("a%2Fb", "a/b"), ("a%5Cb", "a/b"), ("a%252Fb", "a%2Fb"), ("a%2F..%2Fb", "b"), ("%C3", "%C3")],
)
def test_a_path_is_read_as_it_was_sent(step: str, seen: str) -> None:
    """The front end of App Service decodes slashes and backslashes, and names the original address in a header."""
    sent = f"/models/{step}?q=1"
    request = asked(f"https://acme.azurewebsites.net/models/{seen}?q=2", X_WAWS_Unencoded_URL=sent)
    assert (request.path, request.query) == (f"/models/{step}", {"q": "2"})


@pytest.mark.parametrize("sent", ["x", "", "/", "/models/b", "/models/a/b/approve", "//evil.example/models/a/b/.."])
def test_another_path_in_that_header_does_not_count(sent: str) -> None:
    """A caller that sets the header itself gets no further than by the path that a gateway has seen."""
    assert asked("https://acme.azurewebsites.net/models/a/b", X_WAWS_Unencoded_URL=sent).path == "/models/a/b"


@pytest.mark.parametrize("url", ["http://x", "http://x/", "http://x/?a=b"])
def test_the_root_has_a_path(url: str) -> None:
    """The console is at the root, with or without a slash."""
    assert asked(url).path == "/"


def test_the_caller_is_who_the_platform_says() -> None:
    """The name comes before the id; without either the caller has the function's key."""
    assert asked(X_MS_CLIENT_PRINCIPAL_NAME="ada@example.com", X_MS_CLIENT_PRINCIPAL_ID="1").caller == "ada@example.com"
    assert asked(X_MS_CLIENT_PRINCIPAL_ID="1").caller == "1"
    assert asked().caller == "function key"


def test_a_caller_cannot_name_himself() -> None:
    """Without App Service authentication anybody can send these headers: they count for nothing."""
    headers = {"x-ms-client-principal-name": "ada@example.com"}
    request = func.HttpRequest("GET", "http://x/", headers=headers, params={}, route_params={}, body=b"")
    assert read_request(request, authenticated=False).caller == "function key"


def test_an_answer_is_the_hosts() -> None:
    """Status, headers and body arrive as they are."""
    response = http_answer(answer(HttpError(202, "x").status, {"a": "ü"}))  # type: ignore[arg-type]  # any status
    assert (response.status_code, json.loads(response.get_body())) == (202, {"a": "ü"})
    assert response.headers["content-type"] == "application/json"
