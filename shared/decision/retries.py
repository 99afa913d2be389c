"""Retries of failed trainings: planned at the end of a run, kept in the one kept place, started or dropped.

The failure before a retry is reported (`after.failed`, the notice `failed`) only if the retry does not start: until
then it is stored with the retry, then with its claim. No clock, no I/O.
"""

import dataclasses
import hashlib
from datetime import datetime, timedelta
from typing import Final

from shared.config.model import Policy
from shared.decision.reasons import Reason
from shared.decision.state import ModelState, Parked, Pending, Training, decided_about
from shared.fields import format_time
from shared.trigger import MAX_TRIGGER_ID

# A placeholder for the follow-ups of a training, which is replaced by what is configured when they are carried out.
AS_CONFIGURED: Final = "as-configured"
# With the longest delay that a configuration may have, doubling it nine times would leave the calendar.
MAX_DELAY: Final = timedelta(days=3650)
# Longer than a claim on follow-ups holds.
_OVERDUE: Final = timedelta(minutes=2)


def attempt_id(state: ModelState, first_id: str) -> str:
    """Return the trigger id of the next attempt of *first_id*: `<first_id>~N`, N from 2 the next that is not seen."""
    number = 2
    while state.has_seen(named := _numbered(first_id, number)):
        number += 1
    return named


def is_attempt_of(first_id: str, trigger_id: str) -> bool:
    """Return whether *trigger_id* may have been made by `attempt_id` for *first_id*."""
    number = trigger_id.rpartition("~")[2]
    return number.isdecimal() and _numbered(first_id, int(number)) == trigger_id


def with_retry(state: ModelState, training: Training, failure: Pending, policy: Policy, *, now: datetime) -> ModelState:
    """Return *state* with a retry of *training*, which has failed, planned; *failure* is reported if it is dropped."""
    delay = min(policy.retry_delay * 2 ** (training.attempt - 1), MAX_DELAY)
    retry = Parked(
        trigger=dataclasses.replace(training.trigger, trigger_id=attempt_id(state, training.first_id)),
        since=now,
        attempt=training.attempt + 1,
        base=training.first_id,
        retry_at=now + delay,
        failure=dataclasses.replace(failure, actions=(), holder=""),
    )
    detail = f"attempt {retry.attempt} of {policy.retries + 1}, not before {format_time(now + delay)}"
    line = decided_about(retry.trigger, at=now, decision="queue", reason="queued", detail=detail)
    known = state.remembering(retry.trigger.trigger_id, launched=False)
    return dataclasses.replace(known, retry=retry).noted(line)


def may_retry(state: ModelState, training: Training, policy: Policy | None) -> bool:
    """Return whether a retry of *training*, which has failed, is to be planned."""
    if policy is None or training.cancelled_at is not None or state.kept is not None:
        return False
    return training.attempt <= policy.retries


def is_configured(retry: Parked, policy: Policy) -> bool:
    """Return whether *policy* still allows the pending *retry*; one that a person requested needs no permission."""
    return bool(retry.approved_by) or retry.attempt <= policy.retries + 1


def replaced(state: ModelState, by: str, *, now: datetime, holder: str) -> ModelState:
    """Drop the pending retry, whose place the trigger *by* takes."""
    return dropped(state, "superseded", f"replaced by {by}", now=now, holder=holder)


def dropped(state: ModelState, reason: Reason, detail: str, *, now: datetime, holder: str) -> ModelState:
    """Drop the pending retry; the failure before it is reported by *holder*, or by the next receiver if empty."""
    retry = state.retry
    if retry is None:
        return state
    line = decided_about(retry.trigger, at=now, decision="skip", reason=reason, detail=detail)
    return with_failure(dataclasses.replace(state, retry=None).noted(line), retry.failure, now=now, holder=holder)


def with_failure(state: ModelState, failure: Pending | None, *, now: datetime, holder: str) -> ModelState:
    """Return *state* with the follow-ups of *failure* recorded, claimed by *holder*; without one they are due now."""
    if failure is None:
        return state
    claimed_at = now if holder else now - _OVERDUE
    entry = dataclasses.replace(failure, actions=(AS_CONFIGURED,), holder=holder, claimed_at=claimed_at)
    return dataclasses.replace(state, pending=(*state.pending, entry))


def _numbered(first_id: str, number: int) -> str:
    named = f"{first_id}~{number}"
    return named if len(named) <= MAX_TRIGGER_ID else f"{hashlib.sha256(first_id.encode()).hexdigest()}~{number}"
