"""State changes of follow-ups and approval requests: recorded, claimed, done or given up. No I/O."""

import dataclasses
from datetime import datetime
from typing import Final

from shared.decision.state import MAX_ATTEMPTS, MAX_PENDING, MAX_REASON, ModelState, Parked, Pending, Training
from shared.decision.transitions import CLAIM_LEASE, rejected
from shared.json_text import cut_utf8, utf8_size

# The bytes of all entries as JSON: that many entries of the usual size, or one with the longest actions.
MAX_PENDING_BYTES: Final = 10 * 1024
# The names of the fields, the times and the marks around texts.
_ENTRY_BYTES: Final = 400
# The texts of an entry that is not recorded yet, besides its actions.
_NEW_ENTRY_BYTES: Final = 2000
_MAX_TEXT_BYTES: Final = 200


def follow_up_recorded(state: ModelState, training: Training, entry: Pending) -> ModelState:
    """Record the follow-ups of *training*; *entry* is completed as in `described`."""
    if not entry.actions:
        return state
    return dataclasses.replace(state, pending=(*state.pending, described(training, entry)))


def described(training: Training, entry: Pending) -> Pending:
    """Return *entry* with the details of *training* and its trigger that people need."""
    trigger = training.trigger
    return dataclasses.replace(
        entry,
        url=training.url,
        reason=cut_utf8(trigger.reason[:MAX_REASON], _MAX_TEXT_BYTES),
        origin=trigger.origin,
        severity=trigger.severity,
        requested_by=cut_utf8((trigger.requested_by or "")[:MAX_REASON], _MAX_TEXT_BYTES) or None,
    )


def displaced(state: ModelState, actions: tuple[str, ...]) -> tuple[Pending, ...]:
    """Return the oldest follow-ups that *state* has no room for once those with *actions* are recorded."""
    ends = [entry for entry in state.pending if not entry.is_approval_request]
    count, size, over = len(ends) + 1, _bytes(actions) + _NEW_ENTRY_BYTES + sum(map(_entry_bytes, ends)), 0
    while count > MAX_PENDING or (size > MAX_PENDING_BYTES and over < len(ends)):
        count, size, over = count - 1, size - _entry_bytes(ends[over]), over + 1
    return tuple(ends[:over])


def _entry_bytes(entry: Pending) -> int:
    texts = (entry.run_id, entry.trigger_id, entry.token, entry.holder, entry.url, entry.reason, entry.requested_by)
    return _ENTRY_BYTES + _bytes(tuple(text for text in texts if text)) + _bytes(entry.actions)


def _bytes(texts: tuple[str, ...]) -> int:
    return sum(utf8_size(text) + len('"",') for text in texts)


def approval_requested(
    state: ModelState, waiting: Parked, actions: tuple[str, ...], *, now: datetime, holder: str
) -> ModelState:
    """Record an approval request for *waiting*; it replaces the request for a trigger that waited before."""
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
    others = tuple(entry for entry in state.pending if not entry.is_approval_request)
    return dataclasses.replace(state, pending=(*others, entry) if actions else others)


def trigger_awaiting_approval(state: ModelState, entry: Pending) -> Parked | None:
    """Return the trigger of the approval request *entry* if it still waits for an approval."""
    waiting = state.waiting
    if waiting is None or waiting.approved_by or waiting.trigger.trigger_id != entry.trigger_id:
        return None
    return waiting


def is_due(entry: Pending, now: datetime) -> bool:
    """Return whether the claim on *entry* has expired."""
    return now >= due_at(entry)


def due_at(entry: Pending) -> datetime:
    """Return when the claim on *entry* expires; each attempt doubles the time that it takes."""
    return entry.claimed_at + CLAIM_LEASE * (1 << min(entry.attempts - 1, MAX_ATTEMPTS))


def is_given_up(entry: Pending) -> bool:
    """Return whether *entry* has used up its attempts and must become a dead letter."""
    return entry.attempts > MAX_ATTEMPTS


def taken_over(state: ModelState, *, now: datetime, holder: str) -> ModelState:
    """Claim every entry that is due for *holder*."""
    claimed = tuple(
        dataclasses.replace(entry, holder=holder, claimed_at=now, attempts=entry.attempts + 1)
        if is_due(entry, now)
        else entry
        for entry in state.pending
    )
    return dataclasses.replace(state, pending=claimed)


def done(state: ModelState, entry: Pending, action: str) -> ModelState:
    """Remove *action*, which is done, from *entry*."""
    left = [
        dataclasses.replace(one, actions=tuple(each for each in one.actions if each != action))
        if one.key == entry.key
        else one
        for one in state.pending
    ]
    return dataclasses.replace(state, pending=tuple(one for one in left if one.actions))


def resolved(state: ModelState, entry: Pending, action: str, actions: tuple[str, ...]) -> ModelState:
    """Replace the placeholder *action* of *entry* by *actions*."""
    known = tuple(
        dataclasses.replace(one, actions=(*(each for each in one.actions if each != action), *actions))
        if one.key == entry.key and action in one.actions
        else one
        for one in state.pending
    )
    return dataclasses.replace(state, pending=tuple(one for one in known if one.actions))


def given_up(state: ModelState, entry: Pending, action: str, error: str, *, now: datetime) -> ModelState:
    """Remove *action* from *entry* permanently and list it among the rejected events."""
    if not any(one.key == entry.key and action in one.actions for one in state.pending):
        return state
    return rejected(done(state, entry, action), entry.trigger_id, f"{action}: {error}", now=now)
