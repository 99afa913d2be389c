"""The emitter: checks requests and publishes triggers on the event bus."""

import hashlib
import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.decision.policy import Verdict, decide
from shared.errors import BusError, InvalidTriggerError
from shared.fields import format_time
from shared.http.parts import EmitterParts
from shared.ledger.index import OWN
from shared.ledger.snapshots import load
from shared.training.admission import admit
from shared.trigger import FIELDS, RetrainTrigger, derived_id

# The platform provides the caller and the time; a request cannot set them.
REQUEST_FIELDS = tuple(name for name in FIELDS if name not in ("requested_by", "requested_at"))

# So many triggers are published for sure before a function is stopped.
PART: Final = 1000
# The key of the note about the last trigger of an interrupted tick.
_PUBLISHED: Final = f"{OWN}published"

log = logging.getLogger("retrain")


def read_request(
    emitter: EmitterParts, fields: Mapping[str, object], *, caller: str | None = None, trigger_id: str = ""
) -> RetrainTrigger:
    """Return the trigger of a request, checked.

    Args:
        emitter: the parts.
        fields: the fields of the request; an unknown one is an error, because it may be misspelt.
        caller: the caller as authenticated by the platform; None if it is not known.
        trigger_id: the id to use if *fields* have none; if this is empty too, a random one.

    Raises:
        InvalidTriggerError: a field is missing, invalid or unknown.
        UnknownModelError: the model is not configured, or does not train on this cloud.

    """
    for name in fields:
        if name not in REQUEST_FIELDS:
            raise InvalidTriggerError(name, f"is not a field of a request; valid fields: {', '.join(REQUEST_FIELDS)}")
    named = fields if fields.get("model_id") is not None else {**fields, "model_id": emitter.config.default_model}
    trigger = RetrainTrigger.parse(
        {**named, "requested_by": caller},
        trigger_id=trigger_id or emitter.new_id(),
        origin="manual",
        requested_at=emitter.clock(),
    )
    return admit(emitter.config, emitter.cloud, trigger, emitter.check)


def publish(emitter: EmitterParts, triggers: list[RetrainTrigger]) -> None:
    """Publish *triggers*; when this returns, the bus has accepted all of them.

    Raises:
        BusError: the bus refuses some of them.
        UnavailableError: the bus is unavailable.

    """
    emitter.bus.publish(triggers)
    for trigger in triggers:
        fields = {"model_id": trigger.model_id, "trigger_id": trigger.trigger_id, "origin": trigger.origin}
        log.info("retrain.emitted", extra=fields | trigger.trace_field)


def publish_in_parts(emitter: EmitterParts, triggers: list[RetrainTrigger]) -> None:
    """Publish *triggers*, of which there may be more than a function has time for.

    If the function is stopped, a repeat that begins with the same triggers goes on where it stopped: the ledger
    remembers which ones the bus has accepted. Up to a thousand triggers are published by one call, without such a note.

    Raises:
        BusError: the bus refuses some of them; all others are published.
        UnavailableError: the bus or the ledger is unavailable.

    """
    if len(triggers) <= PART:
        publish(emitter, triggers)
        return
    stored, notes = emitter.ledger.load(_PUBLISHED), _notes(triggers)
    done = notes.index(stored.document) + 1 if stored.document in notes else 0
    failures: dict[str, str] = {}
    for start in range(done, len(triggers), PART):
        part = triggers[start : start + PART]
        try:
            publish(emitter, part)
        except BusError as error:
            failures |= error.failures
        if not failures:
            # If another emitter was faster, both publish some triggers twice, which is harmless.
            stored = emitter.ledger.save(_PUBLISHED, notes[start + len(part) - 1], stored.version) or stored
    if failures:
        raise BusError("The event bus", failures)


def _notes(triggers: list[RetrainTrigger]) -> list[str]:
    """Return the note after each of *triggers*; it also covers those before: a later repeat may have others there."""
    digest, notes = hashlib.sha256(), []
    for trigger in triggers:
        digest.update(json.dumps([trigger.model_id, trigger.trigger_id]).encode())
        notes.append(json.dumps({"last": trigger.trigger_id, "digest": digest.hexdigest()}))
    return notes


def emit_request(emitter: EmitterParts, fields: Mapping[str, object], *, trigger_id: str = "") -> list[RetrainTrigger]:
    """Read a request and publish its trigger, which is returned; see `read_request` and `publish`."""
    trigger = read_request(emitter, fields, trigger_id=trigger_id)
    publish(emitter, [trigger])
    return [trigger]


def emit_scheduled(emitter: EmitterParts, at: datetime | None) -> list[RetrainTrigger]:
    """Publish a trigger for every scheduled model, once per scheduled time, and return the triggers.

    Args:
        emitter: the parts.
        at: the scheduled time; None if the platform does not provide it: then the current minute counts.

    Raises:
        BusError: the bus refuses some of them.
        UnavailableError: the bus is unavailable.

    """
    moment = at or emitter.clock().replace(second=0, microsecond=0)
    triggers = [scheduled_trigger(emitter, model_id, moment) for model_id in emitter.config.scheduled(emitter.cloud)]
    publish_in_parts(emitter, triggers)
    return triggers


def scheduled_trigger(emitter: EmitterParts, model_id: str, at: datetime) -> RetrainTrigger:
    """Return the trigger of *model_id* for its scheduled time *at*; the same time makes the same id."""
    moment = format_time(at)
    return RetrainTrigger.parse(
        {"model_id": model_id, "reason": f"scheduled for {moment}"},
        trigger_id=derived_id("schedule", model_id, moment),
        origin="schedule",
        requested_at=emitter.clock(),
    )


def accepted_triggers(triggers: list[RetrainTrigger]) -> dict[str, object]:
    """Return the JSON response to a direct invocation or a tick."""
    return {"accepted": [{"model_id": t.model_id, "trigger_id": t.trigger_id} for t in triggers]}


def rehearse(emitter: EmitterParts, trigger: RetrainTrigger) -> Verdict:
    """Return the verdict that *trigger* would get now; nothing is published or stored.

    A kept trigger that nothing holds back any more would start first, and so it does here. An end that the training
    service has not reported does not count.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    # Imported here, as only few requests are rehearsals.
    from shared.decision.terms import rules_of
    from shared.decision.transitions import advanced, can_advance

    state, now = load(emitter.ledger, trigger.model_id).state, emitter.clock()
    rules = rules_of(emitter.config, emitter.cloud, trigger.model_id)
    while not state.has_seen(trigger.trigger_id) and can_advance(state, rules, now):
        state = advanced(state, rules, now=now, holder="rehearsal")
    return decide(state, trigger, emitter.config.find(trigger.model_id).policy, now)
