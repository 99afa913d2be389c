"""The triggers that the suite sends, and the state that it looks at."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from shared.decision.state import ModelState
from shared.fields import Parameter, format_time, parse_time
from shared.ledger.document import read_state
from shared.ports import LaunchRequest, Ledger
from shared.trigger import RetrainTrigger

MODEL = "churn"
# Why a training of the suite fails.
WHY = "no rows in the last 7 days"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_trigger(trigger_id: str = "t-1", **fields: Any) -> RetrainTrigger:
    """Return a trigger of the suite's first model, unless *fields* name another one."""
    given: dict[str, Any] = {"model_id": MODEL, "origin": "manual", "requested_at": NOON}
    return RetrainTrigger(trigger_id=trigger_id, **(given | fields))


def a_request(
    trigger: RetrainTrigger | None = None, *, parameters: Mapping[str, Parameter] = MappingProxyType({"epochs": 8})
) -> LaunchRequest:
    """Return the request to start the training of *trigger*, claimed now."""
    asked = trigger or a_trigger()
    return LaunchRequest(
        trigger=asked,
        token=asked.token,
        parameters=parameters,
        claimed_at=datetime.now(UTC),
        max_run=timedelta(minutes=10),
    )


def state_of(ledger: Ledger, model_id: str = MODEL) -> ModelState:
    """Return what the ledger knows of a model."""
    return read_state(ledger.load(model_id).document)


def abandon_claim(ledger: Ledger, model_id: str = MODEL, *, age: timedelta = timedelta(seconds=61)) -> None:
    """Make the claim of a model older by *age*: as if so much time had passed since its claimer died."""
    stored = ledger.load(model_id)
    assert stored.document is not None
    content = json.loads(stored.document)
    training = content["training"]
    assert "run_id" not in training, "the claim was confirmed: no process died between claim and start"
    for name in ("claimed_at", "first_claimed_at"):
        training[name] = format_time(parse_time(training[name]) - age)
    assert ledger.save(model_id, json.dumps(content), stored.version)


def abandon_follow_ups(ledger: Ledger, model_id: str, *, age: timedelta = timedelta(seconds=61)) -> None:
    """Make what is left to do after trainings older by *age*: as if so much time had passed since the last attempt."""
    stored = ledger.load(model_id)
    assert stored.document is not None
    content = json.loads(stored.document)
    assert content["pending"], "nothing is left to do"
    for entry in content["pending"]:
        entry["claimed_at"] = format_time(parse_time(entry["claimed_at"]) - age)
    assert ledger.save(model_id, json.dumps(content), stored.version)
