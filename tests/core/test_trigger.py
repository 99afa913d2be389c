"""The trigger: what it is on the wire, and what identifies it."""

import json
import re
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.document import EPOCH
from shared.trigger import FIELDS, ORIGINS, SEVERITIES, RetrainTrigger, derived_id, run_name
from tests.core.samples import NOW, trigger

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXTS = st.text(CHARACTERS, max_size=30)
PARAMETERS = st.one_of(
    TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
JSON = st.recursive(
    st.one_of(st.none(), PARAMETERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
WIRES = st.fixed_dictionaries(
    {"model_id": st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=256)},
    optional={
        "trigger_id": st.text(CHARACTERS, min_size=1, max_size=128),
        "origin": st.sampled_from(ORIGINS),
        "reason": TEXTS,
        "severity": st.sampled_from(SEVERITIES),
        "parameters": st.dictionaries(TEXTS, PARAMETERS, max_size=4),
        "requested_at": st.datetimes(min_value=EPOCH.replace(tzinfo=None), timezones=OFFSETS).map(
            lambda moment: moment.replace(year=min(moment.year, 9998)).isoformat()
        ),
        "requested_by": TEXTS.filter(bool),
        "evidence": st.dictionaries(TEXTS, JSON, max_size=3),
        "force": st.booleans(),
        "traceparent": st.sampled_from([TRACEPARENT, "other"]),
        "tracestate": TEXTS,
    },
)


@given(WIRES)
def test_a_trigger_survives_the_wire(fields: dict[str, object]) -> None:
    """Whatever a trigger holds is there again after JSON, to the type of each value."""
    sent = trigger(**fields)
    wire = json.dumps(sent.to_fields())
    received = RetrainTrigger.parse(json.loads(wire), trigger_id="other", origin="event", requested_at=EPOCH)
    assert received == sent
    assert json.dumps(received.to_fields()) == wire


def test_empty_fields_are_left_out_on_the_wire() -> None:
    """Only what a trigger has is sent, and the number of the schema."""
    assert trigger(reason="", parameters={}, evidence={}, force=False).to_fields() == {
        "model_id": "churn",
        "trigger_id": "t-1",
        "origin": "manual",
        "requested_at": "2026-11-21T03:00:00Z",
        "schema": 1,
    }


def test_a_full_trigger_on_the_wire() -> None:
    """Every field is sent under its own name, in plain JSON; a parameter that is zero or false is not empty."""
    fields: dict[str, object] = {
        "model_id": "churn",
        "trigger_id": "t-9",
        "origin": "drift",
        "reason": "share of drifted columns 0.6",
        "severity": "high",
        "parameters": {"epochs": 0, "full": False, "note": ""},
        "requested_at": "2026-11-21T03:00:00.250000Z",
        "requested_by": "monitor",
        "evidence": {"report_url": "https://reports/1"},
        "force": True,
        "traceparent": TRACEPARENT,
        "tracestate": "acme=1,other@vendor=a b",
    }
    assert tuple(fields) == FIELDS
    assert trigger(**fields).to_fields() == fields | {"schema": 1}


@pytest.mark.parametrize(
    "traceparent",
    [
        TRACEPARENT.upper(),
        f"{TRACEPARENT} ",
        f"{TRACEPARENT}-01",
        f"{TRACEPARENT},{TRACEPARENT}",
        TRACEPARENT.replace("00-", "01-", 1),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        TRACEPARENT[:-1],
        "",
        7,
        {"traceparent": TRACEPARENT},
    ],
)
def test_an_invalid_trace_context_is_left_out(traceparent: object) -> None:
    """The trigger counts as one without it."""
    read = trigger(traceparent=traceparent, tracestate="acme=1")
    assert (read.traceparent, read.tracestate, read.trace_id, read.trace_field) == (None, None, "", {})


@pytest.mark.parametrize(
    ("tracestate", "kept"),
    [
        ("acme=1", True),
        ("1a@b/c*=x , acme-2=y", True),
        (",".join(f"k{number}=v" for number in range(32)), True),
        (",".join(f"k{number}=v" for number in range(33)), False),
        (f"acme={'x' * 250},other={'x' * 250}", True),
        (f"acme={'x' * 250},other={'x' * 251}", False),
        ("acme", False),
        ("Acme=1", False),
        ("acme=1\n", False),
        ("acme=a=b", False),
        ("acme=\u00e9", False),
        ("", False),
        (["acme=1"], False),
    ],
)
def test_a_trace_state_is_kept_if_it_is_valid(tracestate: object, kept: bool) -> None:  # noqa: FBT001 - a parameter
    """Without it, the trace context is complete."""
    read = trigger(traceparent=TRACEPARENT, tracestate=tracestate)
    assert (read.trace_id, read.tracestate) == (TRACEPARENT[3:35], tracestate if kept else None)


def test_what_a_request_leaves_open_is_filled_in() -> None:
    """Id, origin and time are the caller's where the fields name none, and the fields' where they do."""
    named = {"model_id": "churn", "trigger_id": "mine", "origin": "data", "requested_at": "2026-01-01T00:00:00Z"}
    assert (trigger().trigger_id, trigger().origin, trigger().requested_at) == ("t-1", "manual", NOW)
    assert {name: trigger(**named).to_fields()[name] for name in named} == named


def test_the_wire_form_is_a_copy() -> None:
    """Changing what a trigger gave away does not change the trigger."""
    requested = trigger(parameters={"epochs": 8}, evidence={"url": "x"})
    sent = requested.to_fields()
    for name in ("parameters", "evidence"):
        part = sent[name]
        assert isinstance(part, dict)
        part.clear()
    assert (requested.parameters, requested.evidence) == ({"epochs": 8}, {"url": "x"})


def test_the_token_is_made_of_model_and_id_alone() -> None:
    """Equal triggers have equal tokens whatever else they say; another model or id has another one."""
    token = trigger().token
    assert re.fullmatch(r"[0-9a-f]{64}", token)
    assert token == trigger(reason="again", origin="drift", force=True, parameters={"epochs": 9}).token
    assert token == "a648aa5079c9a498fb9a0f4271b86a730c2f44160607a6cbb123004bf45ddf0c"
    others = {trigger(model_id="churn-2").token, trigger(trigger_id="t-2").token, trigger(model_id="churn\u200b").token}
    assert len(others | {token}) == 4


@pytest.mark.parametrize(("model_id", "trigger_id"), [("a", "bc"), ("ab", "c"), ("abc", "abc")])
def test_no_two_pairs_share_a_token(model_id: str, trigger_id: str) -> None:
    """Where the model's id ends and the trigger's begins makes a difference."""
    same = trigger(model_id=model_id, trigger_id=trigger_id).token
    pairs = {("a", "bc"), ("ab", "c"), ("abc", "abc"), ("a:b", "c"), ("a", "b:c")} - {(model_id, trigger_id)}
    assert same not in {trigger(model_id=model, trigger_id=name).token for model, name in pairs}


def test_the_run_name_begins_the_token() -> None:
    """A run is called `retrain-` and the first forty characters of the token, which every service takes as a name."""
    name = run_name(trigger().token)
    assert re.fullmatch(r"retrain-[0-9a-f]{40}", name)
    assert trigger().token.startswith(name.removeprefix("retrain-"))


@pytest.mark.parametrize(
    ("parts", "made"),
    [
        (("schedule", "churn", "2026-11-21T03:00:00Z"), "schedule:churn:2026-11-21T03:00:00Z"),
        (("ml3_platform", "b1"), "ml3_platform:b1"),
        (("s", "x" * 126), "s:" + "x" * 126),
        (("s", "x" * 127), "eb7d599ed60f98e09d0187a1c25bf2325e59f81e96dd1db94f2c11288242d88f"),
    ],
)
def test_a_derived_id_is_readable_until_it_is_too_long(parts: tuple[str, ...], made: str) -> None:
    """Up to 128 characters the id contains the parts; a longer one is its SHA-256, which is always an id."""
    assert derived_id(*parts) == made
    assert trigger(trigger_id=derived_id(*parts)).trigger_id == made
