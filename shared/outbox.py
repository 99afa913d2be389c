"""How what follows a training changes a model's state: promised with the end, claimed, done or given up. No I/O."""

import dataclasses
from datetime import datetime

from shared.lifecycle import CLAIM_LEASE, rejected
from shared.pending import MAX_ATTEMPTS, MAX_REASON, Pending
from shared.state import ModelState, Training


def promised(state: ModelState, training: Training, entry: Pending) -> ModelState:
    """Write down what follows *training*; the entry gets what people want to know of its trigger."""
    if not entry.actions:
        return state
    trigger = training.trigger
    known = dataclasses.replace(
        entry,
        url=training.url,
        reason=trigger.reason[:MAX_REASON],
        origin=trigger.origin,
        severity=trigger.severity,
        requested_by=trigger.requested_by[:MAX_REASON] if trigger.requested_by else None,
    )
    return dataclasses.replace(state, pending=(*state.pending, known))


def is_due(entry: Pending, now: datetime) -> bool:
    """Whether who claimed *entry* is gone, and the pause after so many attempts is over."""
    return now - entry.claimed_at >= CLAIM_LEASE * (1 << min(entry.attempts - 1, MAX_ATTEMPTS))


def is_given_up(entry: Pending) -> bool:
    """Whether *entry* was claimed more often than anybody tries: it goes to the dead letters."""
    return entry.attempts > MAX_ATTEMPTS


def taken_over(state: ModelState, *, now: datetime, holder: str) -> ModelState:
    """Claim every entry that is due."""
    claimed = tuple(
        dataclasses.replace(entry, holder=holder, claimed_at=now, attempts=entry.attempts + 1)
        if is_due(entry, now)
        else entry
        for entry in state.pending
    )
    return dataclasses.replace(state, pending=claimed)


def done(state: ModelState, run_id: str, action: str) -> ModelState:
    """Take *action* off the list of what follows *run_id*."""
    left = [
        dataclasses.replace(entry, actions=tuple(one for one in entry.actions if one != action))
        if entry.run_id == run_id
        else entry
        for entry in state.pending
    ]
    return dataclasses.replace(state, pending=tuple(entry for entry in left if entry.actions))


def given_up(state: ModelState, entry: Pending, action: str, error: str, *, now: datetime) -> ModelState:
    """Take *action* off the list for good, and list it among what was rejected."""
    if not any(one.run_id == entry.run_id and action in one.actions for one in state.pending):
        return state
    return rejected(done(state, entry.run_id, action), entry.trigger_id, f"{action}: {error}", now=now)
