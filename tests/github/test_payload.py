"""A `client_payload` fits into the limits of GitHub; parameters arrive whole or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.github.answers import problem_of
from functions.github.payload import LONGEST_PAYLOAD, fitted
from shared.errors import TargetRefusedError

TEXTS = st.text(max_size=40).flatmap(lambda text: st.integers(0, 2000).map(lambda times: text * times))


def accepted(payload: object) -> bool:
    """Return whether GitHub accepts a payload."""
    return problem_of(json.dumps({"event_type": "train", "client_payload": payload}).encode()) is None


@given(reason=TEXTS, requested_by=TEXTS, evidence=st.dictionaries(st.text(max_size=5), TEXTS, max_size=3))
def test_values_for_people_never_keep_a_training_from_starting(
    reason: str, requested_by: str, evidence: dict[str, str]
) -> None:
    """It is cut until the payload fits; everything else is unchanged."""
    needed = {"token": "a" * 64, "parameters": {"epochs": 9}}
    informing = {"reason": reason, "requested_by": requested_by, "evidence": evidence}
    payload = fitted({**needed, **informing})
    assert accepted(payload)
    assert {name: payload[name] for name in needed} == needed
    assert reason.startswith(str(payload["reason"]))


def test_a_payload_that_fits_is_unchanged() -> None:
    """Up to the last character."""
    room = LONGEST_PAYLOAD - len('{"evidence":{"a":""},"reason":"b"}')
    payload: dict[str, Any] = {"evidence": {"a": "x" * room}, "reason": "b"}
    assert fitted(payload) == payload
    assert accepted(payload)
    longer = {"evidence": {"a": "x" * (room + 1)}, "reason": "b"}
    assert not accepted(longer)
    assert fitted(longer) == {"evidence": {"omitted": "too long"}, "reason": "b"}


def test_the_largest_is_cut_first() -> None:
    """The small ones stay whole."""
    payload = fitted({"reason": "r" * 70_000, "requested_by": "p" * 100, "evidence": {"url": "https://a.example"}})
    assert payload["requested_by"] == "p" * 100
    assert payload["evidence"] == {"url": "https://a.example"}
    assert 65_000 < len(str(payload["reason"])) < 65_535


def test_nothing_given_is_changed() -> None:
    """The given mapping is unchanged."""
    given_payload = {"reason": "r" * 70_000}
    fitted(given_payload)
    assert len(given_payload["reason"]) == 70_000


def test_parameters_that_are_too_long_are_refused() -> None:
    """They are never cut or dropped: the error names them."""
    with pytest.raises(TargetRefusedError, match="parameters: GitHub accepts a client_payload of at most 65535 char"):
        fitted({"token": "a", "parameters": {"text": "x" * 70_000}, "evidence": {"b": "y" * 90_000}})


def test_there_are_ten_names_at_most() -> None:
    """GitHub would refuse more."""
    ten = {str(number): number for number in range(10)}
    assert fitted(ten) == ten
    with pytest.raises(TargetRefusedError, match="client_payload: GitHub accepts at most 10 names, not 11"):
        fitted({**ten, "more": 1})
