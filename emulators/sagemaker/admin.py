"""Orders that tests and the demo send over HTTP, under `/_admin`.

| request | meaning |
| --- | --- |
| `GET /_admin/executions` | every execution, oldest first, with its token, parameters and count of start calls |
| `GET /_admin/calls` | the number of requests by operation, including those that a fault hit |
| `POST /_admin/end` | `{"arn" or "name", "status"?, "reason"?}`: end the unfinished executions with this ARN or name |
| `POST /_admin/faults` | order one fault, or a list of faults: `{"kind", "operation"?, "seconds"?, "times"?}` |
| `GET`, `DELETE /_admin/faults` | show the orders that are not used up; remove them |
| `POST /_admin/forget-tokens` | forget every token |
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from emulators.faults import Faults
from emulators.loopback import Answer, Request, json_answer
from emulators.sagemaker.executions import Execution
from emulators.sagemaker.faults import Fault

PREFIX = "/_admin/"


class Orders(Protocol):
    """The stand-in, as far as orders need it."""

    faults: Faults[Fault]

    def executions(self) -> list[Execution]:
        """Return every execution, oldest first."""
        ...

    def all_calls(self) -> Mapping[str, int]:
        """Return the number of requests by operation."""
        ...

    def end(self, which: str, status: str = "Succeeded", reason: str | None = None) -> list[str]:
        """End the unfinished executions that *which* names."""
        ...

    def forget_tokens(self) -> None:
        """Forget every token."""
        ...


def answer(orders: Orders, request: Request) -> Answer:
    """Carry out one order, and answer in JSON: 400 for an invalid one, 404 for an unknown path or execution."""
    routes: Mapping[tuple[str, str], Callable[[Any], object]] = {
        ("GET", "executions"): lambda _: [_shown(execution) for execution in orders.executions()],
        ("GET", "calls"): lambda _: dict(orders.all_calls()),
        ("POST", "end"): lambda body: _end(orders, body),
        ("GET", "faults"): lambda _: orders.faults.waiting(),
        ("POST", "faults"): lambda body: _add_faults(orders.faults, body),
        ("DELETE", "faults"): lambda _: orders.faults.clear(),
        ("POST", "forget-tokens"): lambda _: orders.forget_tokens(),
    }
    route = routes.get((request.method, request.path.removeprefix(PREFIX)))
    if route is None:
        return json_answer(404, {"error": f"no {request.method} {request.path}"})
    try:
        return json_answer(200, route(json.loads(request.body or b"null")))
    except LookupError as error:
        return json_answer(404, {"error": str(error)})
    except ValueError as error:
        return json_answer(400, {"error": str(error)})


def _end(orders: Orders, body: Mapping[str, str]) -> object:
    which = body.get("arn") or body.get("name")
    if not which:
        raise ValueError("arn or name is missing")
    return {"ended": orders.end(which, body.get("status", "Succeeded"), body.get("reason"))}


def _add_faults(faults: Faults[Fault], body: Any) -> object:
    # All are read before the first is ordered, so that an invalid one leaves nothing ordered.
    for fault in [Fault.parse(order) for order in (body if isinstance(body, list) else [body])]:
        faults.add(fault)
    return faults.waiting()


def _shown(execution: Execution) -> dict[str, object]:
    times = {"started": execution.started.isoformat(), "modified": execution.modified.isoformat()}
    return asdict(execution) | times
