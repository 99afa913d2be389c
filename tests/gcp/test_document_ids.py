"""Every model has its own document, whatever its name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.gcp.document_ids import LONGEST, document_id
from shared.fields import MAX_MODEL_ID

model_ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=MAX_MODEL_ID)
# The names that Firestore reserves, and those that our encoding produces.
odd = st.text("._~%/ A2E", min_size=1, max_size=8) | model_ids


@given(odd)
def test_an_id_is_one_that_firestore_takes(model_id: str) -> None:
    """At most 1500 bytes, not reserved, and nothing in it that a path would change."""
    name = document_id(model_id)
    assert 1 <= len(name.encode()) <= LONGEST
    assert not re.fullmatch(r"\.\.?|__.*__", name)
    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", name)


@given(odd, odd)
def test_two_models_never_share_one(one: str, other: str) -> None:
    """Different names are different documents."""
    assert (document_id(one) == document_id(other)) is (one == other)


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("churn", "churn"),
        ("Churn_2-b.c", "Churn_2-b.c"),
        ("a/b", "a~2Fb"),
        ("ü", "~C3~BC"),
        ("~", "~7E"),
        (".", "~2E"),
        ("..", "~2E."),
        ("__x__", "~5F_x__"),
        ("____", "~5F___"),
        ("__", "__"),
    ],
)
def test_a_usual_name_is_readable(model_id: str, name: str) -> None:
    """An operator finds a model in Firestore by its name; only forbidden characters are encoded."""
    assert document_id(model_id) == name


def test_the_longest_names_fit() -> None:
    """A name of 256 four-byte characters becomes a hash, and still has its own document."""
    one, other = "\U0001f4c9" * MAX_MODEL_ID, "\U0001f4c9" * (MAX_MODEL_ID - 1) + "\U0001f4c8"
    assert re.fullmatch(r"~~[0-9a-f]{64}", document_id(one))
    assert document_id(one) != document_id(other)
