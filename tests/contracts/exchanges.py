"""The HTTP API as a table: requests to a cloud on which nothing has happened yet, and the answers to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.api import ROUTES
from tests.contracts.configuration import MODELS
from tests.contracts.messages import HttpRequest
from tests.core.bodies import CHURN, UNUSED

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
NO_FIELD: Final = (
    "is not a field of a request; valid fields: "
    "model_id, trigger_id, origin, reason, severity, parameters, evidence, force, traceparent, tracestate"
)
PATHS: Final = ", ".join(ROUTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer; ids and times in the answer's body as `plain` writes them."""

    request: HttpRequest
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def plain(value: Any) -> Any:
    """Return JSON with `<id>` for ids that are made anew, `<time>` for times, and without those of schedules."""
    if isinstance(value, dict):
        return {name: None if name == "next_scheduled" else plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, str):
        return value
    return "<id>" if _UUID.fullmatch(value) else "<time>" if _TIME.fullmatch(value) else value


def _get(path: str) -> HttpRequest:
    return HttpRequest(method="GET", path=path)


def _post(path: str, content: object, **headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method="POST", path=path, content=content, headers=named)


def _ok(request: HttpRequest, body: object, status: int = 200) -> Exchange:
    return Exchange(request=request, status=status, body=body, headers={"content-type": JSON})


def _problem(request: HttpRequest, status: int, title: str, detail: str, **headers: str) -> Exchange:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Exchange(request=request, status=status, body=body, headers={"content-type": PROBLEM, **headers})


def _unprocessable(request: HttpRequest, detail: str) -> Exchange:
    return _problem(request, 422, "Unprocessable Content", detail)


ALL_FIELDS: Final[Mapping[str, Any]] = {
    "model_id": "churn",
    "trigger_id": "t-1",
    "origin": "drift",
    "reason": "Qualität \U0001f4c9",
    "severity": "high",
    "parameters": {"epochs": 3},
    "evidence": {"report_url": "https://example.com"},
    "force": True,
}

EXCHANGES: Final[Mapping[str, Exchange]] = {
    "health": _ok(_get("/health"), {"status": "ok"}),
    "models": _ok(
        _get("/models"),
        {
            "models": [UNUSED | {"model_id": name} for name in MODELS],
            "next": "seen:",
        },
    ),
    "models seen": _ok(_get("/models?after=seen%3A"), {"models": []}),
    "models after nothing": _unprocessable(_get("/models?after=x"), "after: must be the `next` of an earlier page"),
    "model": _ok(_get("/models/churn"), CHURN),
    "read from a foreign page": _ok(
        HttpRequest(method="GET", path="/health", headers={"origin": "https://evil.example"}), {"status": "ok"}
    ),
    **{
        f"from a foreign page {path}": _problem(
            _post(path, {"model_id": "churn"}, origin=origin),
            *(403, "Forbidden"),
            f"the Origin {origin!r} is not this API's own; a page of another site may not use it",
        )
        for path, origin in (
            ("/retrain", "https://evil.example"),
            ("/retrain?dry_run=true", "null"),
            ("/tick", "https://127.0.0.1.evil.example"),
            ("/models/churn/approve", "https://evil.example"),
            ("/nothing", "https://evil.example"),
        )
    },
    "unknown model": _problem(
        _get("/models/absent%2F%C3%BC"),
        404,
        "Not Found",
        "model_id: the configuration has no model 'absent/ü'; it has "
        "churn, fraud, reviewed, followed, signalled, broken, any-*, retried-*, limited-*, handed-*",
    ),
    "retrain": _ok(
        _post("/retrain", {"model_id": "churn"}),
        {"trigger_id": "<id>", "model_id": "churn", "status": "accepted"},
        202,
    ),
    "retrain the default": _ok(
        _post("/retrain", {}), {"trigger_id": "<id>", "model_id": "churn", "status": "accepted"}, 202
    ),
    "retrain with everything": _ok(
        _post("/retrain", ALL_FIELDS), {"trigger_id": "t-1", "model_id": "churn", "status": "accepted"}, 202
    ),
    "retrain with a key": _ok(
        _post("/retrain", {"model_id": "any-ü/1"}, Idempotency_Key="key 1"),
        {"trigger_id": "key 1", "model_id": "any-ü/1", "status": "accepted"},
        202,
    ),
    "retrain with two keys": _unprocessable(
        _post("/retrain", {"trigger_id": "t-1"}, Idempotency_Key="t-2"),
        "trigger_id: the body and the header Idempotency-Key name different ids",
    ),
    "rehearsal": _ok(
        _post("/retrain?dry_run=true", {"model_id": "reviewed"}), {"decision": "wait", "reason": "awaiting_approval"}
    ),
    "rehearsal perhaps": _unprocessable(
        _post("/retrain?dry_run=perhaps", {}), "dry_run: must be true or false, not 'perhaps'"
    ),
    "wrong field": _unprocessable(
        _post("/retrain", {"severity": "huge"}), "severity: must be one of low, medium, high, not 'huge'"
    ),
    "misspelt field": _unprocessable(_post("/retrain", {"modell": "churn"}), f"modell: {NO_FIELD}"),
    "the caller cannot be set": _unprocessable(_post("/retrain", {"requested_by": "x"}), f"requested_by: {NO_FIELD}"),
    "forbidden parameter": _unprocessable(
        _post("/retrain", {"parameters": {"image": "x"}}),
        "parameters.image: is not a parameter of churn; it allows epochs, note",
    ),
    **{
        f"parameter of another type {path}": _unprocessable(
            _post(path, {"parameters": {"epochs": "abc"}}),
            "parameters.epochs: must be a whole number of at most 64 bits, not 'abc'",
        )
        for path in ("/retrain", "/retrain?dry_run=true")
    },
    "no JSON": _problem(
        _post("/retrain", b"{"),
        400,
        "Bad Request",
        "the body is not valid JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ),
    "no object": _problem(_post("/retrain", []), 400, "Bad Request", "the body must be a JSON object, not list"),
    "not declared as JSON": _problem(
        _post("/retrain", b"{}", Content_Type="text/plain"),
        415,
        "Unsupported Media Type",
        "the Content-Type must be application/json, not 'text/plain'",
    ),
    "too long": _problem(
        _post("/retrain", b" " * (256 * 1024 + 1)),
        413,
        "Content Too Large",
        "the body has 262145 bytes; at most 262144 are accepted",
    ),
    "wrong method": _problem(
        _get("/retrain"), 405, "Method Not Allowed", "/retrain accepts POST, not GET", allow="POST"
    ),
    "wrong path": _problem(_get("/model"), 404, "Not Found", f"/model does not exist; the paths are {PATHS}"),
    "approve nothing": _problem(
        _post("/models/reviewed/approve", {"trigger_id": "t-1"}),
        409,
        "Conflict",
        "trigger_id: 't-1' does not wait for an approval",
    ),
    "reject nothing": _unprocessable(_post("/models/reviewed/reject", {}), "trigger_id: must name a trigger, not None"),
    "tick": _ok(_post("/tick", {}), {"accepted": [{"model_id": "fraud", "trigger_id": "schedule:fraud:<now>"}]}, 202),
}
