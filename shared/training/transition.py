"""One transition of a model's state, and everything that belongs to it.

Apply a step, let go on what may, request approvals, save; then start what got claimed and, in every case, announce and
follow up. Every change that may start a training is made here.
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
from shared.parts import ReceiverParts
from shared.ports import Run
from shared.training.dead_letters import give_up
from shared.training.follow_up import follow_up, request_approval
from shared.training.notices import announce
from shared.training.start import start, terms_of

Step = Callable[[ModelState, datetime, str], ModelState]
"""Returns the next state of a state. It gets the time and the holder of the claims that it makes, may be called several
times, and changes nothing the second time, as a save may have happened although its answer was lost."""

NO_EVENTS: Final[Mapping[str, object]] = MappingProxyType({})

log = logging.getLogger("retrain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The result of a transition.

    Attributes:
        snapshot: the model's state as the transition saved it; starts that followed have changed it since.
        refusals: trigger id -> why the training service refused it. It is recorded, and the event is a dead letter.

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
    """Change the state of *model_id* by *step* and do everything that follows from the change.

    Args:
        receiver: the parts.
        model_id: the model.
        step: what changes. An error that it raises ends the transition before anything is saved.
        snapshot: the state as it was loaded last, where the caller has just done so.
        events: trigger id -> the event that brought it: what becomes a dead letter if the service refuses to train. For
            any other trigger it is the trigger itself.

    Raises:
        ContentionError: other writers were faster every time.
        UnavailableError: a service must answer first, and does not. What was saved is announced and followed up.

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
    """Return the claim of *holder* that *snapshot* has and that is not started yet."""
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
    """Start the training that is claimed on *snapshot* and confirm it; then start what may follow it.

    Args:
        receiver: the parts.
        model_id: the model.
        snapshot: the state as it was saved last.
        claim: the claim on it, of the caller or of a process that is gone.
        again: another process may have started it before.
        events: as in `transition`.

    Returns:
        The refusals of the service by trigger id; each is recorded and a dead letter.

    Raises:
        UnavailableError: it may or may not run; the claim stays for a repeat, the next trigger or the sweep.

    """
    trigger_id, token = claim.trigger.trigger_id, claim.trigger.token
    outcome = start(receiver, model_id, claim, again=again)
    if isinstance(outcome, TargetRefusedError):
        # First the letter, then the record: a crash between them repeats the letter instead of losing it.
        give_up(receiver, str(outcome), events.get(trigger_id, claim.trigger.to_fields()))
    else:
        log.info("retrain.started", extra={"model_id": model_id, "run_id": outcome.run_id, "token": token})
    now = receiver.clock()

    def settled(state: ModelState, _now: datetime, _holder: str) -> ModelState:
        if isinstance(outcome, Run):
            return transitions.confirmed(state, token, outcome, now=now)
        return transitions.refused(state, token, str(outcome), now=now)

    following = transition(receiver, model_id, settled, snapshot)
    own = {trigger_id: outcome} if isinstance(outcome, TargetRefusedError) else {}
    return {**following.refusals, **own}


def finish(
    receiver: ReceiverParts, model_id: str, snapshot: Snapshot, *, events: Mapping[str, object] = NO_EVENTS
) -> dict[str, TargetRefusedError]:
    """Finish a claimed launch that its claimer may have left undone.

    An abandoned claim is taken over first. One that is fresh is started again immediately where the target's
    idempotency token makes that safe. Arguments and result are those of `launch`.

    Raises:
        LaunchInProgressError: the claim is fresh, and the target knows no idempotency token.
        UnavailableError: it may or may not run.

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
