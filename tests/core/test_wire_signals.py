"""Native signals: which of them an entry of `signals` names, and that they stay small whatever arrives."""

import contextlib
import functools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.file import SIGNALS
from shared.errors import PermanentError
from shared.fields import MAX_MAPPING_BYTES
from shared.receive import Decode
from shared.training.admission import is_match
from shared.trigger import MAX_TEXT, MAX_TRIGGER_ID
from shared.wire import signals
from shared.wire.incoming import Signal
from shared.wire.signals import MAX_ITEM, MAX_VALUE, evidence, first, inside, is_empty, plain, reason, short
from tests.core import native


def signal(subject: str, kind: str = "blob", *, begins: str = "", mentions: str = "", empty: bool = False) -> Signal:
    """Return a signal about *subject*, perhaps with one name that may go on and one text."""
    return Signal(
        kind=kind,
        subject=subject,
        trigger_id="t-1",
        origin="data",
        reason="new",
        begins=(begins,) if begins else (),
        mentions=(mentions,) if mentions else (),
        empty=empty,
    )


def test_every_kind_of_the_configuration_exists() -> None:
    """The configuration knows exactly the kinds that are read."""
    kinds = {signals.ALARM, signals.S3_OBJECT, signals.VERTEX, signals.GCS_OBJECT, signals.AZURE_ML, signals.BLOB}
    assert kinds == set(SIGNALS)


@pytest.mark.parametrize(
    ("entry", "subject"),
    [
        ("blob:data/churn.csv", "data/churn.csv"),
        ("blob:data/*", "data/churn/2026/11/a.csv"),
        ("blob:data/churn/*.csv", "data/churn/2026/a.csv"),
        ("blob:data/churn-[0-9].csv", "data/churn-7.csv"),
        ("blob:*", "data/a"),
        ("blob:data/a:b", "data/a:b"),
    ],
)
def test_an_entry_names_what_its_pattern_matches(entry: str, subject: str) -> None:
    """Names and patterns as in fnmatch, where a star crosses slashes and only the first colon divides."""
    assert is_match(entry, signal(subject))


@pytest.mark.parametrize(
    ("entry", "subject"),
    [
        ("blob:data", "data/churn.csv"),
        ("blob:data/churn.csv", "data/churn.csv.bak"),
        ("blob:data/Churn.csv", "data/churn.csv"),
        ("gcs-object:data/churn.csv", "data/churn.csv"),
        ("blo", "b:data"),
    ],
)
def test_an_entry_names_nothing_else(entry: str, subject: str) -> None:
    """Not the beginning, not another case, not another kind."""
    assert not is_match(entry, signal(subject))


@pytest.mark.parametrize(
    ("entry", "subject", "named"),
    [
        ("blob:data/churn/_SUCCESS", "data/churn/_SUCCESS", True),
        ("blob:data/*/_SUCCESS", "data/churn/2026/_SUCCESS", True),
        ("blob:data/*", "data/churn/_SUCCESS", False),
        ("blob:data/*S", "data/_SUCCESS", False),
        ("blob:data/_SUCCES?", "data/_SUCCESS", False),
        ("blob:data/[_]SUCCESS", "data/_SUCCESS", False),
        ("blob:*", "data/a", False),
        ("blob:data/churn/", "data/churn/", False),
        ("blob:data/*/", "data/churn/", False),
        ("blob:data/_SUCCESS", "data/churn/_SUCCESS", False),
    ],
)
def test_an_empty_object_counts_only_by_its_own_name(entry: str, subject: str, *, named: bool) -> None:
    """A marker is named by the last part of a pattern, without a wildcard there; a folder marker by none."""
    assert is_match(entry, signal(subject, empty=True)) is named


@pytest.mark.parametrize(
    ("name", "size", "empty"),
    [("a", 0, True), ("a", "0", True), ("a/", 5, True), ("a/b", 5, False), ("a", None, False), ("a", False, False)],
)
def test_an_object_is_empty_by_its_size_or_its_name(name: str, size: object, *, empty: bool) -> None:
    """Services write a size as number or text; where an event has none, the object counts."""
    assert is_empty(name, size) is empty


def test_a_name_that_may_go_on_counts_by_its_beginning() -> None:
    """An entry names a run whose id begins with it, and a text in which it stands; both only there."""
    assert is_match("blob:churn", signal("x", begins="churn-2026"))
    assert not is_match("blob:churn", signal("x", begins="my-churn"))
    assert is_match("blob:churn", signal("x", mentions="my-churn-2026"))
    assert not is_match("blob:churn", signal("x", mentions="fraud"))


@pytest.mark.parametrize(
    ("value", "kept"),
    [("x", "x"), (7, 7), (0, 0), (0.5, 0.5), (2**63 - 1, 2**63 - 1), ("x" * 999, "x" * (MAX_ITEM - 2))],
)
def test_texts_and_numbers_are_kept(value: object, kept: object) -> None:
    """A number stays a number, zero too; a text is cut."""
    assert plain(value) == kept


@pytest.mark.parametrize("value", [None, True, [1], {}, float("nan"), float("inf"), 2**63])
def test_what_no_event_can_hold_is_left_out(value: object) -> None:
    """Neither flags nor nested values, nor numbers that JSON or a service cannot keep."""
    assert plain(value) is None


def test_a_text_that_cannot_be_written_is_none() -> None:
    """JSON can spell half a character; nothing that follows could keep it."""
    assert (short("\ud800"), plain("\ud800"), reason("\ud800", "new")) == ("", "", "new")


def test_a_text_is_cut_by_what_it_takes_as_json() -> None:
    """A letter that JSON writes with twelve bytes counts as twelve."""
    assert len(json.dumps(short("\U0001f4c9" * 1000))) <= MAX_VALUE
    assert short("a" * MAX_VALUE * 2) == "a" * (MAX_VALUE - 2)


def test_evidence_holds_no_empty_fields() -> None:
    """Facts that the platform left out do not show; zero does."""
    assert evidence(a="", b=None, c=[], d={}, e=0, f="x") == {"e": 0, "f": "x"}


def test_a_path_through_what_is_not_an_object_ends_nowhere() -> None:
    """A missing field, a list or a text on the way is none."""
    assert inside({"a": {"b": 1}}, "a", "b") == 1
    assert [inside(value, "a", "b") for value in ({}, {"a": "b"}, {"a": [1]}, None, "a")] == [None] * 5
    assert first({"a": 1}) == first("ab") == []


NATIVE = native.natives()
WIDE = st.text(st.sampled_from('a\U0001f4c9\n"/*[:'), min_size=200, max_size=600).map(lambda text: text * 40)
ODD = st.one_of(WIDE, st.lists(WIDE, max_size=20), st.integers(), st.floats(), st.booleans(), st.none())


def check(incoming: object) -> bool:
    """Check that a signal fits into a trigger; return whether it is one."""
    if not isinstance(incoming, Signal):
        return False
    assert len(incoming.reason) <= MAX_TEXT
    assert len(incoming.trigger_id) <= MAX_TRIGGER_ID
    assert len(json.dumps(dict(incoming.evidence), allow_nan=False)) <= MAX_MAPPING_BYTES
    return True


@given(odd=ODD, data=st.data())
def test_a_signal_fits_into_a_trigger(odd: object, data: st.DataObject) -> None:
    """However long a field is, of whatever type: a signal of it has a short reason and id, and evidence that fits."""
    event, codec = data.draw(st.sampled_from(NATIVE))
    changed = native.changed(event, odd, *data.draw(st.sampled_from(list(native.paths(event)))))
    with contextlib.suppress(PermanentError):
        check(codec(changed))


@pytest.mark.parametrize(("event", "codec"), NATIVE, ids=range(len(NATIVE)))
def test_a_signal_of_long_fields_only_fits_too(event: Any, codec: Decode) -> None:
    """With all its texts and lists as long as can be, as far as it remains a signal, it still fits."""
    assert check(codec(event))
    for path in reversed(list(native.paths(event))):
        value = functools.reduce(lambda inner, name: inner[name], path, event)
        if not isinstance(value, dict):
            wide = native.changed(event, value * 40 if isinstance(value, list) else "\U0001f4c9" * 9999, *path)
            with contextlib.suppress(PermanentError):
                event = wide if check(codec(wide)) else event
    assert len(json.dumps(event)) > MAX_MAPPING_BYTES
