"""A person releases a waiting trigger, or drops it; written to the ledger, by whom and when."""

from collections.abc import Mapping

from shared.decision import transitions
from shared.decision.state import Decided, ModelState
from shared.emit import publish
from shared.errors import ConflictError, InvalidTriggerError
from shared.fields import brief
from shared.ledger import snapshots
from shared.parts import EmitterParts


def approve(emitter: EmitterParts, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Release the waiting trigger that *fields* name and send it once more, for whoever can start it; returns its id.

    Whoever asks again for one that was released and has gone on since gets the same answer, and nothing is sent.

    Raises:
        UnknownModelError: there is no such model.
        InvalidTriggerError: the trigger is not named.
        ConflictError: it does not wait; the message says what became of it.
        BusError: the approval is written down, but the bus refuses the trigger; approve again, or let the sweep see it.
        UnavailableError: the ledger or the bus is away; approve again.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or "somebody"
    snapshot = snapshots.change(emitter, model_id, lambda state: transitions.approved(state, trigger_id, by, now=now))
    state = snapshot.state
    if state.waiting is not None and state.waiting.trigger.trigger_id == trigger_id:
        publish(emitter, [state.waiting.trigger])
    elif not _was_released(state, trigger_id):
        raise _not_waiting(state, trigger_id)
    return trigger_id


def reject(emitter: EmitterParts, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Drop the waiting trigger that *fields* name; returns its id.

    Raises:
        UnknownModelError: there is no such model.
        InvalidTriggerError: the trigger is not named.
        ConflictError: it does not wait; the message says what became of it.
        UnavailableError: the ledger is away.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or "somebody"

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
    became = f" any more: {history[0].detail or history[0].reason}" if history else ""
    return ConflictError(f"trigger_id: {brief(trigger_id)} does not wait for an approval{became}")


def _released(state: ModelState, trigger_id: str) -> ConflictError | None:
    waiting = state.waiting
    if waiting is None or waiting.trigger.trigger_id != trigger_id or not waiting.approved_by:
        return None
    return ConflictError(f"trigger_id: {brief(trigger_id)} was released by {brief(waiting.approved_by)} before")
