"""Finding the model of an id among many."""

import cProfile
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.lookup import Lookup, is_pattern

NAMES = st.text(alphabet="ab-*?[]!^\\.\n", min_size=1, max_size=6)


@given(names=st.lists(NAMES, unique=True, max_size=6), model_id=NAMES)
def test_only_what_matches_is_found(names: list[str], model_id: str) -> None:
    """A name is found by itself, before every pattern; else a pattern that matches as in fnmatch, if there is one."""
    place = Lookup(names).find(model_id)
    if model_id in names and not is_pattern(model_id):
        assert place is not None
        assert names[place] == model_id
    elif place is not None:
        assert is_pattern(names[place])
        assert fnmatchcase(model_id, names[place])
    else:
        assert not [name for name in names if is_pattern(name) and fnmatchcase(model_id, name)]


def calls_of(lookup: Lookup, model_id: str) -> int:
    """Return how many functions are called to find *model_id*, after it was found once."""
    lookup.find(model_id)
    profile = cProfile.Profile()
    profile.runcall(lookup.find, model_id)
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("model_id", ["model-77", "unseen-77"])
def test_finding_costs_the_same_among_ten_thousand_names(model_id: str) -> None:
    """Neither a configured name nor one that only a pattern matches takes more calls the more names there are."""
    few, many = ([*(f"model-{number}" for number in range(count)), "unseen-*"] for count in (100, 10_000))
    assert calls_of(Lookup(few), model_id) == calls_of(Lookup(many), model_id)


def test_a_pattern_is_compiled_once_and_only_if_it_may_match() -> None:
    """Of ten thousand patterns one is compiled, the one that starts like the id: compiling all would take a second."""
    lookup = Lookup([f"team-{number:04}-*" for number in range(10_000)])
    profile = cProfile.Profile()
    for _ in range(3):
        profile.runcall(lookup.find, "team-0042-churn")
    compiled = [entry for entry in profile.getstats() if getattr(entry.code, "co_name", "") == "translate"]
    assert [entry.callcount for entry in compiled] == [1]
