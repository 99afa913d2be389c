"""The document that a ledger keeps says everything about a model's state, and stays small."""

import dataclasses
import hashlib
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.decision.ending import End, ended
from shared.decision.reasons import Result
from shared.decision.seen import MAX_LAUNCHES, MAX_OTHERS
from shared.decision.state import MAX_DECISIONS, Decided, ModelState, Parked, PastRun, Paused, Pending, Training
from shared.ledger.document import read_state, write_state
from tests.core.samples import NOW, SECOND, trigger

END = End(run_id="run-1", result="succeeded", at=NOW, name="", actions=("notify:slack-1",), holder="h")

# A rejected event may hold whatever JSON can spell: lone surrogates too, but a pair of them is one character.
TEXTS = st.text(st.characters(), max_size=20).map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
MOMENTS = st.integers(0, 10**6).map(lambda seconds: NOW + SECOND * seconds)
TRIGGERS = st.builds(trigger, reason=st.text(st.characters(exclude_categories=["Cs"])), force=st.booleans())
LINES = st.builds(Decided, at=MOMENTS, trigger_id=TEXTS, decision=TEXTS, reason=TEXTS, detail=TEXTS)
RUNS = st.builds(PastRun, run_id=TEXTS, trigger_id=TEXTS, started_at=MOMENTS, ended_at=st.none() | MOMENTS)
PENDING = st.builds(
    Pending,
    run_id=TEXTS,
    trigger_id=TEXTS,
    token=TEXTS,
    result=TEXTS,
    ended_at=MOMENTS,
    actions=st.lists(TEXTS, max_size=3).map(tuple),
    holder=TEXTS,
    claimed_at=MOMENTS,
    attempts=st.integers(1, 10),
    reason=TEXTS,
    requested_by=st.none() | TEXTS.filter(bool),
)
PARKED = st.builds(
    Parked,
    trigger=TRIGGERS,
    since=MOMENTS,
    approved_by=st.none() | TEXTS.filter(bool),
    attempt=st.integers(1, 12),
    base=TEXTS,
    retry_at=st.none() | MOMENTS,
    failure=st.none() | PENDING,
)
PAUSED = st.builds(Paused, since=MOMENTS, by=TEXTS, until=st.none() | MOMENTS, reason=TEXTS)
TRAININGS = st.builds(
    Training,
    trigger=TRIGGERS,
    claimed_at=MOMENTS,
    first_claimed_at=MOMENTS,
    holder=TEXTS,
    run_id=st.none() | TEXTS.filter(bool),
    attempt=st.integers(1, 12),
    failure=st.none() | PENDING,
    cancelled_by=st.none() | TEXTS.filter(bool),
    stopped_at=st.none() | MOMENTS,
    started_at=st.none() | MOMENTS,
)
STATES = st.builds(
    ModelState,
    training=st.none() | TRAININGS,
    last_start=st.none() | MOMENTS,
    last_good_start=st.none() | MOMENTS,
    last_success=st.none() | MOMENTS,
    starts=st.lists(MOMENTS, max_size=3).map(tuple),
    paused=st.none() | PAUSED,
    queued=st.none() | PARKED,
    retry=st.none() | PARKED,
    waiting=st.none() | PARKED,
    streak=st.lists(MOMENTS, max_size=3).map(tuple),
    decisions=st.lists(LINES, max_size=3).map(tuple),
    runs=st.lists(RUNS, max_size=3).map(tuple),
    rejected=st.lists(LINES, max_size=3).map(tuple),
    pending=st.lists(PENDING, max_size=2).map(tuple),
)


@given(STATES, st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.booleans()), max_size=3))
def test_a_state_survives_the_ledger(state: ModelState, seen: list[tuple[str, bool]]) -> None:
    """Whatever a state holds, empty texts too, is there again after JSON."""
    for name, launched in seen:
        state = state.remembering(name, launched=launched)
    document = write_state(state)
    assert read_state(document.encode().decode()) == state
    assert json.loads(document)["schema"] == 1
    # The id of a save distinguishes documents, not states; versions before and after ignore it.
    assert read_state(write_state(state, "save-1")) == state
    assert json.loads(write_state(state, "save-1")) == json.loads(document) | {"save_id": "save-1"}


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


def test_what_another_version_wrote_can_be_read() -> None:
    """A roll-back or roll-forward keeps the state: keys that are missing are empty, unknown ones are left out."""
    training = Training(trigger=trigger(), claimed_at=NOW, first_claimed_at=NOW, holder="h", run_id="run-1")
    line = Decided(at=NOW, trigger_id="t-1", decision="launch", reason="launched")
    parked = Parked(trigger=trigger(), since=NOW)
    run = PastRun(run_id="run-1", trigger_id="t-1", started_at=NOW)
    state = ModelState(
        training=training, queued=parked, waiting=parked, decisions=(line,), rejected=(line,), runs=(run,)
    )
    state = dataclasses.replace(ended(state, END, now=NOW), training=training)
    assert state.pending
    newer = json.loads(write_state(state), object_hook=lambda content: content | {"unheard_of": {"at": "now"}})
    assert read_state(json.dumps(newer)) == state
    older = {name: value for name, value in json.loads(write_state(state)).items() if name != "pending"}
    assert read_state(json.dumps(older)) == dataclasses.replace(state, pending=())


def test_starts_and_successes_of_the_version_before_are_those_of_its_runs() -> None:
    """A budget holds, and the last success is known, although that version stored neither."""
    results: list[Result] = ["failed", "succeeded", "failed"]
    times = [NOW + SECOND * number for number in range(3)]
    runs = [
        PastRun(run_id=f"run-{at}", trigger_id="t", started_at=at, ended_at=at, result=result)
        for at, result in zip(times, results, strict=True)
    ]
    document = json.loads(write_state(ModelState(runs=tuple(reversed(runs)))))
    del document["starts"]
    state = read_state(json.dumps(document))
    assert (state.starts, state.last_good_start, state.last_success) == (tuple(reversed(times)), times[1], times[1])
    assert read_state(write_state(state)) == state


def test_neither_kind_of_decision_pushes_out_the_other() -> None:
    """A thousand launches and the last two thousand decisions without a launch are known at the same time."""
    state = ModelState()
    for number in range(MAX_OTHERS + 1):
        state = state.remembering(f"o-{number}", launched=False)
    for number in range(MAX_LAUNCHES + 1):
        state = state.remembering(f"l-{number}", launched=True)
    assert read_state(write_state(state)) == state
    known = {
        name: state.has_seen(name) for name in ("o-0", "o-1", f"o-{MAX_OTHERS}", "l-0", "l-1", f"l-{MAX_LAUNCHES}")
    }
    assert [name for name, seen in known.items() if not seen] == ["o-0", "l-0"]


def test_a_decision_without_a_launch_is_known_however_often_a_model_has_trained() -> None:
    """After ten thousand launches a skipped trigger that is redelivered is still a duplicate, until it is forgotten."""
    state = ModelState()
    for number in range(10_000):
        state = state.remembering(f"l-{number}", launched=True)
    state = state.remembering("skipped", launched=False)
    assert state.has_seen("skipped")
    assert not state.forgetting("skipped").has_seen("skipped")
    assert state.remembering("skipped", launched=True).seen.others == b""


def test_what_earlier_versions_remembered_is_known() -> None:
    """The first kept launches and other decisions in one list, the next its newest launches."""
    ids = [f"t-{number}" for number in range(1000)]
    listed = [[hashlib.sha256(name.encode()).hexdigest()[:24], 0, place % 2] for place, name in enumerate(ids)]
    older = json.loads(write_state(ModelState().remembering("o-1", launched=True).remembering("o-2", launched=False)))
    state = read_state(json.dumps(older | {"seen": listed}))
    assert all(state.has_seen(name) for name in (*ids, "o-1", "o-2"))
    assert (len(state.seen.launched), len(state.seen.others)) == (501 * 6, 501 * 6)
    assert read_state(write_state(state)) == state


@pytest.mark.parametrize("document", ["garbage{", "[]", '{"training":{}}', '{"schema":2}', '{"seen":[1]}', "[" * 5000])
def test_a_damaged_document_is_a_value_error(document: str) -> None:
    """Whatever is wrong with it, the caller gets one error that it can name the model of."""
    with pytest.raises(ValueError, match="Error"):
        read_state(document)


def test_the_history_is_bounded() -> None:
    """The last forty decisions are kept, newest first."""
    state = ModelState()
    for number in range(MAX_DECISIONS + 5):
        line = Decided(at=NOW + timedelta(minutes=number), trigger_id=f"t-{number}", decision="skip", reason="busy")
        state = state.noted(line)
    assert [line.trigger_id for line in state.decisions] == [f"t-{number}" for number in range(44, 4, -1)]
    assert dataclasses.replace(state, decisions=()) == ModelState()


def test_evidence_that_an_earlier_version_admitted_is_read() -> None:
    """Evidence that is nested deeper than a door lets in now damages no document."""
    document = json.loads(write_state(ModelState(queued=Parked(trigger=trigger(evidence={"a": 1}), since=NOW))))
    document["queued"]["trigger"]["evidence"] = {"a": json.loads("[" * 40 + "]" * 40)}
    queued = read_state(json.dumps(document)).queued
    assert queued is not None
    assert dict(queued.trigger.evidence) == document["queued"]["trigger"]["evidence"]
