"""Starts a claimed training with the target, the parameters and the token of its claim."""

from datetime import timedelta
from typing import Final

from shared.config.targets import trains_on
from shared.decision.state import Training
from shared.decision.terms import Terms, rules_of
from shared.errors import LaunchInProgressError, PermanentError, TargetRefusedError, UnavailableError
from shared.ports import Launcher, LaunchRequest, Run
from shared.training.parts import ReceiverParts

# Not every platform stops a function at its timeout. A hand-over takes at most 35 s, so one that begins within this
# time is over before another process may consider the claim abandoned and hand over a second time.
HAND_OVER_TIME_LIMIT: Final = timedelta(seconds=20)


def start(receiver: ReceiverParts, model_id: str, training: Training, *, again: bool) -> Run | TargetRefusedError:
    """Start a claimed training with its idempotency token.

    Args:
        receiver: the parts.
        model_id: the model.
        training: the claim.
        again: whether another process may have started it before.

    Returns:
        The run, or the refusal of the service to run it, now or later.

    Raises:
        LaunchInProgressError: the target does not honour tokens, and another process may soon take over the claim.
        UnavailableError: the training may or may not run.

    """
    try:
        terms = terms_of(receiver, model_id, training)
        request = LaunchRequest(
            trigger=training.trigger,
            token=training.trigger.token,
            parameters=terms.parameters,
            claimed_at=training.first_claimed_at,
            max_run=terms.max_run,
        )
        launcher = launcher_of(receiver, terms)
        if not terms.target.honours_tokens and receiver.clock() - training.claimed_at > HAND_OVER_TIME_LIMIT:
            trigger_id = training.trigger.trigger_id
            raise LaunchInProgressError(f"there is too little time left to hand trigger {trigger_id!r} over; try again")
        return launcher.start(request, again=again)
    except TargetRefusedError as refusal:
        return refusal
    except PermanentError as error:
        return TargetRefusedError(str(error))


def terms_of(receiver: ReceiverParts, model_id: str, training: Training) -> Terms:
    """Return the terms of the claim of *training*; the current terms if a version without terms wrote the claim.

    Raises:
        UnavailableError: the claim has no terms, and the model is not configured at the moment.

    """
    if training.terms is not None:
        return training.terms
    rules = rules_of(receiver.config, receiver.cloud, model_id)
    if rules is None:
        detail = f"the configuration has no model {model_id!r} with a target.{receiver.cloud} at the moment"
        raise UnavailableError("The configuration", "provide the target of this training", detail)
    return rules.terms(training.trigger)


def launcher_of(receiver: ReceiverParts, terms: Terms) -> Launcher:
    """Return the launcher for trainings on these *terms*.

    Raises:
        TargetRefusedError: this cloud has no targets of that kind.

    """
    if not trains_on(receiver.cloud, terms.target):
        raise TargetRefusedError(
            f"target.{receiver.cloud}: {terms.target.kind!r} is not a kind of target of this cloud"
        )
    return receiver.launcher(terms.target)
