"""Request in, trigger on the bus."""

import logging
from collections.abc import Mapping
from datetime import datetime

from shared.admission import admit
from shared.decision.policy import Verdict, decide
from shared.errors import InvalidTriggerError
from shared.fields import format_time
from shared.ledger.snapshots import load
from shared.parts import EmitterParts
from shared.trigger import FIELDS, RetrainTrigger, derived_id

# Who asks and when is told by the platform, not by the request.
REQUEST_FIELDS = tuple(name for name in FIELDS if name not in ("requested_by", "requested_at"))

log = logging.getLogger("retrain")


def read_request(
    emitter: EmitterParts, fields: Mapping[str, object], *, caller: str | None = None, trigger_id: str = ""
) -> RetrainTrigger:
    """Make a trigger of a request and check it.

    Args:
        emitter: the parts.
        fields: what was asked for; a name that is no field of a request is an error, as it may be a misspelt one.
        caller: who asks, where the platform tells.
        trigger_id: the id to use if *fields* have none; if this is empty too, a random one.

    Raises:
        InvalidTriggerError: a field is missing or wrong.
        UnknownModelError: the model is not configured, or does not train here.

    """
    for name in fields:
        if name not in REQUEST_FIELDS:
            raise InvalidTriggerError(name, f"is no field of a request; it has {', '.join(REQUEST_FIELDS)}")
    named = fields if fields.get("model_id") is not None else {**fields, "model_id": emitter.config.default_model}
    trigger = RetrainTrigger.parse(
        {**named, "requested_by": caller},
        trigger_id=trigger_id or emitter.new_id(),
        origin="manual",
        requested_at=emitter.clock(),
    )
    return admit(emitter.config, emitter.cloud, trigger, emitter.check)


def publish(emitter: EmitterParts, triggers: list[RetrainTrigger]) -> None:
    """Hand *triggers* to the bus; when this returns it has all of them.

    Raises:
        BusError: the bus refuses some.
        UnavailableError: the bus is unavailable.

    """
    emitter.bus.publish(triggers)
    for trigger in triggers:
        told = {"model_id": trigger.model_id, "trigger_id": trigger.trigger_id, "origin": trigger.origin}
        log.info("retrain.emitted", extra=told)


def ask(emitter: EmitterParts, fields: Mapping[str, object], *, trigger_id: str = "") -> list[RetrainTrigger]:
    """Send the trigger that *fields* ask for, and return it; arguments and errors are those of the two steps."""
    trigger = read_request(emitter, fields, trigger_id=trigger_id)
    publish(emitter, [trigger])
    return [trigger]


def tick(emitter: EmitterParts, at: datetime | None) -> list[RetrainTrigger]:
    """Ask for every scheduled model, once for each scheduled time, and return the triggers.

    Args:
        emitter: the parts.
        at: the tick's scheduled time; where the platform tells none, now, to the minute.

    Raises:
        BusError: the bus refuses some.
        UnavailableError: the bus is unavailable.

    """
    now = emitter.clock()
    moment = format_time(at or now.replace(second=0, microsecond=0))
    triggers = [
        RetrainTrigger.parse(
            {"model_id": model_id, "reason": f"scheduled for {moment}"},
            trigger_id=derived_id("schedule", model_id, moment),
            origin="schedule",
            requested_at=now,
        )
        for model_id in emitter.config.scheduled(emitter.cloud)
    ]
    publish(emitter, triggers)
    return triggers


def accepted(triggers: list[RetrainTrigger]) -> dict[str, object]:
    """Return what `emit` answers a direct invocation or a tick with."""
    return {"accepted": [{"model_id": t.model_id, "trigger_id": t.trigger_id} for t in triggers]}


def rehearse(emitter: EmitterParts, trigger: RetrainTrigger) -> Verdict:
    """Tell what would happen to *trigger* now; nothing is sent or stored.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    state = load(emitter.ledger, trigger.model_id).state
    return decide(state, trigger, emitter.config.find(trigger.model_id).policy, emitter.clock())
