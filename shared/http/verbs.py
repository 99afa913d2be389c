"""The verbs of people: approve, reject, pause, resume, cancel, retry.

Each is one step of the model's state, recorded with who did it. Then an event makes the receiver look at the model,
because only the receiver calls training services; if that event is lost, the sweep does the same later.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final

from shared.config.lookup import is_pattern
from shared.decision import steering, transitions
from shared.decision.state import Decided, ModelState
from shared.errors import ConflictError, InvalidTriggerError, UnknownModelError
from shared.fields import MAX_MODEL_ID, brief, is_unicode, parse_rfc3339, read_text
from shared.frozen import dataclass
from shared.http.listing import matching
from shared.http.messages import RETRY_AFTER, HttpError
from shared.http.parts import EmitterParts
from shared.ledger import snapshots
from shared.trigger import MAX_TEXT

# The name in the history where the platform does not authenticate callers.
UNKNOWN_CALLER: Final = "an unknown caller"

# The models in the answer to a verb for a pattern.
_MOST_NAMED: Final = 5

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steered:
    """The effect of a verb.

    Attributes:
        state: the state of the model after it.
        trigger_id: the trigger that it concerns; empty if there is none.
        is_later: whether the receiver has yet to do what was requested.

    """

    state: ModelState
    trigger_id: str = ""
    is_later: bool = False


def approve(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """Release the waiting trigger that *fields* name; a repeat for a trigger that was released gets the same answer.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the trigger does not wait for an approval; the message says what happened to it.
        BusError: the approval is recorded, but the bus refused the event; the sweep starts the training.
        UnavailableError: the ledger or the bus is unavailable; approve again.

    """
    trigger_id, by, now = _named(emitter, model_id, fields), caller or UNKNOWN_CALLER, emitter.clock()
    state = _step(emitter, model_id, lambda state: steering.approved(state, trigger_id, by, now=now))
    waiting = state.waiting
    if (waiting is None or waiting.trigger.trigger_id != trigger_id) and not _was_released(state, trigger_id):
        raise _not_waiting(state, trigger_id)
    return Steered(state=state, trigger_id=trigger_id)


def reject(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """Drop the waiting trigger that *fields* name; a repeat gets the same answer.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the trigger does not wait for an approval; the message says what happened to it.
        UnavailableError: the ledger or the bus is unavailable.

    """
    trigger_id, by, now = _named(emitter, model_id, fields), caller or UNKNOWN_CALLER, emitter.clock()

    def step(state: ModelState) -> ModelState:
        dropped = steering.not_approved(state, trigger_id, by, now=now)
        if dropped == state and not _was_dropped(state, trigger_id):
            raise _released(state, trigger_id) or _not_waiting(state, trigger_id)
        return dropped

    return Steered(state=_step(emitter, model_id, step), trigger_id=trigger_id)


def pause(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """Pause a model: nothing new is claimed, and the newest trigger is kept.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: a field is unknown, or `until` is not in the future.
        UnavailableError: the ledger or the bus is unavailable.

    """
    _check(emitter, model_id, fields, ("reason", "until"))
    now, by = emitter.clock(), caller or UNKNOWN_CALLER
    given = fields.get("reason")
    reason = "" if given is None else read_text("reason", given, MAX_TEXT)
    until = _until(fields.get("until"), now)

    def step(state: ModelState) -> ModelState:
        return steering.paused(state, by, now=now, until=until, reason=reason)

    return Steered(state=_step(emitter, model_id, step))


def resume(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """End the pause of a model; one that is not paused stays as it is.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: a field is unknown.
        UnavailableError: the ledger or the bus is unavailable.

    """
    _check(emitter, model_id, fields, ())
    now, by = emitter.clock(), caller or UNKNOWN_CALLER
    return Steered(state=_step(emitter, model_id, lambda state: transitions.resumed(state, by, now=now)))


def cancel(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """Drop the trigger that *fields* name, or have its training stopped; a repeat gets the same answer.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the trigger cannot be cancelled; the message says why.
        HttpError: 409 with `Retry-After`, the trigger is not decided yet.
        UnavailableError: the ledger or the bus is unavailable.

    """
    trigger_id, by, now = _named(emitter, model_id, fields), caller or UNKNOWN_CALLER, emitter.clock()
    state = _step(emitter, model_id, lambda state: steering.cancelled(state, trigger_id, by, now=now))
    effect, name = steering.cancellation(state, trigger_id), brief(trigger_id)
    if effect == "undecided":
        detail = f"trigger_id: {name} is not decided yet, or was never sent"
        raise HttpError(HTTPStatus.CONFLICT, detail, {"retry-after": RETRY_AFTER})
    if effect == "handed_over":
        raise ConflictError(f"trigger_id: {name} is handed over to a target that cannot stop trainings")
    if effect == "over":
        raise ConflictError(f"trigger_id: {name} is neither kept nor running{_became(state, trigger_id)}")
    return Steered(state=state, trigger_id=trigger_id, is_later=effect == "stopping")


def retry(emitter: EmitterParts, model_id: str, fields: Fields, caller: str | None) -> Steered:
    """Start the training of the trigger that *fields* name again; the trigger of the new attempt is returned.

    Raises:
        UnknownModelError: the configuration has no such model, or it is a pattern.
        InvalidTriggerError: *fields* do not name a trigger.
        ConflictError: the model keeps another trigger, or the history does not have all that the training needs.
        HttpError: 404, the runs do not list the trigger.
        UnavailableError: the ledger or the bus is unavailable.

    """
    trigger_id, by, now = _named(emitter, model_id, fields), caller or UNKNOWN_CALLER, emitter.clock()
    needs_evidence = "$evidence" in emitter.config.find(model_id).parameters.values()
    attempt = ""

    def step(state: ModelState) -> ModelState:
        nonlocal attempt
        found = steering.retried(state, model_id, trigger_id, by, now=now, needs_evidence=needs_evidence)
        if found is None:
            detail = f"trigger_id: the runs of {brief(model_id)} do not list {brief(trigger_id)}"
            raise HttpError(HTTPStatus.NOT_FOUND, detail)
        attempt = found.trigger_id
        return found.state

    return Steered(state=_step(emitter, model_id, step), trigger_id=attempt, is_later=True)


def _step(emitter: EmitterParts, model_id: str, step: Callable[[ModelState], ModelState]) -> ModelState:
    """Change the state of the model by *step*, request that the receiver acts on it, and return it.

    An id with a wildcard is that of a model only if such a model has a state; a person means the models that match.
    """

    def checked(state: ModelState) -> ModelState:
        if is_pattern(model_id) and state == ModelState():
            raise _is_no_model(emitter, model_id)
        return step(state)

    snapshot = snapshots.change(emitter, model_id, checked)
    # A repeat is sent again, because the event of the first request may be lost.
    if snapshot.before is not None or steering.needs_receiver(snapshot.state):
        emitter.bus.request_sweep(model_id)
    return snapshot.state


def _is_no_model(emitter: EmitterParts, pattern: str) -> UnknownModelError:
    found = matching(emitter, pattern, _MOST_NAMED + 1)
    listed = ", ".join(brief(name, MAX_MODEL_ID) for name in found[:_MOST_NAMED])
    more = " and others" if len(found) > _MOST_NAMED else ""
    matches = f"it matches {listed}{more}" if found else "no model that matches it has been seen"
    wanted = brief(pattern, MAX_MODEL_ID)
    return UnknownModelError(
        f"model_id: {wanted} is a pattern, not a model; {matches}; send one request for each model, with its name"
    )


def _named(emitter: EmitterParts, model_id: str, fields: Fields) -> str:
    emitter.config.find(model_id)
    trigger_id = fields.get("trigger_id")
    # No ledger and no bus accepts a lone surrogate, so no trigger has one in its id.
    if not isinstance(trigger_id, str) or not is_unicode(trigger_id):
        raise InvalidTriggerError("trigger_id", f"must name a trigger, not {brief(trigger_id)}")
    return trigger_id


def _check(emitter: EmitterParts, model_id: str, fields: Fields, known: tuple[str, ...]) -> None:
    emitter.config.find(model_id)
    for name in fields:
        if name not in known:
            valid = f"valid fields: {', '.join(known)}" if known else "it has none"
            raise InvalidTriggerError(name, f"is not a field of this request; {valid}")


def _until(given: object, now: datetime) -> datetime | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise InvalidTriggerError("until", f"must be a string, not {brief(given)}")
    try:
        until = parse_rfc3339(given)
    except ValueError as error:
        raise InvalidTriggerError("until", str(error)) from error
    if until <= now:
        raise InvalidTriggerError("until", f"must be in the future, not {brief(given)}")
    return until


def _history(state: ModelState, trigger_id: str) -> list[Decided]:
    return [line for line in state.decisions if line.trigger_id == trigger_id]


def _became(state: ModelState, trigger_id: str) -> str:
    """Return what was last decided about the trigger, as the end of a sentence; empty if nothing is known."""
    history = _history(state, trigger_id)
    return f": {history[0].detail or history[0].reason}" if history else ""


def _was_released(state: ModelState, trigger_id: str) -> bool:
    return any(
        (line.decision, line.reason) == ("steer", "approved")
        # The version before recorded only the launch.
        or (line.decision in ("launch", "queue") and line.detail.startswith(transitions.APPROVED))
        for line in _history(state, trigger_id)
    )


def _was_dropped(state: ModelState, trigger_id: str) -> bool:
    return any(line.reason == "not_approved" for line in _history(state, trigger_id))


def _not_waiting(state: ModelState, trigger_id: str) -> ConflictError:
    became = _became(state, trigger_id)
    if not became:
        return ConflictError(f"trigger_id: {brief(trigger_id)} does not wait for an approval")
    return ConflictError(f"trigger_id: {brief(trigger_id)} no longer waits for an approval{became}")


def _released(state: ModelState, trigger_id: str) -> ConflictError | None:
    line = next(
        (one for one in _history(state, trigger_id) if one.decision == "steer" and one.reason == "approved"), None
    )
    if line is None:
        return None
    return ConflictError(f"trigger_id: {brief(trigger_id)} was already approved by {brief(line.requested_by)}")
