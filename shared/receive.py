"""Event in, at most one training out."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.admission import triggers_of
from shared.decision import transitions
from shared.decision.policy import Verdict, decide
from shared.decision.state import Decided, ModelState
from shared.decision.terms import Rules, rules_of
from shared.errors import PermanentError, RetrainError, TargetRefusedError
from shared.frozen import dataclass
from shared.ledger import snapshots
from shared.ledger.snapshots import Snapshot
from shared.parts import ReceiverParts
from shared.training.dead_letters import give_up
from shared.training.end import advance, catch_up, run_ended
from shared.training.follow_up import resume_follow_ups
from shared.training.notices import announce_rejection
from shared.training.transition import finish, transition
from shared.trigger import MAX_TRIGGER_ID, RetrainTrigger
from shared.wire.incoming import Foreign, Incoming, RunEnded, Signal, TriggerEvent

Decode = Callable[[object], Incoming]
"""Reads a native event; raises `PermanentError` for one that is unreadable, or ours but wrong."""


_WEIGHTS: Final = ("launch", "queue", "wait", "reject", "skip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an event.

    Attributes:
        decision: `launch`, `queue`, `wait`, `skip`, `reject` or `ignore`; `ended` for news of a training.
        reason: the reason code.
        detail: the same for people.
        model_id: whose event it was, where that is known.
        trigger_id: which trigger, where there is one.

    """

    decision: str
    reason: str
    detail: str = ""
    model_id: str = ""
    trigger_id: str = ""


def receive(receiver: ReceiverParts, event: object, decode: Decode) -> Outcome:
    """Act on one event; when this returns, the event may be acknowledged.

    Args:
        receiver: the parts.
        event: the event as the platform delivered it.
        decode: the codec of its bus.

    Raises:
        PermanentError: the event is rejected, and there are no dead letters on our side to put it to.
        TransientError: the event must not be acknowledged, so that it is delivered again.

    """
    incoming: Incoming | None = None
    try:
        incoming = decode(event)
        triggers = triggers_of(receiver.config, receiver.cloud, incoming, receiver.clock())
    except PermanentError as error:
        give_up(receiver, str(error), event)
        outcome = _reject(receiver, error, incoming)
        if receiver.dead_letters is None:
            raise
        return outcome
    if triggers:
        return _handle_each(receiver, triggers, event)
    if isinstance(incoming, RunEnded):
        return Outcome(decision="ended", reason=incoming.result, model_id=run_ended(receiver, incoming) or "")
    what = incoming.what if isinstance(incoming, Foreign | Signal) else ""
    return _outcome(receiver, "", "", Verdict(decision="ignore", reason="ignored", detail=what))


def _handle_each(receiver: ReceiverParts, triggers: list[RetrainTrigger], event: object) -> Outcome:
    """Handle every trigger of an event; it is delivered again if one of them must be, the others are repeats then."""
    outcomes: list[Outcome] = []
    failures: list[RetrainError] = []
    for trigger in triggers:
        try:
            outcomes.append(handle(receiver, trigger, event))
        except RetrainError as error:
            failures.append(error)
    if failures:
        raise next((error for error in failures if error.retryable), failures[0])
    if len(outcomes) == 1:
        return outcomes[0]
    # The weightiest one, and what became of each.
    detail = "; ".join(f"{outcome.model_id}: {outcome.reason}" for outcome in outcomes)
    return dataclasses.replace(min(outcomes, key=lambda outcome: _WEIGHTS.index(outcome.decision)), detail=detail)


class _LeftUndoneError(Exception):
    """The state has something that must be finished before a new trigger is decided."""


def handle(receiver: ReceiverParts, trigger: RetrainTrigger, event: object) -> Outcome:
    """Decide on *trigger* and act on the decision.

    Args:
        receiver: the parts.
        trigger: an admitted trigger.
        event: what becomes a dead letter if the service refuses to train.

    Raises:
        TargetRefusedError: the service refuses, and there are no dead letters on our side.
        TransientError: deliver it again.

    """
    model_id = trigger.model_id
    for _ in range(snapshots.ATTEMPTS):
        snapshot = snapshots.load(receiver.ledger, model_id)
        try:
            if snapshot.state.has_seen(trigger.trigger_id):
                outcome = _repeat(receiver, trigger, snapshot, event)
            elif catch_up(receiver, model_id, snapshot):
                continue
            else:
                outcome = _decide(receiver, trigger, snapshot, event)
        except _LeftUndoneError:
            continue
        resume_follow_ups(receiver, model_id, snapshot.state)
        return outcome
    raise snapshots.contention(model_id)


def _decide(receiver: ReceiverParts, trigger: RetrainTrigger, snapshot: Snapshot, event: object) -> Outcome:
    """Decide on a new trigger.

    Raises:
        _LeftUndoneError: another writer was faster, and its state must be looked at first.

    """
    model = receiver.config.find(trigger.model_id)
    rules = Rules(model=model, target=model.target(receiver.cloud))
    verdicts: list[Verdict] = []

    def step(state: ModelState, now: datetime, holder: str) -> ModelState:
        if state.training is not None and state.training.holder == holder:
            return state  # Our own claim: it was saved although the ledger's answer was lost.
        if state != snapshot.state:
            raise _LeftUndoneError
        verdicts.append(decide(state, trigger, rules.policy, now))
        return transitions.decided(state, trigger, verdicts[-1], rules, now=now, holder=holder)

    done = transition(receiver, trigger.model_id, step, snapshot, events={trigger.trigger_id: event})
    refusal = done.refusals.get(trigger.trigger_id)
    return _about(trigger, verdicts[-1]) if refusal is None else _refused(receiver, trigger, refusal)


def _repeat(receiver: ReceiverParts, trigger: RetrainTrigger, snapshot: Snapshot, event: object) -> Outcome:
    """Finish the launch of a trigger that was decided before, if it is still under way."""
    rules = rules_of(receiver.config, receiver.cloud, trigger.model_id)
    if transitions.can_advance(snapshot.state, rules, receiver.clock()):
        advance(receiver, trigger.model_id, snapshot)
        snapshot = snapshots.load(receiver.ledger, trigger.model_id)
    training = snapshot.state.training
    if training is None or training.run_id is not None or training.trigger.trigger_id != trigger.trigger_id:
        verdict = Verdict(decision="skip", reason="duplicate", detail="this trigger was decided before")
        return _outcome(receiver, trigger.model_id, trigger.trigger_id, verdict)
    refusals = finish(receiver, trigger.model_id, snapshot, events={trigger.trigger_id: event})
    if refusal := refusals.get(trigger.trigger_id):
        return _refused(receiver, trigger, refusal)
    return _about(trigger, Verdict(decision="launch", reason="launched", detail="finished a launch that was under way"))


def _refused(receiver: ReceiverParts, trigger: RetrainTrigger, refusal: TargetRefusedError) -> Outcome:
    if receiver.dead_letters is None:
        raise refusal
    return _about(trigger, Verdict(decision="reject", reason="rejected", detail=str(refusal)))


def _reject(receiver: ReceiverParts, error: PermanentError, incoming: Incoming | None) -> Outcome:
    """List a rejected event under its model, if it has one that is configured."""
    fields = incoming.fields if isinstance(incoming, TriggerEvent) else {}
    model_id = fields.get("model_id") or receiver.config.default_model
    given = fields.get("trigger_id")
    trigger_id = given if isinstance(given, str) and given else getattr(incoming, "trigger_id", "")
    verdict = Verdict(decision="reject", reason="rejected", detail=str(error))
    if not isinstance(model_id, str) or not receiver.config.knows(model_id):
        announce_rejection(receiver, None, "", trigger_id, str(error))
        return _outcome(receiver, "", trigger_id, verdict)
    now = receiver.clock()
    snapshot = snapshots.change(
        receiver, model_id, lambda state: transitions.rejected(state, trigger_id[:MAX_TRIGGER_ID], str(error), now=now)
    )
    announce_rejection(receiver, snapshot, model_id, trigger_id, str(error))
    return _outcome(receiver, model_id, trigger_id, verdict)


def _outcome(receiver: ReceiverParts, model_id: str, trigger_id: str, verdict: Verdict) -> Outcome:
    """Tell a decision that is not part of a model's history, and return it."""
    line = Decided(at=receiver.clock(), trigger_id=trigger_id, **dataclasses.asdict(verdict))
    snapshots.tell(receiver, model_id, line)
    return Outcome(model_id=model_id, trigger_id=trigger_id, **dataclasses.asdict(verdict))


def _about(trigger: RetrainTrigger, verdict: Verdict) -> Outcome:
    return Outcome(model_id=trigger.model_id, trigger_id=trigger.trigger_id, **dataclasses.asdict(verdict))
