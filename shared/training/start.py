"""Starting a claimed training: the launcher of its target, its parameters, its token."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from shared.config.model import Model, Policy
from shared.decision.state import Training
from shared.errors import LaunchInProgressError, TargetRefusedError, UnknownModelError
from shared.fields import Parameter
from shared.parts import ReceiverParts
from shared.ports import Launcher, LaunchRequest, Run
from shared.trigger import RetrainTrigger

# Not every platform stops a function when its time is up. A hand-over takes 35 s at most, so one that begins within
# this time is over before another process may take the claim for abandoned and hand over a second time.
HAND_OVER_WITHIN: Final = timedelta(seconds=20)


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


def start(receiver: ReceiverParts, model_id: str, training: Training, *, again: bool) -> Run | TargetRefusedError:
    """Start a claimed training with its idempotency token.

    Args:
        receiver: the parts.
        model_id: the model.
        training: the claim.
        again: another process may have started it before.

    Returns:
        The run, or the service's refusal to run it, now or later.

    Raises:
        LaunchInProgressError: the target knows no idempotency token, and a claim this old may soon be taken over.
        UnavailableError: it may or may not run.

    """
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
