"""Every field of a trigger is checked by its own rule, and a problem names the field."""

import copy
import math

import pytest

from shared.errors import InvalidTriggerError
from shared.trigger import FIELDS
from tests.core.samples import NOW, trigger

SURROGATE = "a\ud800b"
LARGEST = {"a": "x" * (16 * 1024 - len('{"a":""}'))}


def nested(levels: int, *, in_lists: bool = False) -> dict[str, object]:
    """Return an object of so many levels, itself included: objects in objects, or lists in an object."""
    inner: object = 1
    for _ in range(levels - 1):
        inner = [inner] if in_lists else {"a": inner}
    return {"a": inner}


WRONG: list[tuple[dict[str, object], str]] = [
    ({"model_id": None}, "model_id: is missing, and no model of the configuration has default = true"),
    ({"model_id": ""}, "model_id: must have 1 to 256 characters, not 0"),
    ({"model_id": "m" * 257}, "model_id: must have 1 to 256 characters, not 257"),
    ({"model_id": 7}, "model_id: must be a string, not 7"),
    ({"model_id": True}, "model_id: must be a string, not True"),
    ({"model_id": ["churn"]}, "model_id: must be a string, not ['churn']"),
    ({"model_id": "a\nb"}, "model_id: must have no control characters, not 'a\\nb'"),
    ({"model_id": "a\x00"}, "model_id: must have no control characters, not 'a\\x00'"),
    ({"model_id": "\x1fa"}, "model_id: must have no control characters, not '\\x1fa'"),
    ({"model_id": "a\x7f"}, "model_id: must have no control characters, not 'a\\x7f'"),
    ({"model_id": "a\x9f"}, "model_id: must have no control characters, not 'a\\x9f'"),
    ({"model_id": SURROGATE}, "model_id: must be valid Unicode, not 'a\\ud800b'"),
    ({"trigger_id": ""}, "trigger_id: must have 1 to 128 characters, not 0"),
    ({"trigger_id": "t" * 129}, "trigger_id: must have 1 to 128 characters, not 129"),
    ({"trigger_id": 7}, "trigger_id: must be a string, not 7"),
    ({"trigger_id": SURROGATE}, "trigger_id: must be valid Unicode, not 'a\\ud800b'"),
    ({"origin": "cron"}, "origin: must be one of manual, schedule, drift, data, event, not 'cron'"),
    ({"origin": "Manual"}, "origin: must be one of manual, schedule, drift, data, event, not 'Manual'"),
    ({"origin": ""}, "origin: must be one of manual, schedule, drift, data, event, not ''"),
    ({"origin": {}}, "origin: must be one of manual, schedule, drift, data, event, not {}"),
    ({"reason": "r" * 513}, "reason: must have 0 to 512 characters, not 513"),
    ({"reason": 1.5}, "reason: must be a string, not 1.5"),
    ({"reason": SURROGATE}, "reason: must be valid Unicode, not 'a\\ud800b'"),
    ({"severity": "critical"}, "severity: must be one of low, medium, high, not 'critical'"),
    ({"severity": ""}, "severity: must be one of low, medium, high, not ''"),
    ({"severity": 2}, "severity: must be one of low, medium, high, not 2"),
    ({"requested_by": "p" * 513}, "requested_by: must have 0 to 512 characters, not 513"),
    ({"requested_by": ["me"]}, "requested_by: must be a string, not ['me']"),
    ({"requested_by": SURROGATE}, "requested_by: must be valid Unicode, not 'a\\ud800b'"),
    ({"force": 1}, "force: must be true or false, not 1"),
    ({"force": "true"}, "force: must be true or false, not 'true'"),
    ({"force": {}}, "force: must be true or false, not {}"),
    ({"requested_at": 1795230000}, "requested_at: must be a string, not 1795230000"),
    ({"requested_at": ""}, "requested_at: must be an ISO 8601 time with an offset, not ''"),
    ({"requested_at": "soon"}, "requested_at: must be an ISO 8601 time with an offset, not 'soon'"),
    ({"requested_at": "2026-11-21"}, "requested_at: must be an ISO 8601 time with an offset, not '2026-11-21'"),
    (
        {"requested_at": "2026-11-21T03:00:00"},
        "requested_at: must be an ISO 8601 time with an offset, not '2026-11-21T03:00:00'",
    ),
    (
        {"requested_at": "9999-12-31T23:59:59-23:00"},
        "requested_at: must be an ISO 8601 time with an offset, not '9999-12-31T23:59:59-23:00'",
    ),
    (
        {"requested_at": NOW.replace(tzinfo=None)},
        "requested_at: must be an ISO 8601 time with an offset, not '2026-11-21T03:00:00'",
    ),
    ({"parameters": []}, "parameters: must be an object, not []"),
    ({"parameters": "epochs=8"}, "parameters: must be an object, not 'epochs=8'"),
    ({"parameters": False}, "parameters: must be an object, not False"),
    (
        {"parameters": {"grid": {"lr": 1}}},
        "parameters.grid: must be a string, a number or a boolean, not {'lr': 1}",
    ),
    ({"parameters": {"ids": [1]}}, "parameters.ids: must be a string, a number or a boolean, not [1]"),
    ({"parameters": {"lr": None}}, "parameters.lr: must be a string, a number or a boolean, not None"),
    ({"parameters": {"lr": math.nan}}, "parameters.lr: must be a finite number, not nan"),
    ({"parameters": {"lr": -math.inf}}, "parameters.lr: must be a finite number, not -inf"),
    ({"parameters": {"n": 2**63}}, "parameters.n: must fit into 64 bits, not 9223372036854775808"),
    ({"parameters": {"n": -(2**63) - 1}}, "parameters.n: must fit into 64 bits, not -9223372036854775809"),
    ({"parameters": {"s": SURROGATE}}, "parameters.s: must be valid Unicode, not 'a\\ud800b'"),
    ({"parameters": {"a": LARGEST["a"] + "x"}}, "parameters: must have at most 16384 bytes as JSON, not 16385"),
    ({"evidence": "http://report"}, "evidence: must be an object, not 'http://report'"),
    ({"evidence": 0}, "evidence: must be an object, not 0"),
    ({"evidence": {"p": math.nan}}, "evidence: must be plain JSON: Out of range float values are not JSON compliant"),
    ({"evidence": {"s": {1}}}, "evidence: must be plain JSON: Object of type set is not JSON serializable"),
    ({"evidence": {"s": [SURROGATE]}}, "evidence: must be valid Unicode"),
    ({"evidence": nested(33)}, "evidence: must be nested at most 32 levels deep"),
    ({"evidence": nested(1000)}, "evidence: must be nested at most 32 levels deep"),
    ({"evidence": nested(33, in_lists=True)}, "evidence: must be nested at most 32 levels deep"),
    ({"evidence": {"a": LARGEST["a"] + "x"}}, "evidence: must have at most 16384 bytes as JSON, not 16385"),
    ({"evidence": {"a": "\u00e9" * 8189}}, "evidence: must have at most 16384 bytes as JSON, not 16386"),
]

BOUNDARY: list[tuple[str, object]] = [
    ("model_id", "m"),
    ("model_id", "m" * 256),
    ("model_id", "région/ü \u2028 \U0001f600"),
    ("trigger_id", "t"),
    ("trigger_id", "t" * 128),
    ("trigger_id", "a b\n\x00"),
    ("origin", "schedule"),
    ("reason", ""),
    ("reason", "r" * 512),
    ("severity", "low"),
    ("requested_by", ""),
    ("requested_by", "p" * 512),
    ("force", True),
    ("parameters", {"n": 2**63 - 1, "m": -(2**63), "lr": 1e-300, "on": False, "name": ""}),
    ("parameters", LARGEST),
    ("evidence", LARGEST),
    ("evidence", {"a": "\u00e9" * 8188}),
    ("evidence", {"a": [1] * 8188}),
    ("evidence", nested(32)),
    ("evidence", nested(32, in_lists=True)),
    ("evidence", {"report": {"url": "https://x", "tests": [1, None, {"p": 0.01}]}}),
]


@pytest.mark.parametrize(("fields", "message"), WRONG, ids=[message[:60] for _, message in WRONG])
def test_a_wrong_field_is_reported_by_name(fields: dict[str, object], message: str) -> None:
    """The error says which field is wrong, what it must be and what it is, and keeps field and problem apart."""
    with pytest.raises(InvalidTriggerError) as caught:
        trigger(**fields)
    assert str(caught.value) == message
    assert f"{caught.value.field}: {caught.value.problem}" == message
    assert caught.value.field.partition(".")[0] == next(iter(fields))


@pytest.mark.parametrize(("name", "value"), BOUNDARY, ids=[name for name, _ in BOUNDARY])
def test_a_value_at_the_edge_of_its_rule_is_taken(name: str, value: object) -> None:
    """The longest, the shortest and the largest value that a rule allows arrive unchanged."""
    assert getattr(trigger(**{name: value}), name) == value


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "model_id"])
def test_null_is_absent(name: str) -> None:
    """A field that is null is like one that is not there."""
    assert trigger(**{name: None}) == trigger()


def test_unknown_fields_are_left_alone() -> None:
    """A field that no trigger has changes nothing, whatever it holds."""
    assert trigger(schema=7, detail={"a": math.nan}, Model_Id=[], **{"": object()}) == trigger()


def test_the_input_is_neither_changed_nor_kept() -> None:
    """The given mappings stay as they are, and what happens to them later does not reach the trigger."""
    given = {"model_id": "churn", "parameters": {"epochs": 8}, "evidence": {"tests": [{"p": 0.01}]}}
    before = copy.deepcopy(given)
    requested = trigger(**given)
    assert given == before
    given["parameters"]["epochs"] = 9  # type: ignore[index]  # the sample is a dict of dicts
    given["evidence"]["tests"][0]["p"] = 1.0  # type: ignore[index]  # the sample is a dict of dicts
    assert (requested.parameters, requested.evidence) == ({"epochs": 8}, {"tests": [{"p": 0.01}]})


def test_a_trigger_cannot_be_changed() -> None:
    """Neither its fields nor its mappings take an assignment."""
    requested = trigger(parameters={"epochs": 8})
    with pytest.raises(AttributeError):
        requested.model_id = "other"  # type: ignore[misc]  # that is the claim
    with pytest.raises(TypeError):
        requested.parameters["epochs"] = 9  # type: ignore[index]  # that is the claim
