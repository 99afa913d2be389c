"""One verdict for each trigger: the first rule that holds, in the order of the reason codes."""

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from shared.config.model import Budget, Policy
from shared.decision.policy import (
    Verdict,
    counts_as_drift,
    decide,
    decide_kept,
    held_back,
    streak_at,
)
from shared.decision.reasons import Reason
from shared.decision.state import ModelState, Parked, Paused, Training
from shared.trigger import RetrainTrigger
from tests.core.samples import HOUR, NOW, SECOND, trigger

ORDER = (
    *("duplicate", "low_severity", "not_consecutive", "paused", "cooldown", "over_budget", "busy"),
    "awaiting_approval",
)
DECISIONS = {"awaiting_approval": "wait", "launched": "launch", "paused": "queue"}
# The reasons that may hold a kept trigger back.
KEEPING = ("paused", "cooldown", "over_budget", "busy")
PAUSED = Paused(since=NOW, by="ada", until=NOW + HOUR)
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
            starts=(NOW, NOW - HOUR),
            paused=PAUSED if "paused" in holding else None,
        )
        policy = Policy(
            cooldown=HOUR,
            on_busy="skip",
            max_trainings=Budget(number=2, period=2 * HOUR) if "over_budget" in holding else None,
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
    assert check(DRIFT, passed=()) == 256


def test_force_passes_three_rules_and_no_other() -> None:
    """A forced trigger is not judged by severity, consecutive and cooldown, and by all the rest as any other."""
    forced = dataclasses.replace(DRIFT, force=True)
    assert check(forced, passed=("low_severity", "not_consecutive", "cooldown")) == 256


@pytest.mark.parametrize("origin", ["manual", "schedule", "data", "event"])
def test_only_drift_is_judged_by_severity_and_consecutive(origin: str) -> None:
    """A trigger of another origin passes these two rules, however low its severity."""
    assert check(dataclasses.replace(DRIFT, origin=origin), passed=("low_severity", "not_consecutive")) == 256


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
    held = held_back(state, Parked(trigger=trigger(), since=NOW), policy, NOW)
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


def test_a_pause_a_cooldown_a_budget_and_a_training_hold_a_kept_trigger_back() -> None:
    """The other rules were applied on arrival; nothing drops it."""
    for holding, state, policy in situations():
        held = held_back(state, Parked(trigger=DRIFT, since=NOW), policy, NOW)
        expected = [("queue", reason) for reason in KEEPING if reason in holding]
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


RETRY = Parked(trigger=trigger(trigger_id="t-1~2"), since=NOW, attempt=2, base="t-1", retry_at=NOW)


def test_a_retry_is_judged_by_its_time_pause_budget_and_training_only() -> None:
    """Neither the cooldown nor an approval holds it back, and it is not started before its time."""
    for holding, state, policy in situations():
        held = held_back(state, RETRY, policy, NOW)
        expected = [reason for reason in ("paused", "over_budget", "busy") if reason in holding]
        assert (held.reason.replace("queued", "busy") if held else None) == next(iter(expected), None)
        early = held_back(state, RETRY, policy, NOW - SECOND)
        assert early is not None
        assert early.detail == "attempt 2; no training before 2026-11-21T03:00:00Z"
        assert decide_kept(state, RETRY, policy, NOW).reason == "launched"


def test_from_the_time_of_the_retry_whose_place_it_took_the_cooldown_does_not_hold_a_trigger() -> None:
    """It starts as soon as the cooldown is over, and at the latest when the retry would have."""
    kept = Parked(trigger=trigger(), since=NOW, retry_at=NOW + HOUR)
    state, policy = ModelState(last_start=NOW), Policy(cooldown=3 * HOUR)
    held = held_back(state, kept, policy, NOW + HOUR - SECOND)
    assert (held.reason if held else None) == "cooldown"
    assert held_back(state, kept, policy, NOW + HOUR) is None


@pytest.mark.parametrize(
    ("last_good", "running", "reason"),
    [(None, False, "launched"), (NOW - HOUR, False, "launched"), (NOW, False, "cooldown"), (None, True, "queued")],
)
def test_a_training_that_failed_starts_no_cooldown(last_good: datetime | None, reason: str, *, running: bool) -> None:
    """With `cooldown_after = "success"` only the last good start counts, and a running training does not."""
    state = ModelState(last_start=NOW, last_good_start=last_good, training=training() if running else None)
    assert decide(state, trigger(), Policy(cooldown=HOUR, cooldown_after="success"), NOW).reason == reason


@pytest.mark.parametrize(
    ("starts", "on_cooldown", "decision"),
    [((0, 1), "skip", "skip"), ((0, 1), "queue", "queue"), ((0,), "skip", "launch"), ((0, 2), "skip", "launch")],
)
def test_a_budget_counts_the_starts_of_a_period(starts: tuple[int, ...], on_cooldown: str, decision: str) -> None:
    """Beyond it `on_cooldown` decides, about a forced trigger, too; a start is free again after exactly the period."""
    state = ModelState(starts=tuple(NOW - HOUR * hours for hours in starts))
    policy = Policy(max_trainings=Budget(number=2, period=2 * HOUR), on_cooldown=on_cooldown)
    verdict = decide(state, trigger(force=True), policy, NOW)
    assert verdict.decision == decision
    if decision != "launch":
        assert verdict.reason == "over_budget"
        assert verdict.detail == "2 started in 2h; no training before 2026-11-21T04:00:00Z"


def test_a_claim_counts_as_a_start_for_the_budget() -> None:
    """Until it is refused, as for the cooldown."""
    claim = dataclasses.replace(training(), run_id=None, started_at=None)
    policy = Policy(max_trainings=Budget(number=1, period=HOUR))
    assert decide(ModelState(training=claim), trigger(), policy, NOW).reason == "over_budget"
    assert decide(ModelState(training=training()), trigger(), policy, NOW).reason == "queued"


def test_a_pause_ends_when_its_time_has_come() -> None:
    """From that second on it holds nothing back, whether the sweep has recorded its end or not."""
    state = ModelState(paused=PAUSED)
    assert decide(state, trigger(force=True), Policy(), NOW + HOUR - SECOND).detail == (
        "paused by ada until 2026-11-21T04:00:00Z"
    )
    assert decide(state, trigger(), Policy(), NOW + HOUR).reason == "launched"
