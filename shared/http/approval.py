"""Approval or rejection of a waiting trigger; the ledger records who did it and when."""

from collections.abc import Mapping
from typing import Final

from shared.decision import transitions
from shared.decision.state import Decided, ModelState
from shared.emit import publish
from shared.errors import ConflictError, InvalidTriggerError
from shared.fields import brief
from shared.ledger import snapshots
from shared.parts import EmitterParts

# The name in the history where the platform does not authenticate callers.
UNKNOWN_CALLER: Final = "an unknown caller"


def approve(emitter: EmitterParts, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Approve the waiting trigger that *fields* name, publish it again so that it is started, and return its id.

    A repeated approval of a trigger that is no longer waiting returns the same id, and nothing is published.

    Raises:
        UnknownModelError: the configuration has no such model.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the trigger does not wait for an approval; the message says what happened to it.
        BusError: the approval is recorded, but the bus refused the trigger; approve again, or wait for the sweep.
        UnavailableError: the ledger or the bus is unavailable; approve again.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or UNKNOWN_CALLER
    snapshot = snapshots.change(emitter, model_id, lambda state: transitions.approved(state, trigger_id, by, now=now))
    state = snapshot.state
    if state.waiting is not None and state.waiting.trigger.trigger_id == trigger_id:
        publish(emitter, [state.waiting.trigger])
    elif not _was_released(state, trigger_id):
        raise _not_waiting(state, trigger_id)
    return trigger_id


def reject(emitter: EmitterParts, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Drop the waiting trigger that *fields* name, and return its id.

    Raises:
        UnknownModelError: the configuration has no such model.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the trigger does not wait for an approval; the message says what happened to it.
        UnavailableError: the ledger is unavailable.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or UNKNOWN_CALLER

    def step(state: ModelState) -> ModelState:
        dropped = transitions.not_approved(state, trigger_id, by, now=now)
        if dropped == state and not _was_dropped(state, trigger_id):
            raise _released(state, trigger_id) or _not_waiting(state, trigger_id)
        return dropped

    snapshots.change(emitter, model_id, step)
    return trigger_id


def _named(emitter: EmitterParts, model_id: str, fields: Mapping[str, object]) -> str:
    emitter.config.find(model_id)
    trigger_id = fields.get("trigger_id")
    if not isinstance(trigger_id, str):
        raise InvalidTriggerError("trigger_id", f"must name the waiting trigger, not {brief(trigger_id)}")
    return trigger_id


def _history(state: ModelState, trigger_id: str) -> list[Decided]:
    return [line for line in state.decisions if line.trigger_id == trigger_id]


def _was_released(state: ModelState, trigger_id: str) -> bool:
    return any(
        line.decision in ("launch", "queue") and line.detail.startswith(transitions.APPROVED)
        for line in _history(state, trigger_id)
    )


def _was_dropped(state: ModelState, trigger_id: str) -> bool:
    return any(line.reason == "not_approved" for line in _history(state, trigger_id))


def _not_waiting(state: ModelState, trigger_id: str) -> ConflictError:
    history = _history(state, trigger_id)
    if not history:
        return ConflictError(f"trigger_id: {brief(trigger_id)} does not wait for an approval")
    became = history[0].detail or history[0].reason
    return ConflictError(f"trigger_id: {brief(trigger_id)} no longer waits for an approval: {became}")


def _released(state: ModelState, trigger_id: str) -> ConflictError | None:
    waiting = state.waiting
    if waiting is None or waiting.trigger.trigger_id != trigger_id or not waiting.approved_by:
        return None
    return ConflictError(f"trigger_id: {brief(trigger_id)} was already approved by {brief(waiting.approved_by)}")
