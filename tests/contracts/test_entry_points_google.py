"""Input that only Google passes to the functions: every form of an event, the scheduler's headers, tokens; samples."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.vertex.log_entries import sink_message
from tests.contracts.google_project import TOPIC
from tests.contracts.google_requests import a_push, delivered, identity_token
from tests.contracts.messages import Delivery, HttpRequest, Json
from tests.contracts.on_google import Google
from tests.contracts.socket_client import send_request
from tests.contracts.triggers import a_trigger

pytestmark = pytest.mark.xdist_group("contracts-gcp")

EVENTS = Path(__file__).resolve().parents[1] / "events"
SOURCE = f"//pubsub.googleapis.com/{TOPIC}"
PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"
# The types of the CloudEvents whose data the samples are.
TYPES = {
    "BuildEventData": "google.cloud.cloudbuild.build.v1.statusChanged",
    "DocumentEventData": "google.cloud.firestore.document.v1.written",
    "LogEntryData": "google.cloud.audit.log.v1.written",
    "MessagePublishedData": PUBLISHED,
    "SchedulerJobData": "google.cloud.scheduler.job.v1.executed",
    "StorageObjectData": "google.cloud.storage.object.v1.finalized",
}
SAMPLES = [path.name for path in sorted(EVENTS.glob("gcp/*.json"))]


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def deliver(gcp: Google, event: object, **headers: str) -> Delivery:
    """Deliver *event* with these headers, underscores for dashes."""
    return delivered(gcp.project.receive, event, **headers)


def binary(gcp: Google, data: object, kind: str = PUBLISHED) -> Delivery:
    """Deliver *data* as Eventarc does: a CloudEvent in binary mode."""
    context = {"ce_specversion": "1.0", "ce_id": "e-1", "ce_source": SOURCE, "ce_time": "2026-11-21T12:00:00Z"}
    return deliver(gcp, data, ce_type=kind, **context)


def structured(gcp: Google, data: object, kind: str = PUBLISHED) -> Delivery:
    """Deliver *data* in a CloudEvent in structured mode."""
    event = {"specversion": "1.0", "id": "e-1", "source": SOURCE, "type": kind, "data": data}
    return deliver(gcp, event, content_type="application/cloudevents+json")


def background(gcp: Google, push: Any) -> Delivery:
    """Deliver a push as first generation functions got it."""
    message = {name: push["message"][name] for name in ("data", "attributes")}
    context = {"eventId": "e-1", "eventType": "google.pubsub.topic.publish", "timestamp": "2026-11-21T12:00:00Z"}
    return deliver(gcp, {"context": context, "data": message})


def is_quiet(gcp: Google) -> bool:
    """Whether nothing trains, and nothing was written."""
    return (gcp.trainings(), gcp.letters(), gcp.ledger.models(None, 10)) == ([], [], [])


def test_every_form_of_a_message_is_the_same_trigger(gcp: Google) -> None:
    """A raw push, a binary and a structured CloudEvent and a background event of one message train once."""
    push = gcp.event({"model_id": "churn"})
    deliveries = [deliver(gcp, push), binary(gcp, push), structured(gcp, push), background(gcp, push)]
    assert [delivery.verdict for delivery in deliveries] == [("launch", "launched"), *[("skip", "duplicate")] * 3]
    assert gcp.trainings() == ["ml3_platform:e-1"]


@pytest.mark.parametrize("in_attributes", [False, True])
def test_the_documented_message_trains(gcp: Google, *, in_attributes: bool) -> None:
    """ML cube's own message, whole or its payload alone with source and type in the attributes, starts its model."""
    body = sample("ml3cube/seed-pubsub.json") | {"payload": {"model_id": "churn", "epochs": "5"}}
    attributes = {"source": body["source"], "event_type": body["event_type"]} if in_attributes else None
    data = json.dumps(body["payload"] if in_attributes else body).encode()
    assert deliver(gcp, a_push(data, attributes=attributes)).verdict == ("launch", "launched")
    (job,) = gcp.vertex.jobs()
    assert job.parameters["epochs"] == 5


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_other_events_start_nothing(gcp: Google, name: str) -> None:
    """Whatever else may reach `receive` is acknowledged, and neither trains nor becomes a letter."""
    assert deliver(gcp, sample(f"gcp/{name}")).acknowledged
    assert is_quiet(gcp)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("cloudevents-")])
def test_samples_of_other_cloud_events_start_nothing(gcp: Google, name: str) -> None:
    """The same data in CloudEvents of their own types, binary and structured."""
    kind = TYPES[name.split("-")[1]]
    for send in (binary, structured):
        assert send(gcp, sample(f"gcp/{name}"), kind).acknowledged
    assert is_quiet(gcp)


@pytest.mark.parametrize(
    "message",
    [
        {"attributes": {"name": "value"}, "messageId": "1"},
        {"attributes": {"name": "value"}, "messageId": "1", "data": ""},
        {"data": base64.b64encode(b"\xff\xfe").decode(), "messageId": "1"},
        {"data": base64.b64encode(b"plain text").decode(), "messageId": "1"},
        {"data": base64.b64encode(b'["a", "list"]').decode(), "messageId": "1"},
        {"data": base64.b64encode(b"7").decode(), "messageId": "1"},
    ],
    ids=["attributes only", "empty data", "not UTF-8", "text", "list", "number"],
)
def test_what_is_none_of_ours_is_ignored(gcp: Google, message: Json) -> None:
    """Messages without a sign of ours, readable or not, are acknowledged and leave no trace."""
    push = {"subscription": "projects/p/subscriptions/s", "message": message}
    for send in (deliver, binary):
        assert send(gcp, push).verdict == ("ignore", "ignored")
    assert is_quiet(gcp)


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"\xff",
        b'{"message": ',
        {"subscription": "s", "message": "text"},
        {"message": {"data": "?", "messageId": "1"}},
    ],
    ids=["nothing", "not UTF-8", "cut short", "message is a text", "data is not base64"],
)
def test_what_pubsub_cannot_have_sent_is_a_dead_letter(gcp: Google, event: object) -> None:
    """An event that cannot be read is acknowledged, for a redelivery would not change it, and kept."""
    assert deliver(gcp, event).verdict == ("reject", "rejected")
    assert len(gcp.letters()) == 1
    assert gcp.trainings() == []


@pytest.mark.parametrize("state", ["PIPELINE_STATE_RUNNING", "PIPELINE_STATE_PAUSED"])
def test_a_run_that_goes_on_stays(gcp: Google, state: str) -> None:
    """Vertex AI logs every change; only an end frees the model."""
    gcp.deliver(gcp.event(a_trigger().to_fields()))
    ended: Any = gcp.end("t-1")
    entry = json.loads(base64.b64decode(ended["message"]["data"]))
    going_on = {**entry, "jsonPayload": {**entry["jsonPayload"], "state": state}}
    gcp.deliver({**ended, "message": sink_message(going_on) | {"messageId": "1"}})
    assert gcp.send(HttpRequest(method="GET", path="/models/churn")).body["state"] == "training"
    gcp.deliver(ended)
    assert gcp.send(HttpRequest(method="GET", path="/models/churn")).body["state"] == "idle"


def test_receive_takes_posts_only(gcp: Google) -> None:
    """A browser gets an error, and starts nothing."""
    reply = send_request(gcp.project.receive.port, HttpRequest(method="GET", path="/"))
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_a_path_and_a_query_are_read_as_they_were_sent(gcp: Google) -> None:
    """A model's id with a slash and an umlaut is one step of the path."""
    assert gcp.send(HttpRequest(method="GET", path="/models/any-%C3%BC%2F1?x=%26")).body["model_id"] == "any-ü/1"


@pytest.mark.parametrize("scheduled_at", [None, "", "soon", "2999-01-01T00:00:00Z"])
def test_a_tick_without_a_time_to_believe_counts_by_the_minute(gcp: Google, scheduled_at: str | None) -> None:
    """A tick without a time, or with a future one, as of a run by hand, counts for the current minute."""
    headers = {} if scheduled_at is None else {"X-CloudScheduler-ScheduleTime": scheduled_at}
    ((accepted),) = gcp.send(HttpRequest(method="POST", path="/tick", headers=headers)).body["accepted"]
    moment = datetime.fromisoformat(accepted["trigger_id"].removeprefix("schedule:fraud:"))
    assert moment.second == moment.microsecond == 0
    assert timedelta() <= datetime.now(UTC) - moment < timedelta(minutes=2)


@pytest.mark.parametrize(
    ("headers", "caller"),
    [
        ({}, None),
        ({"Authorization": identity_token({"email": "a@example.com", "sub": "1"})}, "a@example.com"),
        ({"Authorization": identity_token({"sub": "1"})}, "1"),
        ({"Authorization": "Bearer opaque"}, None),
        ({"Authorization": "Bearer x", "X-Serverless-Authorization": identity_token({"sub": "2"})}, "2"),
        ({"X-Goog-Authenticated-User-Email": "accounts.google.com:boss@example.com"}, None),
    ],
    ids=["no token", "e-mail", "subject", "opaque", "serverless", "a mere claim"],
)
def test_the_caller_is_taken_from_the_token(gcp: Google, headers: Mapping[str, str], caller: str | None) -> None:
    """The event on the bus names the caller that Cloud Run has let in; a header alone names no one."""
    request = HttpRequest(method="POST", path="/retrain", content={"model_id": "churn"}, headers=headers)
    assert send_request(gcp.project.emit.port, request).status == 202
    ((event),) = gcp.arrived()
    assert gcp.fields(event).get("requested_by") == caller
