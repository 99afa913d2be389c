"""Input of the functions of Azure other than events, and how their answers and logs are read."""

import json
from typing import Any

from emulators.functions_host import FunctionsHost, Invocation
from emulators.loopback import Answer
from tests.contracts.messages import Delivery, Json


def timer(last: str | None, coming: str | None, *, past_due: bool = False) -> Json:
    """Return what the host passes to a timer function: the schedule's times, as they were before this run."""
    status = {"Last": last, "Next": coming, "LastUpdated": last}
    known = {name: value for name, value in status.items() if value is not None}
    return {"IsPastDue": past_due, "Schedule": {"AdjustForDST": True}, "ScheduleStatus": known or None}


def delivered(host: FunctionsHost, answer: Answer) -> Delivery:
    """Return how the delivery of one event ended: as the host answered, and as the function logged it."""
    identifier = answer.headers.get("x-ms-invocation-id", "")
    assert identifier in host.invocations, f"{answer.status}: not one invocation but {identifier!r}"
    return delivery(host.invocations[identifier], acknowledged=answer.status in (200, 202))


def lines(invocation: Invocation, event: str) -> list[Json]:
    """Return the lines of a kind that a function has logged."""
    logged: list[Any] = [json.loads(line["message"]) for line in invocation.logs if line["category"] == "retrain"]
    return [line for line in logged if line["event"] == event]


def delivery(invocation: Invocation, *, acknowledged: bool) -> Delivery:
    """Return how an invocation ended: a function answers only in the log."""
    outcome = next(reversed(lines(invocation, "retrain.received")), {})
    for line in lines(invocation, "retrain.swept"):
        outcome["swept"] = line["models"]
    return Delivery(acknowledged=acknowledged, outcome=outcome, error=invocation.error)
