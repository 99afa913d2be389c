"""Requests as Google's platform sends them to the functions: pushes, and callers that Cloud Run has let in."""

import base64
import json
from collections.abc import Mapping

from emulators.framework import FrameworkFunction
from emulators.pubsub import push_body
from tests.contracts.google_project import SUBSCRIPTION, TOPIC
from tests.contracts.messages import Delivery, HttpRequest, Json
from tests.contracts.socket_client import send_request

CALLER = "ada@example.com"


def a_push(data: bytes, *, attributes: Mapping[str, str] | None = None, message_id: str = "e-1") -> Json:
    """Return the body in which a push subscription delivers a message."""
    message = {
        "data": base64.b64encode(data).decode(),
        "messageId": message_id,
        "publishTime": "2026-11-21T12:00:00Z",
        "attributes": dict(attributes or {}),
    }
    return push_body(SUBSCRIPTION, message)


def delivered(function: FrameworkFunction, event: object, **headers: str) -> Delivery:
    """Deliver an event, or bytes as they are, by one request.

    Raises:
        http.client.HTTPException, OSError: the function died of it.

    """
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = send_request(function.port, HttpRequest(method="POST", path=f"/{TOPIC}", content=content, headers=named))
    if reply.status == 200:
        return Delivery(acknowledged=True, outcome=reply.body)
    assert reply.status == 500, reply
    return Delivery(acknowledged=False, error=reply.body["detail"])


def identity_token(claims: Mapping[str, object]) -> str:
    """Return the header of an identity token, which Cloud Run hands on without its signature."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{payload}.SIGNATURE_REMOVED_BY_GOOGLE"
