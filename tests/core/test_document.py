"""The document that a ledger keeps says everything about a model's state, and stays small."""

import dataclasses
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.document import read_state, write_state
from shared.state import (
    MAX_DECISIONS,
    MAX_REJECTED,
    MAX_RUNS,
    MAX_SEEN,
    MEMORY,
    Decided,
    ModelState,
    Parked,
    PastRun,
    Training,
)
from tests.core.samples import HOUR, NOW, SECOND, trigger

# The smallest limit of the ledgers: DynamoDB takes 400 KB an item.
ITEM = 400 * 1024

# What is rejected may hold whatever JSON can spell: lone surrogates too, but a pair of them is one character.
TEXTS = st.text(st.characters(), max_size=20).map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
MOMENTS = st.integers(0, 10**6).map(lambda seconds: NOW + SECOND * seconds)
TRIGGERS = st.builds(trigger, reason=st.text(st.characters(exclude_categories=["Cs"])), force=st.booleans())
PARKED = st.builds(Parked, trigger=TRIGGERS, since=MOMENTS, approved_by=st.none() | TEXTS.filter(bool))
LINES = st.builds(Decided, at=MOMENTS, trigger_id=TEXTS, decision=TEXTS, reason=TEXTS, detail=TEXTS)
RUNS = st.builds(PastRun, run_id=TEXTS, trigger_id=TEXTS, started_at=MOMENTS, ended_at=st.none() | MOMENTS)
TRAININGS = st.builds(
    Training,
    trigger=TRIGGERS,
    claimed_at=MOMENTS,
    first_claimed_at=MOMENTS,
    holder=TEXTS,
    run_id=st.none() | TEXTS.filter(bool),
    started_at=st.none() | MOMENTS,
)
STATES = st.builds(
    ModelState,
    training=st.none() | TRAININGS,
    last_start=st.none() | MOMENTS,
    queued=st.none() | PARKED,
    waiting=st.none() | PARKED,
    streak=st.lists(MOMENTS, max_size=3).map(tuple),
    decisions=st.lists(LINES, max_size=3).map(tuple),
    runs=st.lists(RUNS, max_size=3).map(tuple),
    rejected=st.lists(LINES, max_size=3).map(tuple),
)


@settings(deadline=None)
@given(STATES, st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.booleans()), max_size=3))
def test_a_state_survives_the_ledger(state: ModelState, seen: list[tuple[str, bool]]) -> None:
    """Whatever a state holds, empty texts too, is there again after JSON."""
    for name, launched in seen:
        state = state.remembering(name, NOW, launched=launched)
    document = write_state(state)
    assert read_state(document.encode().decode()) == state
    assert json.loads(document)["schema"] == 1


def test_a_lone_surrogate_can_be_stored() -> None:
    """JSON can spell one in an event that is then rejected; the document is UTF-8 all the same."""
    line = Decided(
        at=NOW, trigger_id="t-\ud800", decision="reject", reason="rejected", detail="\udfff \U0001f600 \\ud800"
    )
    document = write_state(ModelState(rejected=(line,)))
    assert read_state(document.encode().decode()).rejected == (line,)


def test_a_model_that_was_never_written_is_free() -> None:
    """No document is a state in which nothing happened."""
    assert read_state(None) == ModelState() == read_state("{}")


def largest(text: str) -> ModelState:
    """Return a state in which everything is as long as the rules allow, written with the character *text*."""
    mapping = {"a": "x" * (16 * 1024 - len('{"a": ""}'))}
    asked = trigger(
        model_id=text * 256,
        trigger_id=text * 128,
        reason=text * 512,
        requested_by=text * 512,
        parameters=mapping,
        evidence=mapping,
    )
    line = Decided(at=NOW, trigger_id=text * 128, decision="launch", reason="awaiting_approval", detail=text * 500)
    run = PastRun(run_id="r" * 300, trigger_id=text * 128, started_at=NOW, ended_at=NOW, url="u" * 500)
    parked = Parked(trigger=asked, since=NOW, approved_by=text * 128, approved_at=NOW)
    state = ModelState(
        training=Training(trigger=asked, claimed_at=NOW, first_claimed_at=NOW, holder="h" * 36, run_id="r" * 300),
        queued=parked,
        waiting=parked,
        decisions=(line,) * MAX_DECISIONS,
        runs=(run,) * MAX_RUNS,
        rejected=(line,) * MAX_REJECTED,
    )
    for number in range(MAX_SEEN):
        state = state.remembering(f"t-{number}", NOW, launched=True)
    return state


@pytest.mark.parametrize("text", ["x", "\u00e9", "\u6a21", "\U0001f600"])
def test_the_largest_state_fits_into_every_ledger(text: str) -> None:
    """Every field at its limit in any script stays below what the smallest item of a ledger holds."""
    assert len(write_state(largest(text)).encode()) < ITEM


def test_ids_are_remembered_until_no_bus_repeats_them() -> None:
    """A decided id is known for fourteen days, a launched one longer; the oldest make room for the thousandth."""
    state = ModelState().remembering("skipped", NOW, launched=False).remembering("launched", NOW, launched=True)
    before = state.remembering("later", NOW + MEMORY - SECOND, launched=False)
    after = state.remembering("later", NOW + MEMORY, launched=False)
    assert [before.has_seen(name) for name in ("skipped", "launched", "later")] == [True, True, True]
    assert [after.has_seen(name) for name in ("skipped", "launched", "later")] == [False, True, True]
    assert not after.forgetting("launched").has_seen("launched")


def test_launches_are_forgotten_last() -> None:
    """Of more than a thousand ids those that never launched go first, oldest first, and then the oldest launches."""
    state = ModelState().remembering("launched", NOW - HOUR, launched=True)
    for number in range(MAX_SEEN):
        state = state.remembering(f"t-{number}", NOW + SECOND * number, launched=False)
    assert len(state.seen) == MAX_SEEN
    assert [state.has_seen(name) for name in ("launched", "t-0", "t-1", f"t-{MAX_SEEN - 1}")] == [
        *(True, False, True, True),
    ]
    for number in range(MAX_SEEN):
        state = state.remembering(f"l-{number}", NOW + HOUR + SECOND * number, launched=True)
    assert [state.has_seen(name) for name in ("launched", "t-5", "l-0")] == [False, False, True]


def test_the_history_is_bounded() -> None:
    """The last forty decisions are kept, newest first."""
    state = ModelState()
    for number in range(MAX_DECISIONS + 5):
        line = Decided(at=NOW + timedelta(minutes=number), trigger_id=f"t-{number}", decision="skip", reason="busy")
        state = state.noted(line)
    assert [line.trigger_id for line in state.decisions] == [f"t-{number}" for number in range(44, 4, -1)]
    assert dataclasses.replace(state, decisions=()) == ModelState()
