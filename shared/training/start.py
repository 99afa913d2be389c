"""Starting what was claimed: launch with the token, confirm, and go on with what is queued behind."""

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from shared.config.model import Model, Policy
from shared.decision import transitions
from shared.decision.state import ModelState, Training
from shared.errors import LaunchInProgressError, TargetRefusedError, UnknownModelError
from shared.fields import Parameter
from shared.ledger import snapshots
from shared.parts import ReceiverParts
from shared.ports import Launcher, LaunchRequest, Run
from shared.training.dead_letters import give_up
from shared.training.follow_up import asking, follow
from shared.training.notices import announce
from shared.trigger import RetrainTrigger

# Not every platform ends what runs when a function's time is up. A hand-over takes 35 s at most, so one that begins by
# then is over before anybody may take the claim for abandoned, and hand over a second time.
HAND_OVER_WITHIN: Final = timedelta(seconds=20)

log = logging.getLogger("retrain")


def launch(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, *, again: bool, event: object = None
) -> TargetRefusedError | None:
    """Start the training that is claimed on *snapshot* and confirm it; then whatever was queued and may start.

    Args:
        receiver: the parts.
        model_id: whose training.
        snapshot: the state as it was saved last, with a claim of the caller or of somebody who is gone.
        again: somebody may have started it before.
        event: what to put to the dead letters if the service refuses; the trigger itself where there is none.

    Returns:
        The service's refusal, which is recorded and among the dead letters; none when the training runs.

    Raises:
        UnavailableError: it may or may not run; the claim stays for a repeat, the next trigger or the sweep.

    """
    training = snapshot.state.training
    if training is None:
        return None
    outcome = _start(receiver, model_id, training, again=again)
    if isinstance(outcome, TargetRefusedError):
        # First the letter, then the record: a crash between them repeats the letter instead of losing it.
        give_up(receiver, str(outcome), training.trigger.to_fields() if event is None else event)
    teller = receiver.new_id()
    snapshot = _settle(receiver, model_id, snapshot, outcome, teller)
    if is_claimed_by(training.holder, snapshot):
        launch(receiver, model_id, snapshot, again=False)
    announce(receiver, snapshot)
    follow(receiver, model_id, snapshot, teller)
    return outcome if isinstance(outcome, TargetRefusedError) else None


def is_claimed_by(holder: str, snapshot: snapshots.Snapshot) -> bool:
    """Whether *snapshot* has a claim of *holder* that is not started yet."""
    training = snapshot.state.training
    return training is not None and training.run_id is None and training.holder == holder


def finish(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, *, event: object = None
) -> TargetRefusedError | None:
    """Finish a claimed launch that its claimer may have left undone, on behalf of its trigger.

    An abandoned claim is taken over first. One that is fresh is started again at once where the target's idempotency
    token makes that safe. Arguments and result are those of `launch`.

    Raises:
        LaunchInProgressError: the claim is fresh, and the target knows no idempotency token.
        UnavailableError: it may or may not run.

    """
    now, training = receiver.clock(), snapshot.state.training
    if training is None:
        return None
    if transitions.is_abandoned(training, now):
        holder, token = receiver.new_id(), training.trigger.token
        snapshot = snapshots.change(
            receiver, model_id, lambda state: transitions.reclaimed(state, token, now=now, holder=holder), snapshot
        )
        if not is_claimed_by(holder, snapshot):
            return None
    elif not launcher_of(receiver, model_id).idempotent:
        raise LaunchInProgressError(f"trigger {training.trigger.trigger_id!r} is being handed over; try again")
    return launch(receiver, model_id, snapshot, again=True, event=event)


def parameters_of(model: Model, trigger: RetrainTrigger) -> Mapping[str, Parameter]:
    """Return what the pipeline gets: the model's defaults, `$field` filled in, under what the trigger sets."""
    return {name: trigger.parameters.get(name, _fill(default, trigger)) for name, default in model.parameters.items()}


def _fill(default: Parameter, trigger: RetrainTrigger) -> Parameter:
    if not isinstance(default, str) or not default.startswith("$"):
        return default
    if default.startswith("$$"):
        return default[1:]
    name = default[1:]
    value = trigger.to_fields().get(name, trigger.force if name == "force" else "")
    return value if isinstance(value, str | int | float | bool) else json.dumps(value)


def _start(receiver: ReceiverParts, model_id: str, training: Training, *, again: bool) -> Run | TargetRefusedError:
    try:
        model = receiver.config.find(model_id)
        request = LaunchRequest(
            trigger=training.trigger,
            token=training.trigger.token,
            parameters=parameters_of(model, training.trigger),
            claimed_at=training.first_claimed_at,
            max_run=model.policy.max_run,
        )
        launcher = launcher_of(receiver, model_id)
        if not launcher.idempotent and receiver.clock() - training.claimed_at > HAND_OVER_WITHIN:
            trigger_id = training.trigger.trigger_id
            raise LaunchInProgressError(f"there is too little time left to hand trigger {trigger_id!r} over; try again")
        return launcher.start(request, again=again)
    except UnknownModelError as error:
        # The configuration changed since the claim: nobody can start this any more.
        return TargetRefusedError(str(error))
    except TargetRefusedError as refusal:
        return refusal


def _settle(
    receiver: ReceiverParts, model_id: str, snapshot: snapshots.Snapshot, outcome: Run | TargetRefusedError, teller: str
) -> snapshots.Snapshot:
    training = snapshot.state.training
    if training is None:
        return snapshot
    now, token, policy = receiver.clock(), training.trigger.token, policy_of(receiver, model_id)

    def step(state: ModelState) -> ModelState:
        if isinstance(outcome, Run):
            state = transitions.confirmed(state, token, outcome, now=now)
        else:
            state = transitions.refused(state, token, str(outcome), now=now)
        advanced = transitions.advanced(state, policy, now=now, holder=training.holder)
        return asking(receiver, state, advanced, now=now, holder=teller)

    if isinstance(outcome, Run):
        log.info("retrain.started", extra={"model_id": model_id, "run_id": outcome.run_id, "token": token})
    return snapshots.change(receiver, model_id, step, snapshot)


def policy_of(receiver: ReceiverParts, model_id: str) -> Policy:
    """Return the policy of *model_id*, the standard one where the configuration does not know it any more."""
    try:
        return receiver.config.find(model_id).policy
    except UnknownModelError:
        return Policy()


def launcher_of(receiver: ReceiverParts, model_id: str) -> Launcher:
    """Return what starts the trainings of *model_id* on this cloud.

    Raises:
        UnknownModelError: the configuration has no such model, or no target for it here.

    """
    return receiver.launcher(receiver.config.find(model_id).target(receiver.cloud))
