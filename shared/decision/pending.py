"""How what follows an end, or a wait, changes a model's state: promised with it, claimed, done or given up. No I/O."""

import dataclasses
from datetime import datetime

from shared.decision.state import MAX_ATTEMPTS, MAX_REASON, ModelState, Parked, Pending, Training
from shared.decision.transitions import CLAIM_LEASE, rejected


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


def asked(state: ModelState, waiting: Parked, actions: tuple[str, ...], *, now: datetime, holder: str) -> ModelState:
    """Write down that people are to be asked about *waiting*, and about nothing that waited before."""
    entry = Pending(
        run_id="",
        trigger_id=waiting.trigger.trigger_id,
        token=waiting.trigger.token,
        result="",
        ended_at=waiting.since,
        actions=actions,
        holder=holder,
        claimed_at=now,
    )
    others = tuple(entry for entry in state.pending if not entry.is_question)
    return dataclasses.replace(state, pending=(*others, entry) if actions else others)


def question_of(state: ModelState, entry: Pending) -> Parked | None:
    """Return what *entry* asks people about, if that still waits for them."""
    waiting = state.waiting
    if waiting is None or waiting.approved_by or waiting.trigger.trigger_id != entry.trigger_id:
        return None
    return waiting


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


def done(state: ModelState, entry: Pending, action: str) -> ModelState:
    """Take *action* off the list of what is to be done for *entry*."""
    left = [
        dataclasses.replace(one, actions=tuple(each for each in one.actions if each != action))
        if one.key == entry.key
        else one
        for one in state.pending
    ]
    return dataclasses.replace(state, pending=tuple(one for one in left if one.actions))


def resolved(state: ModelState, entry: Pending, action: str, actions: tuple[str, ...]) -> ModelState:
    """Replace the *action* that stands for others by these *actions*."""
    known = tuple(
        dataclasses.replace(one, actions=(*(each for each in one.actions if each != action), *actions))
        if one.key == entry.key and action in one.actions
        else one
        for one in state.pending
    )
    return dataclasses.replace(state, pending=tuple(one for one in known if one.actions))


def given_up(state: ModelState, entry: Pending, action: str, error: str, *, now: datetime) -> ModelState:
    """Take *action* off the list for good, and list it among what was rejected."""
    if not any(one.key == entry.key and action in one.actions for one in state.pending):
        return state
    return rejected(done(state, entry, action), entry.trigger_id, f"{action}: {error}", now=now)
