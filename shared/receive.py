"""Event in, at most one training out."""

import dataclasses
from collections.abc import Callable
from typing import Final

from shared.admission import triggers_of
from shared.decision import transitions
from shared.decision.policy import Verdict, decide
from shared.decision.state import Decided
from shared.errors import PermanentError, RetrainError, TargetRefusedError
from shared.frozen import dataclass
from shared.ledger import snapshots
from shared.parts import ReceiverParts
from shared.training.dead_letters import give_up
from shared.training.end import advance, run_ended, tend
from shared.training.follow_up import asking, follow, resume
from shared.training.notices import announce_rejection
from shared.training.start import finish, launch
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


def handle(receiver: ReceiverParts, trigger: RetrainTrigger, event: object) -> Outcome:
    """Decide on *trigger* and act on the decision.

    Args:
        receiver: the parts.
        trigger: an admitted trigger.
        event: what to put to the dead letters if the service refuses to train.

    Raises:
        TargetRefusedError: the service refuses, and there are no dead letters on our side.
        TransientError: deliver it again.

    """
    holder, model_id = receiver.new_id(), trigger.model_id
    policy = receiver.config.find(model_id).policy
    for _ in range(snapshots.ATTEMPTS):
        snapshot = snapshots.load(receiver.ledger, model_id)
        if snapshot.state.has_seen(trigger.trigger_id):
            outcome = _repeat(receiver, trigger, snapshot, holder, event)
        elif tend(receiver, model_id, snapshot):
            continue
        else:
            now = receiver.clock()
            verdict = decide(snapshot.state, trigger, policy, now)
            state = transitions.decided(snapshot.state, trigger, verdict, policy, now=now, holder=holder)
            state = asking(receiver, snapshot.state, state, now=now, holder=holder)
            saved = snapshots.save(receiver, model_id, snapshot, state)
            if saved is None:
                continue
            outcome = _carry_out(receiver, trigger, verdict, saved, holder, event)
        resume(receiver, model_id, snapshot.state)
        return outcome
    raise snapshots.contention(model_id)


def _carry_out(
    receiver: ReceiverParts,
    trigger: RetrainTrigger,
    verdict: Verdict,
    snapshot: snapshots.Snapshot,
    holder: str,
    event: object,
) -> Outcome:
    if verdict.decision == "launch":
        refusal = launch(receiver, trigger.model_id, snapshot, again=False, event=event)
        if refusal is not None:
            return _refused(receiver, trigger, refusal)
    elif verdict.decision == "wait":
        follow(receiver, trigger.model_id, snapshot, holder)
    return _about(trigger, verdict)


def _repeat(
    receiver: ReceiverParts, trigger: RetrainTrigger, snapshot: snapshots.Snapshot, holder: str, event: object
) -> Outcome:
    if transitions.can_advance(snapshot.state):
        advance(receiver, trigger.model_id, snapshot)
        snapshot = snapshots.load(receiver.ledger, trigger.model_id)
    training = snapshot.state.training
    if training is None or training.run_id is not None or training.trigger.trigger_id != trigger.trigger_id:
        verdict = Verdict(decision="skip", reason="duplicate", detail="this trigger was decided before")
        return _outcome(receiver, trigger.model_id, trigger.trigger_id, verdict)
    if training.holder == holder:
        # Our own claim: it was saved although the ledger's answer got lost.
        refusal = launch(receiver, trigger.model_id, snapshot, again=False, event=event)
    else:
        refusal = finish(receiver, trigger.model_id, snapshot, event=event)
    if refusal is not None:
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
