"""Valid and invalid bodies of a request, and the triggers of a tick."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.core.deployment import Deployment, problem
from tests.core.samples import NOW, model_text

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "the body is not valid JSON: Expecting value"),
        (b'{"model_id":', "the body is not valid JSON: Expecting value"),
        (b'{"model_id": "\xff"}', "the body is not valid JSON: 'utf-8' codec can't decode byte 0xff"),
        (b'{"parameters": {"lr": NaN}}', "the body is not valid JSON: NaN is not a valid JSON number"),
        (b'{"parameters": {"lr": -Infinity}}', "the body is not valid JSON: -Infinity is not a valid JSON number"),
        (b"[" * 100_000, "the body is not valid JSON: "),
        (b'{"n": ' + b"1" * 10_000 + b"}", "the body is not valid JSON: "),
        (b'["churn"]', "the body must be a JSON object, not list"),
        (b"null", "the body must be a JSON object, not NoneType"),
    ],
    ids=["empty", "cut", "bytes", "NaN", "Infinity", "nested", "digits", "list", "null"],
)
def test_what_is_not_a_json_object_is_400(body: bytes, detail: str) -> None:
    """The problem says why the body cannot be read."""
    deployment = Deployment()
    response = deployment.call("POST", "/retrain", body, headers=JSON)
    assert problem(response, 400, "Bad Request").startswith(detail)
    assert deployment.bus.published == []


def test_a_body_has_at_most_256_kilobytes() -> None:
    """A body of exactly that size is read; one byte more is 413, also where no body is needed."""
    deployment = Deployment()
    body = b'{"model_id": "churn"}'.ljust(256 * 1024)
    assert deployment.call("POST", "/retrain", body, headers=JSON).status == 202
    for path in ("/retrain", "/tick", "/schedules", "/models/churn/pause", "/nothing"):
        detail = problem(deployment.call("POST", path, body + b" ", headers=JSON), 413, "Content Too Large")
        assert detail == "the body has 262145 bytes; at most 262144 are accepted"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("Application/JSON;charset=UTF-8", 202),
        ("application/cloudevents+json", 202),
        ("text/json", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        (None, 415),
    ],
)
def test_a_body_must_be_declared_as_json(kind: str | None, status: int) -> None:
    """Any other content type, or none, is 415."""
    headers = {} if kind is None else {"content-type": kind}
    response = Deployment().call("POST", "/retrain", b'{"model_id": "churn"}', headers=headers)
    assert response.status == status
    if status == 415:
        found = f"not {kind!r}" if kind else "but is missing"
        detail = problem(response, 415, "Unsupported Media Type")
        assert detail == f"the Content-Type must be application/json, {found}"


@pytest.mark.parametrize(
    ("scheduled_at", "moment"),
    [
        (datetime(2026, 11, 21, 2, 30, 7, tzinfo=UTC), "2026-11-21T02:30:07Z"),
        (None, "2026-11-21T03:00:00Z"),
    ],
)
def test_a_tick_emits_for_every_scheduled_model(scheduled_at: datetime | None, moment: str) -> None:
    """Once for each scheduled time, which is now to the minute where the tick has none."""
    deployment = Deployment(
        "".join(model_text(name, "schedule = true") for name in ("churn", "price")) + model_text("wine")
    )
    deployment.wait(timedelta(seconds=42))
    responses = [deployment.call("POST", "/tick", scheduled_at=scheduled_at) for _ in range(2)]
    requested = [{"model_id": name, "trigger_id": f"schedule:{name}:{moment}"} for name in ("churn", "price")]
    for response in responses:
        assert (response.status, dict(response.headers)) == (202, JSON)
        assert json.loads(response.body) == {"accepted": requested}
    first, _, again, _ = deployment.bus.published
    assert first == again
    assert (first.origin, first.reason) == ("schedule", f"scheduled for {moment}")
    assert first.requested_at == NOW + timedelta(seconds=42)


def test_a_tick_without_scheduled_models_emits_nothing() -> None:
    """It is accepted all the same."""
    assert json.loads(Deployment().call("POST", "/tick").body) == {"accepted": []}
