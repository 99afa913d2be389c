"""A transition of the state of a model, with all its effects.

Apply a step, advance waiting triggers, request approvals, save; then start the claimed training, if any, and always
announce and follow up. Every change that may start a training is made here.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from shared.decision import transitions
from shared.decision.state import ModelState, Training
from shared.decision.terms import rules_of
from shared.errors import LaunchInProgressError, TargetRefusedError
from shared.frozen import dataclass
from shared.ledger import snapshots
from shared.ledger.snapshots import Snapshot
from shared.ports import Run
from shared.training.dead_letters import give_up_trigger
from shared.training.follow_up import follow_up, request_approval
from shared.training.notices import announce
from shared.training.parts import ReceiverParts
from shared.training.start import start, terms_of
from shared.training.stop import stop_if_cancelled, stop_stray

Step = Callable[[ModelState, datetime, str], ModelState]
"""Returns the next state, given a state, the time and the holder of new claims. It may be called several times; applied
to its own result it changes nothing, because a save may have succeeded although the response was lost."""

NO_EVENTS: Final[Mapping[str, object]] = MappingProxyType({})

log = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The result of a transition.

    Attributes:
        snapshot: the state as the transition saved it; starts that followed have changed it since.
        refusals: trigger id -> the refusal of the training service, which is recorded; the event is a dead letter.

    """

    snapshot: Snapshot
    refusals: Mapping[str, TargetRefusedError]


def transition(
    receiver: ReceiverParts,
    model_id: str,
    step: Step,
    snapshot: Snapshot | None = None,
    *,
    events: Mapping[str, object] = NO_EVENTS,
) -> Transition:
    """Change the state of *model_id* by *step* and carry out the effects of the change.

    Args:
        receiver: the parts.
        model_id: the model.
        step: the change. If it raises an error, nothing is saved.
        snapshot: the state, if the caller has just loaded it.
        events: trigger id -> its event, which becomes a dead letter if the service refuses to train. For other triggers
            the trigger itself is used.

    Raises:
        ContentionError: other writers were faster every time.
        UnavailableError: a required service is unavailable; the saved change is announced and followed up.

    """
    holder, rules = receiver.new_id(), rules_of(receiver.config, receiver.cloud, model_id)

    def whole(state: ModelState) -> ModelState:
        now = receiver.clock()
        advanced = transitions.advanced(step(state, now, holder), rules, now=now, holder=holder)
        return request_approval(receiver, state, advanced, now=now, holder=holder)

    saved = snapshots.change(receiver, model_id, whole, snapshot)
    try:
        claim = claim_of(holder, saved)
        refusals = {} if claim is None else launch(receiver, model_id, saved, claim, again=False, events=events)
    finally:
        announce(receiver, saved)
        follow_up(receiver, model_id, saved, holder)
    return Transition(snapshot=saved, refusals=refusals)


def claim_of(holder: str, snapshot: Snapshot) -> Training | None:
    """Return the claim of *holder* in *snapshot* if it is not started yet."""
    training = snapshot.state.training
    return training if training is not None and training.run_id is None and training.holder == holder else None


def launch(
    receiver: ReceiverParts,
    model_id: str,
    snapshot: Snapshot,
    claim: Training,
    *,
    again: bool,
    events: Mapping[str, object] = NO_EVENTS,
) -> dict[str, TargetRefusedError]:
    """Start the training that is claimed in *snapshot*, and record the start or the refusal.

    Args:
        receiver: the parts.
        model_id: the model.
        snapshot: the state as last saved.
        claim: the claim, made by the caller or by a process that has ended.
        again: whether another process may have started it before.
        events: as in `transition`.

    Returns:
        The refusals by trigger id; each is recorded, and its event is a dead letter.

    Raises:
        UnavailableError: it may or may not run; the claim stays for a redelivery, the next trigger or the sweep.

    """
    trigger_id, token = claim.trigger.trigger_id, claim.trigger.token
    outcome = start(receiver, model_id, claim, again=again)
    if isinstance(outcome, TargetRefusedError):
        snapshot = snapshots.load(receiver.ledger, model_id)
        if not transitions.is_unconfirmed(snapshot.state, token):
            # Another process that requested the same start has recorded its answer.
            is_started = any(run.trigger_id == trigger_id for run in snapshot.state.runs)
            return {} if is_started else {trigger_id: outcome}
        # First the letter, then the record: a crash between them repeats the letter instead of losing it.
        give_up_trigger(receiver, str(outcome), claim.trigger, events.get(trigger_id))
    else:
        fields = {"model_id": model_id, "run_id": outcome.run_id, "token": token}
        log.info("retrain.started", extra=fields | claim.trigger.trace_field)
    now = receiver.clock()

    def settled(state: ModelState, _now: datetime, holder: str) -> ModelState:
        if isinstance(outcome, Run):
            state = transitions.restored(state, claim, outcome, now=now)
            return transitions.confirmed(state, token, outcome, now=now)
        return transitions.refused(state, token, str(outcome), now=now, holder=holder)

    following = transition(receiver, model_id, settled, snapshot)
    stop_if_cancelled(receiver, model_id, following.snapshot)
    if isinstance(outcome, Run) and transitions.is_stray(following.snapshot.state, outcome):
        stop_stray(receiver, model_id, claim, outcome.run_id)
    own = {trigger_id: outcome} if isinstance(outcome, TargetRefusedError) else {}
    return {**following.refusals, **own}


def finish(
    receiver: ReceiverParts, model_id: str, snapshot: Snapshot, *, events: Mapping[str, object] = NO_EVENTS
) -> dict[str, TargetRefusedError]:
    """Finish a claimed launch that the claiming process may not have finished.

    An abandoned claim is taken over first. A fresh one is started again immediately if the target honours tokens.
    Arguments and result are those of `launch`.

    Raises:
        LaunchInProgressError: the claim is fresh, and the target does not honour tokens.
        UnavailableError: the training may or may not run.

    """
    now, claim = receiver.clock(), snapshot.state.training
    if claim is None or claim.run_id is not None:
        return {}
    if transitions.is_abandoned(claim, now):
        holder, token = receiver.new_id(), claim.trigger.token
        snapshot = snapshots.change(
            receiver, model_id, lambda state: transitions.reclaimed(state, token, now=now, holder=holder), snapshot
        )
        claim = claim_of(holder, snapshot)
        if claim is None:
            return {}
    elif not terms_of(receiver, model_id, claim).target.honours_tokens:
        raise LaunchInProgressError(f"trigger {claim.trigger.trigger_id!r} is being handed over; try again")
    return launch(receiver, model_id, snapshot, claim, again=True, events=events)
