"""A person releases a waiting trigger, or drops it; written to the ledger, by whom and when."""

from collections.abc import Mapping

from shared import book, lifecycle
from shared.emit import publish
from shared.errors import InvalidTriggerError
from shared.fields import brief
from shared.parts import Emitter
from shared.state import ModelState


def approve(emitter: Emitter, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Release the waiting trigger that *fields* name and send it once more, for whoever can start it; returns its id.

    Raises:
        UnknownModelError: there is no such model.
        InvalidTriggerError: the trigger is not named, or does not wait.
        BusError: the approval is written down, but the bus refuses the trigger; approve again, or let the sweep see it.
        UnavailableError: the ledger or the bus is away; approve again.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or "somebody"
    page = book.change(emitter, model_id, lambda state: lifecycle.approved(state, trigger_id, by, now=now))
    state = page.state
    if state.waiting is None or state.waiting.trigger.trigger_id != trigger_id:
        raise _not_waiting(trigger_id)
    publish(emitter, [state.waiting.trigger])
    return trigger_id


def reject(emitter: Emitter, model_id: str, fields: Mapping[str, object], caller: str | None) -> str:
    """Drop the waiting trigger that *fields* name; returns its id.

    Raises:
        UnknownModelError: there is no such model.
        InvalidTriggerError: the trigger is not named, or does not wait.
        UnavailableError: the ledger is away.

    """
    trigger_id = _named(emitter, model_id, fields)
    now, by = emitter.clock(), caller or "somebody"

    def step(state: ModelState) -> ModelState:
        dropped = lifecycle.not_approved(state, trigger_id, by, now=now)
        if dropped == state and not _was_dropped(state, trigger_id):
            raise _not_waiting(trigger_id)
        return dropped

    book.change(emitter, model_id, step)
    return trigger_id


def _named(emitter: Emitter, model_id: str, fields: Mapping[str, object]) -> str:
    emitter.config.find(model_id)
    trigger_id = fields.get("trigger_id")
    if not isinstance(trigger_id, str):
        raise InvalidTriggerError("trigger_id", f"must name the waiting trigger, not {brief(trigger_id)}")
    return trigger_id


def _was_dropped(state: ModelState, trigger_id: str) -> bool:
    return any(line.trigger_id == trigger_id and line.reason == "not_approved" for line in state.decisions)


def _not_waiting(trigger_id: str) -> InvalidTriggerError:
    return InvalidTriggerError("trigger_id", f"{brief(trigger_id)} does not wait for an approval")
