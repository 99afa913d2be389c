"""One verdict for each trigger: the first rule that holds, in the order of the reason codes."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from shared.config.model import Policy
from shared.decision.policy import (
    Verdict,
    counts_as_drift,
    decide,
    decide_kept,
    held_back,
    streak_at,
)
from shared.decision.reasons import Reason
from shared.decision.state import ModelState, Parked, Training
from shared.trigger import RetrainTrigger
from tests.core.samples import HOUR, NOW, SECOND, trigger

ORDER = ("duplicate", "low_severity", "not_consecutive", "cooldown", "busy", "awaiting_approval")
DECISIONS = {"awaiting_approval": "wait", "launched": "launch"}
DRIFT = trigger(origin="drift", severity="low")
FREE = ModelState()
SEVERITY = Verdict(decision="skip", reason="low_severity", detail="low is below medium")
APPROVAL = Verdict(decision="wait", reason="awaiting_approval", detail="a person must release it")


def training(name: str = "t-0") -> Training:
    """Return a training that runs for the trigger *name*."""
    return Training(
        trigger=trigger(trigger_id=name), claimed_at=NOW, first_claimed_at=NOW, holder="h", run_id="r", started_at=NOW
    )


def situations() -> Iterator[tuple[tuple[str, ...], ModelState, Policy]]:
    """Go through all combinations of rules: which hold for `DRIFT`, and the state and policy that make them hold."""
    for wanted in product((True, False), repeat=len(ORDER)):
        holding = tuple(reason for reason, held in zip(ORDER, wanted, strict=True) if held)
        state = ModelState(
            training=training() if "busy" in holding else None,
            last_start=NOW if "cooldown" in holding else None,
        )
        policy = Policy(
            cooldown=HOUR,
            on_busy="skip",
            min_severity="high" if "low_severity" in holding else None,
            consecutive=3 if "not_consecutive" in holding else 1,
            approval="awaiting_approval" in holding,
        )
        seen = state.remembering(DRIFT.trigger_id, launched=False)
        yield holding, seen if "duplicate" in holding else state, policy


def check(requested: RetrainTrigger, passed: tuple[str, ...]) -> int:
    """Check the verdict on *trigger* in every situation, where the rules *passed* do not count; return how many."""
    for holding, state, policy in situations():
        left = [reason for reason in holding if reason not in passed]
        reason = left[0] if left else "launched"
        verdict = decide(state, requested, policy, NOW)
        assert (verdict.decision, verdict.reason) == (DECISIONS.get(reason, "skip"), reason), holding
    return len(list(situations()))


def test_of_all_rules_that_hold_the_first_decides() -> None:
    """Whatever else holds, the reason is the earliest of the order; where nothing holds the trigger is launched."""
    assert check(DRIFT, passed=()) == 64


def test_force_passes_three_rules_and_no_other() -> None:
    """A forced trigger is not judged by severity, consecutive and cooldown, and by all the rest as any other."""
    forced = dataclasses.replace(DRIFT, force=True)
    assert check(forced, passed=("low_severity", "not_consecutive", "cooldown")) == 64


@pytest.mark.parametrize("origin", ["manual", "schedule", "data", "event"])
def test_only_drift_is_judged_by_severity_and_consecutive(origin: str) -> None:
    """A trigger of another origin passes these two rules, however low its severity."""
    assert check(dataclasses.replace(DRIFT, origin=origin), passed=("low_severity", "not_consecutive")) == 64


@pytest.mark.parametrize(
    ("state", "policy", "verdict"),
    [
        (
            FREE.remembering("t-1", launched=True),
            Policy(),
            Verdict(decision="skip", reason="duplicate", detail="this trigger was decided before"),
        ),
        (FREE, Policy(min_severity="medium"), SEVERITY),
        (
            ModelState(streak=(NOW,)),
            Policy(consecutive=3),
            Verdict(decision="skip", reason="not_consecutive", detail="drift trigger 2 of 3"),
        ),
        (
            ModelState(last_start=NOW),
            Policy(cooldown=HOUR),
            Verdict(decision="skip", reason="cooldown", detail="no training before 2026-11-21T04:00:00Z"),
        ),
        (
            ModelState(training=training()),
            Policy(on_busy="skip"),
            Verdict(decision="skip", reason="busy", detail="behind the training of t-0"),
        ),
        (
            ModelState(training=training()),
            Policy(on_busy="queue"),
            Verdict(decision="queue", reason="queued", detail="behind the training of t-0"),
        ),
        (FREE, Policy(approval=True), APPROVAL),
        (FREE, Policy(), Verdict(decision="launch", reason="launched")),
    ],
    ids=lambda value: value.reason if isinstance(value, Verdict) else "",
)
def test_a_verdict_says_why(state: ModelState, policy: Policy, verdict: Verdict) -> None:
    """The detail shows people what the reason code leaves open: which values met, and until when."""
    assert decide(state, DRIFT, policy, NOW) == verdict


@pytest.mark.parametrize(
    ("least", "given", "reason"),
    [
        *((None, given, "launched") for given in (None, "low", "high")),
        *((least, None, "launched") for least in ("low", "medium", "high")),
        *(("low", given, "launched") for given in ("low", "medium", "high")),
        ("medium", "low", "low_severity"),
        ("medium", "medium", "launched"),
        ("medium", "high", "launched"),
        ("high", "low", "low_severity"),
        ("high", "medium", "low_severity"),
        ("high", "high", "launched"),
    ],
)
def test_severities(least: str | None, given: str | None, reason: str) -> None:
    """A drift trigger below `min_severity` is skipped; one without a severity passes."""
    requested = trigger(origin="drift", severity=given)
    assert decide(FREE, requested, Policy(min_severity=least), NOW).reason == reason


@pytest.mark.parametrize(
    ("last_start", "reason"),
    [
        (NOW, "cooldown"),
        (NOW - HOUR + timedelta(microseconds=1), "cooldown"),
        (NOW - HOUR, "launched"),
        (NOW - 2 * HOUR, "launched"),
        (NOW + SECOND, "cooldown"),
    ],
)
def test_the_cooldown_is_over_at_its_very_second(last_start: datetime, reason: str) -> None:
    """A training may start exactly `cooldown` after the last start, and not a moment before."""
    state, policy = ModelState(last_start=last_start), Policy(cooldown=HOUR)
    assert decide(state, trigger(), policy, NOW).reason == reason
    held = held_back(state, trigger(), policy, NOW)
    assert (held.reason if held else "launched") == reason


@pytest.mark.parametrize(
    ("ago", "reason"),
    [
        ((0, 1), "launched"),
        ((60, 3600), "launched"),
        ((60, 3601), "not_consecutive"),
        ((3601, 3602), "not_consecutive"),
        ((60,), "not_consecutive"),
        ((), "not_consecutive"),
        ((1, 2, 3, 4), "launched"),
    ],
)
def test_drift_counts_within_the_window(ago: tuple[int, ...], reason: str) -> None:
    """Three drift triggers within `window` start a training: the edge belongs to it, what is older is forgotten."""
    state = ModelState(streak=tuple(NOW - SECOND * seconds for seconds in ago))
    policy = Policy(consecutive=3, window=HOUR)
    assert decide(state, DRIFT, policy, NOW).reason == reason
    assert streak_at(state, policy, NOW) == tuple(NOW - SECOND * seconds for seconds in ago if seconds <= 3600)


@pytest.mark.parametrize(
    ("origin", "reason", "counts"),
    [
        *(("drift", reason, True) for reason in ("launched", "not_consecutive", "cooldown", "busy", "queued")),
        ("drift", "duplicate", False),
        ("drift", "low_severity", False),
        ("manual", "launched", False),
        ("schedule", "cooldown", False),
    ],
)
def test_what_counts_as_drift(origin: str, reason: Reason, *, counts: bool) -> None:
    """Every drift trigger of sufficient severity counts once, whatever else became of it."""
    assert counts_as_drift(trigger(origin=origin), Verdict(decision="skip", reason=reason)) is counts


def test_a_cooldown_and_a_training_hold_a_kept_trigger_back() -> None:
    """The other rules were applied on arrival; nothing drops it."""
    for holding, state, policy in situations():
        held = held_back(state, DRIFT, policy, NOW)
        expected = [("queue", reason) for reason in ("cooldown", "busy") if reason in holding]
        assert ((held.decision, held.reason.replace("queued", "busy")) if held else None) == next(iter(expected), None)


@pytest.mark.parametrize(("released", "reason"), [(None, "awaiting_approval"), ("ada", "launched")])
def test_a_kept_trigger_is_approved_once(released: str | None, reason: str) -> None:
    """No second approval is requested if a person released it before it was kept."""
    kept = Parked(trigger=trigger(), since=NOW, approved_by=released)
    assert decide_kept(FREE, kept, Policy(approval=True), NOW).reason == reason


@pytest.mark.parametrize(
    ("kept", "newcomer", "reason"),
    [
        ({}, {}, "queued"),
        ({"force": True}, {}, "superseded"),
        ({"force": True}, {"force": True}, "queued"),
        ({"approved_by": "ada"}, {}, "superseded"),
        ({"approved_by": "ada"}, {"force": True}, "queued"),
    ],
)
def test_a_plain_trigger_takes_no_forced_or_released_ones_place(
    kept: dict[str, Any], newcomer: dict[str, Any], reason: str
) -> None:
    """It is skipped as superseded itself; a dry run applies the same rule."""
    by = kept.pop("approved_by", None)
    parked = Parked(trigger=trigger(trigger_id="kept", **kept), since=NOW, approved_by=by)
    state = ModelState(training=training(), queued=parked)
    assert decide(state, trigger(**newcomer), Policy(), NOW).reason == reason
