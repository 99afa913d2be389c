"""The receiver: handles events, each of which starts at most one training of a model."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from shared.decision import transitions
from shared.decision.record import readable
from shared.decision.state import Decided
from shared.errors import PermanentError, RetrainError
from shared.ledger import snapshots
from shared.training.admission import triggers_of
from shared.training.arrivals import Arrival, Outcome, decide_arrivals, report
from shared.training.dead_letters import give_up
from shared.training.end import run_ended
from shared.training.notices import announce_rejection
from shared.training.parts import ReceiverParts
from shared.trigger import MAX_TRIGGER_ID
from shared.wire.incoming import Foreign, Incoming, RunEnded, Signal, SweepRequest, TriggerEvent

Decode = Callable[[object], Incoming]
"""Decodes a native event; raises `PermanentError` if it is unreadable, or an invalid trigger event."""

# Not a decision on a trigger, so it has no row in docs/decisions.md.
SWEPT: Final = "swept"

# An event for several models is reported with the first of these decisions that one of them got.
_WEIGHTS: Final = ("launch", "queue", "wait", "reject", "skip")


def receive(receiver: ReceiverParts, event: object, decode: Decode) -> Outcome:
    """Handle one event; when this returns, the event may be acknowledged.

    Args:
        receiver: the parts.
        event: the event as the platform delivered it.
        decode: the codec of its bus.

    Raises:
        PermanentError: the event is rejected, and the platform must dead-letter it.
        TransientError: the event must not be acknowledged, so that it is delivered again.

    """
    (result,) = receive_batch(receiver, [event], decode)
    if isinstance(result, RetrainError):
        raise result
    return result


def receive_batch(receiver: ReceiverParts, events: Sequence[object], decode: Decode) -> list[Outcome | RetrainError]:
    """Handle events that arrived together; the triggers of one model share one load and one save of its state.

    Returns:
        The outcome of each event, or its error, as `receive` returns and raises them.

    """
    results: dict[int, Outcome | RetrainError] = {}
    arrivals: dict[str, list[tuple[int, Arrival]]] = {}
    for place, event in enumerate(events):
        try:
            admitted = _admit(receiver, event, decode)
        except RetrainError as error:
            results[place] = error
            continue
        if isinstance(admitted, Outcome):
            results[place] = admitted
            continue
        for arrival in admitted:
            arrivals.setdefault(arrival.trigger.model_id, []).append((place, arrival))
    decided: dict[int, list[Outcome | RetrainError]] = {}
    for group in arrivals.values():
        outcomes = decide_arrivals(receiver, [arrival for _, arrival in group])
        for (place, _), outcome in zip(group, outcomes, strict=True):
            decided.setdefault(place, []).append(outcome)
    results |= {place: _combined(outcomes) for place, outcomes in decided.items()}
    return [results[place] for place in range(len(events))]


def _admit(receiver: ReceiverParts, event: object, decode: Decode) -> Outcome | list[Arrival]:
    """Return the triggers of *event*, or its outcome if it has none."""
    incoming: Incoming | None = None
    try:
        incoming = decode(event)
        triggers = triggers_of(receiver.config, receiver.cloud, incoming, receiver.clock(), receiver.check)
    except PermanentError as error:
        give_up(receiver, str(error), event)
        outcome = _reject(receiver, error, incoming)
        if receiver.dead_letters is None:
            raise
        return outcome
    if triggers:
        return [Arrival(trigger=trigger, event=event) for trigger in triggers]
    if isinstance(incoming, SweepRequest):
        return _swept(receiver, incoming.model_id)
    if isinstance(incoming, RunEnded):
        return Outcome(decision="ended", reason=incoming.result, model_id=run_ended(receiver, incoming) or "")
    what = incoming.what if isinstance(incoming, Foreign | Signal) else ""
    now = receiver.clock()
    return report(receiver, "", Decided(at=now, trigger_id="", decision="ignore", reason="ignored", detail=what))


def _swept(receiver: ReceiverParts, model_id: str | None) -> Outcome:
    # Not at the top: it would cost each cold start that launches.
    from shared.training.sweep import sweep, sweep_model

    if model_id is None:
        return Outcome(decision=SWEPT, reason=SWEPT, detail=f"{len(sweep(receiver))} models")
    sweep_model(receiver, model_id)
    return Outcome(decision=SWEPT, reason=SWEPT, model_id=model_id)


def _combined(outcomes: list[Outcome | RetrainError]) -> Outcome | RetrainError:
    """Return the result of an event from those of its triggers; one retryable error makes the event retryable."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, RetrainError)]
    if failures:
        return next((error for error in failures if error.retryable), failures[0])
    known = [outcome for outcome in outcomes if isinstance(outcome, Outcome)]
    if len(known) == 1:
        return known[0]
    detail = "; ".join(f"{outcome.model_id}: {outcome.reason}" for outcome in known)
    return dataclasses.replace(min(known, key=lambda outcome: _WEIGHTS.index(outcome.decision)), detail=detail)


def _reject(receiver: ReceiverParts, error: PermanentError, incoming: Incoming | None) -> Outcome:
    """Record a rejected event at its model, if that is configured."""
    fields = incoming.fields if isinstance(incoming, TriggerEvent) else {}
    model_id = fields.get("model_id") or receiver.config.default_model
    given = fields.get("trigger_id")
    trigger_id = given if isinstance(given, str) and given else getattr(incoming, "trigger_id", "")
    now, detail, known = receiver.clock(), str(error), readable(fields)
    line = Decided(at=now, trigger_id=trigger_id, decision="reject", reason="rejected", detail=detail, **known)
    if not isinstance(model_id, str) or not receiver.config.knows(model_id):
        announce_rejection(receiver, None, "", trigger_id, detail)
        return report(receiver, "", line)
    short = trigger_id[:MAX_TRIGGER_ID]
    snapshot = snapshots.change(
        receiver, model_id, lambda state: transitions.rejected(state, short, detail, now=now, fields=fields)
    )
    announce_rejection(receiver, snapshot, model_id, trigger_id, detail)
    return report(receiver, model_id, line)
