"""The largest document: at most 64 KB besides the triggers that a model keeps, whatever it has been through.

While a document is larger, the oldest entries of the histories are shortened, then dropped, one by one. The newest
ones, and the last twenty decisions, always stay.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from shared.decision.record import Cut, Kept
from shared.decision.state import Decided, ModelState, Parked, PastRun, Training
from shared.json_text import cut_utf8
from shared.ledger.document import to_json, write_state

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Entry = TypeVar("Entry", bound=DataclassInstance)

MAX_BYTES: Final = 64 * 1024
MIN_DECISIONS: Final = 20
# In a shortened entry. An id longer than this in JSON is cut: ids of 128 characters that need six bytes each exist.
_ID: Final = 200
_TEXT: Final = 100
_NAME: Final = 60
_ADDRESS: Final = 300


def fitted(state: ModelState, save_id: str = "") -> tuple[ModelState, str]:
    """Return *state*, with as much of its history as a document may hold, and its document with *save_id*."""
    document = write_state(state, save_id)
    excess = len(document.encode()) - MAX_BYTES
    if excess > 0:
        excess -= _kept_bytes(state)
    if excess <= 0:
        return state, document
    runs, decisions, rejected = state.runs, state.decisions, state.rejected
    runs, excess = _shortened(runs, _without_details, 5, excess)
    decisions, excess = _shortened(decisions, _brief, MIN_DECISIONS, excess)
    decisions, excess = _dropped(decisions, MIN_DECISIONS, excess)
    rejected, excess = _shortened(rejected, _brief, 5, excess)
    rejected, excess = _dropped(rejected, 5, excess)
    decisions, excess = _shortened(decisions, _brief, 5, excess)
    runs, excess = _shortened(runs, _bare, 5, excess)
    decisions, excess = _shortened(decisions, _brief, 1, excess)
    runs, excess = _shortened(runs, _bare, 1, excess)
    rejected, excess = _shortened(rejected, _brief, 1, excess)
    rejected, excess = _dropped(rejected, 1, excess)
    runs, excess = _dropped(runs, 1, excess)
    state = dataclasses.replace(state, runs=runs, decisions=decisions, rejected=rejected)
    return state, write_state(state, save_id)


def _kept_bytes(state: ModelState) -> int:
    """Return the bytes of the triggers that *state* keeps, with the terms of a claim."""
    kept = [value for value in (getattr(state, field.name) for field in dataclasses.fields(state)) if value]
    return sum(_bytes(value) for value in kept if isinstance(value, Training | Parked))


def _shortened(
    entries: "tuple[Entry, ...]", shorten: "Callable[[Entry], Entry]", whole: int, excess: int
) -> "tuple[tuple[Entry, ...], int]":
    """Shorten *entries* from the oldest on, except for the *whole* newest ones, until *excess* is gone.

    Returns:
        The entries and the rest of the excess.

    """
    result = list(entries)
    for place in range(len(entries) - 1, whole - 1, -1):
        if excess <= 0:
            break
        result[place] = shorten(entries[place])
        excess -= _bytes(entries[place]) - _bytes(result[place])
    return tuple(result), excess


def _dropped(entries: "tuple[Entry, ...]", least: int, excess: int) -> "tuple[tuple[Entry, ...], int]":
    """Drop the oldest *entries*, but no more than leave *least*, until *excess* is gone; the result is as above."""
    while len(entries) > least and excess > 0:
        excess -= _bytes(entries[-1]) + 1
        entries = entries[:-1]
    return entries, excess


def _without_details(run: PastRun) -> PastRun:
    """Return *run* without parameters and evidence of its trigger."""
    if run.trigger is None:
        return run
    parameters, evidence = _cut(run.trigger.parameters), _cut(run.trigger.evidence)
    requested = None if run.trigger.requested and isinstance(parameters, Cut) else run.trigger.requested
    record = dataclasses.replace(run.trigger, parameters=parameters, requested=requested, evidence=evidence)
    return dataclasses.replace(run, trigger=record)


def _bare(run: PastRun) -> PastRun:
    """Return *run* with little more than its ids, times and result."""
    small = _without_details(run)
    record = small.trigger and dataclasses.replace(
        small.trigger,
        reason=cut_utf8(small.trigger.reason, _TEXT),
        requested_by=cut_utf8(small.trigger.requested_by or "", _NAME) or None,
    )
    url = small.url if small.url and len(small.url.encode()) <= _ADDRESS else None
    return dataclasses.replace(
        small,
        trigger_id=cut_utf8(small.trigger_id, _ID),
        url=url,
        error=cut_utf8(small.error, _TEXT),
        trigger=record,
    )


def _brief(decided: Decided) -> Decided:
    return dataclasses.replace(
        decided,
        trigger_id=cut_utf8(decided.trigger_id, _ID),
        detail=cut_utf8(decided.detail, _TEXT),
        why=cut_utf8(decided.why, _NAME),
        requested_by=cut_utf8(decided.requested_by or "", _NAME) or None,
        evidence=(),
    )


def _cut(kept: Kept) -> Kept:
    if isinstance(kept, Cut):
        return Cut(size=kept.size)
    size = len(json.dumps(dict(kept), separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace"))
    return kept if size <= _TEXT else Cut(size=size)


def _bytes(entry: "DataclassInstance") -> int:
    text = json.dumps(to_json(entry), separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "backslashreplace"))
