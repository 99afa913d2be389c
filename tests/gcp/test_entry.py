"""The framework's requests, as the core expects them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder

from functions.gcp.entry import http_answer, read_event, read_request
from shared.http.messages import MAX_BODY, Request, Response

NOW = datetime(2026, 11, 21, 3, 0, 0, 500_000, tzinfo=UTC)
IAP = "service-677687165274@gcp-sa-iap.iam.gserviceaccount.com"


def asked(path: str = "/", *, environ: dict[str, Any] | None = None, **arguments: Any) -> flask.Request:
    """Return a request of Flask; *environ* overrides the server's variables."""
    builder = EnvironBuilder(path=path, **arguments)
    request = flask.Request(builder.get_environ() | (environ or {}))
    builder.close()
    return request


def read(path: str = "/", **arguments: Any) -> Request:
    """Return the request that the core gets."""
    return read_request(asked(path, **arguments), NOW)


def jwt(claims: object) -> str:
    """Return a token as Cloud Run forwards it, without its signature."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in ({}, claims)]
    return f"Bearer {'.'.join(parts)}.SIGNATURE_REMOVED_BY_GOOGLE"


def test_a_request_is_read_whole() -> None:
    """Method, path, query, headers and body, each in its neutral form."""
    request = read("/retrain?dry_run=true&x=&x=%C3%BC", method="POST", data=b"{}", headers={"X-Odd": "1"})
    assert (request.method, request.path, request.body) == ("POST", "/retrain", b"{}")
    assert request.query == {"dry_run": "true", "x": ",ü"}
    assert request.headers["x-odd"] == "1"
    assert (request.caller, request.scheduled_at) == (None, None)


@pytest.mark.parametrize("name", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize("path", ["/models/a%2Fb%C3%BC", "/models/a%2F%2Fb", "/models/%252F", "/models/.."])
def test_a_path_stays_as_it_was_sent(name: str, path: str) -> None:
    """A slash in a name does not divide the path: gunicorn and Werkzeug keep the raw path beside the decoded one."""
    given = {"RAW_URI": "", "REQUEST_URI": "", "PATH_INFO": "/models/a/b"}
    assert read(environ={**given, name: f"{path}?a=%2F"}).path == path


@pytest.mark.parametrize("raw", ["", "http://proxy.example/models/x", "*"])
def test_without_a_raw_path_the_decoded_one_is_encoded_again(raw: str) -> None:
    """WSGI has the bytes of the path as Latin-1."""
    info = "/models/ü %".encode().decode("latin-1")
    environ = {"RAW_URI": raw, "REQUEST_URI": "", "PATH_INFO": info}
    assert read(environ=environ).path == "/models/%C3%BC%20%25"


def test_no_more_of_a_body_is_read_than_is_needed_to_refuse_it() -> None:
    """One byte too many is enough to see that it is too long."""
    assert len(read(method="POST", data=b" " * (MAX_BODY * 2)).body) == MAX_BODY + 1


@pytest.mark.parametrize(
    ("headers", "caller"),
    [
        ({}, None),
        ({"Authorization": jwt({"email": "ada@example.com", "sub": "1"})}, "ada@example.com"),
        ({"Authorization": jwt({"sub": "1"})}, "1"),
        ({"Authorization": jwt({"email": 5})}, None),
        ({"Authorization": jwt([])}, None),
        ({"Authorization": "Bearer ya29.opaque"}, None),
        ({"Authorization": "Bearer a.!.c"}, None),
        ({"Authorization": "Bearer ..."}, None),
        ({"Authorization": jwt({"email": "x" * 9999})}, "x" * 512),
        (
            {"X-Serverless-Authorization": jwt({"email": "ada@example.com"}), "Authorization": jwt({"email": "boss"})},
            "ada@example.com",
        ),
        (
            {
                "X-Serverless-Authorization": jwt({"email": IAP}),
                "X-Goog-Authenticated-User-Email": "accounts.google.com:ada@example.com",
            },
            "ada@example.com",
        ),
        ({"Authorization": jwt({"email": IAP})}, IAP),
        (
            {
                "Authorization": jwt({"email": "ada@example.com"}),
                "X-Goog-Authenticated-User-Email": "accounts.google.com:boss@example.com",
            },
            "ada@example.com",
        ),
        ({"X-Goog-Authenticated-User-Email": "accounts.google.com:boss@example.com"}, None),
    ],
)
def test_the_caller_is_verified_by_the_platform(headers: dict[str, str], caller: str | None) -> None:
    """The caller is in the token that Cloud Run verifies; a proxy's header counts only if it comes from the proxy."""
    assert read(headers=headers).caller == caller


@pytest.mark.parametrize(
    ("header", "at"),
    [
        ("2026-11-21T03:00:00Z", NOW.replace(microsecond=0)),
        ("2026-11-21T04:00:00+01:00", NOW.replace(microsecond=0)),
        ("2026-11-20T22:00:00Z", NOW - timedelta(hours=5, microseconds=500_000)),
        ("2026-11-21T03:00:10Z", NOW + timedelta(seconds=9.5)),
        ("2026-11-21T03:05:00Z", None),
        ("2026-11-21T03:00:00", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_tick_has_the_schedulers_time_unless_that_is_still_to_come(header: str, at: datetime | None) -> None:
    """A manual run carries the time of the next scheduled run, which would then count as a repeat."""
    assert read("/tick", headers={"X-CloudScheduler-ScheduleTime": header}).scheduled_at == at


def test_an_answer_has_flasks_form() -> None:
    """Body, status and headers."""
    assert http_answer(Response(status=202, body="{}", headers={"a": "b"})) == ("{}", 202, {"a": "b"})


def test_a_push_is_its_body() -> None:
    """Without headers of a CloudEvent the JSON is the event."""
    assert read_event(asked(method="POST", data=b'{"message": {}}')) == {"message": {}}


def test_a_cloud_event_in_headers_gets_its_structured_form() -> None:
    """Eventarc sends attributes as headers, percent-encoded, whatever case a proxy gives their names."""
    headers = {
        "Ce-Specversion": "1.0",
        "ce-id": "7",
        "ce-source": "//pubsub.googleapis.com/projects/p/topics/t%20x",
        "CE-TYPE": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": "2026-11-21T03:00:00Z",
        "Content-Type": "application/json",
    }
    assert read_event(asked(method="POST", data=b'{"message": {}}', headers=headers)) == {
        "specversion": "1.0",
        "id": "7",
        "source": "//pubsub.googleapis.com/projects/p/topics/t x",
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "time": "2026-11-21T03:00:00Z",
        "data": {"message": {}},
    }


def test_a_structured_cloud_event_is_its_body() -> None:
    """Its content type does not matter: the body shows its form."""
    event = {"specversion": "1.0", "type": "x", "data": {}}
    headers = {"Content-Type": "application/cloudevents+json"}
    assert read_event(asked(method="POST", data=json.dumps(event), headers=headers)) == event


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 99_999])
def test_a_body_that_is_not_json_is_left_to_the_codec(body: bytes) -> None:
    """In both forms it is returned unchanged for the dead letter."""
    assert read_event(asked(method="POST", data=body)) == body
    event = read_event(asked(method="POST", data=body, headers={"ce-specversion": "1.0"}))
    assert event == {"specversion": "1.0", "data": body}
