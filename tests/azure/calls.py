"""Plain HTTP requests to the stand-ins, by no SDK that would help."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from emulators.arm import ArmStandIn

COMPONENT = "/subscriptions/s-1/components/train/versions/1"
JOB: dict[str, Any] = {
    "jobType": "Pipeline",
    "componentId": COMPONENT,
    "experimentName": "churn",
    "tags": {"by": "test"},
    "inputs": {"epochs": {"jobInputType": "literal", "value": "8"}},
    "settings": {"force_rerun": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer: its status, its body as JSON (none where it has none), its headers by names in small letters."""

    status: int
    body: Any
    headers: dict[str, str]


def call(method: str, url: str, body: object = None, **headers: str) -> Answered:
    """Send a request, a *body* other than bytes as JSON, and return the answer."""
    return send(method, url, body, headers)


def send(method: str, url: str, body: object, headers: Mapping[str, str], timeout: float = 30) -> Answered:
    """Send a request; the answer must come within *timeout* seconds."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, content, named)
        answer = connection.getresponse()
        text = answer.read()
        reported = {name.lower(): value for name, value in answer.getheaders()}
        kind = reported.get("content-type", "")
        return Answered(status=answer.status, body=json.loads(text) if "json" in kind else text, headers=reported)
    finally:
        connection.close()


def job_url(arm: ArmStandIn, name: str = "retrain-1", version: str = "?api-version=2024-10-01") -> str:
    """Return the address of a job."""
    return f"{arm.url}{arm.workspace}/jobs/{name}{version}"


def put(arm: ArmStandIn, name: str = "retrain-1", *, timeout: float = 30, token: str = "", **changes: Any) -> Answered:
    """Put a job that has these *changes*; `...` leaves a property out."""
    properties = {key: value for key, value in (JOB | changes).items() if value is not ...}
    proof = {"Authorization": f"Bearer {token}"} if token else {}
    return send("PUT", job_url(arm, name), {"properties": properties}, proof, timeout)
