"""`/events`: Event Grid finds out whether deliveries are wanted, and every delivery is acted on as a whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.azure.webhook import MAX_BODY, PATH, respond
from shared.errors import ConfigError, UnavailableError, UnknownModelError, UnreadableEventError
from shared.http.messages import Request, Response

EVENTS = Path(__file__).parents[1] / "events" / "azure"


def sample(name: str) -> Any:
    """Return a recorded file."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def posted(body: object, received: list[object], *errors: Exception | None) -> Response:
    """Deliver a body; each event is noted, and answered with the next error, if there is one."""
    waiting = list(errors)

    def receive(event: object) -> None:
        received.append(event)
        error = waiting.pop(0) if waiting else None
        if error is not None:
            raise error

    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return respond(Request(method="POST", path=PATH, body=content), receive)


def test_the_handshake_of_event_grid_is_answered() -> None:
    """The documented handshake gets the documented answer, and does not count as an event."""
    received: list[object] = []
    response = posted(sample("docs-SubscriptionValidation.json"), received)
    assert response.status == 200
    assert json.loads(response.body) == sample("docs-SubscriptionValidation.expected-response.json")
    assert received == []


@pytest.mark.parametrize("data", [None, [], {}, {"validationCode": 5}, "code"])
def test_a_handshake_without_a_code_is_an_event_like_others(data: object) -> None:
    """An event that only looks like a handshake is received like any other, and ignored."""
    received: list[object] = []
    event = sample("docs-SubscriptionValidation.json")[0] | {"data": data}
    assert posted([event], received).status == 200
    assert received == [event]


def test_the_handshake_of_cloudevents_is_answered() -> None:
    """A sender that requests consent gets it by its name."""
    asking = Request(method="OPTIONS", path=PATH, headers={"webhook-request-origin": "eventgrid.azure.net"})
    response = respond(asking, lambda _: None)
    assert response.status == 200
    assert response.headers == {"webhook-allowed-origin": "eventgrid.azure.net", "webhook-allowed-rate": "*"}


def test_an_unauthenticated_caller_is_not_allowed() -> None:
    """`OPTIONS` of a browser, or of a scanner, does not count as a handshake."""
    response = respond(Request(method="OPTIONS", path=PATH), lambda _: None)
    assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("body", [[{"id": "1"}, {"id": "2"}], {"id": "1"}, []])
def test_every_event_is_received(body: Any) -> None:
    """An array and a bare event are delivered, one by one, in their order."""
    received: list[object] = []
    response = posted(body, received)
    assert response.status == 200
    assert received == (body if isinstance(body, list) else [body])


def test_a_transient_error_brings_the_delivery_again() -> None:
    """503 is repeated by Event Grid, with all events of the delivery."""
    response = posted([{"id": "1"}, {"id": "2"}], [], None, UnavailableError("Azure ML", "start"))
    assert response.status == 503
    assert response.headers["retry-after"]


def test_a_rejected_event_without_dead_letters_of_ours_goes_to_those_of_event_grid() -> None:
    """400 is the answer that Event Grid dead-letters; the events beside it were received all the same."""
    received: list[object] = []
    response = posted([{"id": "1"}, {"id": "2"}], received, UnreadableEventError("no"))
    assert response.status == 400
    assert len(received) == 2


def test_a_transient_error_counts_more_than_a_rejection() -> None:
    """As long as one event must come again the delivery is not given up."""
    assert posted([{}, {}], [], UnknownModelError("no"), UnavailableError("a", "b")).status == 503
    assert posted([{}, {}], [], UnknownModelError("no"), None).status == 400


def test_a_misconfiguration_is_not_acknowledged() -> None:
    """An error that no client can do anything about is left to the host, which answers 500."""
    with pytest.raises(ConfigError):
        posted([{}], [], ConfigError("environment", ["RETRAIN_LEDGER: is not set"]))


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_rejected(body: bytes) -> None:
    """400: such a delivery would not be better the next time."""
    response = posted(body, [])
    assert response.status == 400
    assert "the body is not valid JSON" in json.loads(response.body)["detail"]


def test_a_body_above_the_limit_is_not_read() -> None:
    """Event Grid delivers 1 MB at most."""
    assert posted(b'"' + b"x" * MAX_BODY + b'"', []).status == 413
    assert posted(b'"' + b"x" * (MAX_BODY - 2) + b'"', []).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_taken(method: str) -> None:
    """405 names those that are."""
    response = respond(Request(method=method, path=PATH), lambda _: None)
    assert (response.status, response.headers["allow"]) == (405, "POST, OPTIONS")
