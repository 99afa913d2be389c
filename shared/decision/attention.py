"""When a model next needs attention: the sweep reads no model before that time. No clock, no I/O.

Whatever keeps a model from going on by itself must be listed in `attention_at`. A time that is too early costs the
sweep one read; a time that is too late, or None, delays the work until the model's next event or the next full pass.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.config.model import Policy
from shared.decision.pending import due_at
from shared.decision.retries import is_configured
from shared.decision.stale import notice_at
from shared.decision.state import ModelState, Training
from shared.decision.steering import STOP_AGAIN_AFTER
from shared.decision.terms import Rules
from shared.decision.transitions import abandoned_at

# A burst of triggers for a busy model must not become a burst of status requests.
CHECK_EVERY: Final = timedelta(seconds=60)
# The end of a training is reported by an event. If that is lost, the status shows it at the latest after this time.
CHECK_AT_LEAST_EVERY: Final = timedelta(hours=1)
# Nothing to do for the sweep, but people find the models that wait for them among those that need attention.
FOR_PEOPLE: Final = datetime(9999, 1, 1, tzinfo=UTC)


def attention_at(state: ModelState, rules: Rules | None) -> datetime | None:
    """Return from when on the model needs attention; None if only an event can change it.

    Args:
        state: the state of the model.
        rules: the current rules of the model; None while it is not configured.

    """
    return min(_reasons(state, rules), default=None)


def _reasons(state: ModelState, rules: Rules | None) -> Iterator[datetime]:
    training = state.training
    if training is not None:
        yield abandoned_at(training) if training.run_id is None else check_at(training, rules)
        if training.cancelled_at is not None and training.run_id is not None:
            yield training.cancelled_at if training.stopped_at is None else training.stopped_at + STOP_AGAIN_AFTER
    if state.queued is not None:
        # A person or a new configuration may let it start at any time, and each sweep reports its age.
        yield state.queued.since
    elif training is None and state.retry is not None:
        is_left = rules is None or is_configured(state.retry, rules.policy)
        yield (state.retry.retry_at if is_left else None) or state.retry.since
    if state.paused is not None and state.paused.until is not None:
        yield state.paused.until
    if state.waiting is not None:
        yield state.waiting.approved_at or FOR_PEOPLE
    yield from (due_at(entry) for entry in state.pending)
    stale_at = notice_at(state, rules.model) if rules else None
    if stale_at is not None:
        yield stale_at


def check_at(training: Training, rules: Rules | None) -> datetime:
    """Return when the status of a running *training* should be requested next.

    The pause is half of the time that the training had taken at the last request, so that a lost end is noticed soon
    after a short training, and a long training causes few requests.
    """
    started = training.started_at or training.claimed_at
    last = training.checked_at or started
    pause = min(max((last - started) / 2, CHECK_EVERY), CHECK_AT_LEAST_EVERY)
    return min(last + pause, gone_at(training, rules))


def gone_at(training: Training, rules: Rules | None) -> datetime:
    """Return when a running *training* exceeds `max_run`."""
    todays = rules.policy.max_run if rules else Policy().max_run
    started, limit = training.started_at or training.claimed_at, training.terms.max_run if training.terms else todays
    return started + min(limit, FOR_PEOPLE - started)
