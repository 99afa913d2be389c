"""Deciding: one verdict for each trigger, by rules in the order of the contract. No clock, no I/O."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.config.model import Policy
from shared.decision.state import ModelState
from shared.fields import format_time
from shared.frozen import dataclass
from shared.trigger import SEVERITIES, RetrainTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do with a trigger.

    Attributes:
        decision: `launch`, `queue`, `wait` or `skip`.
        reason: the reason code of the contract.
        detail: the same for people.

    """

    decision: str
    reason: str
    detail: str = ""


Rule = Callable[[ModelState, RetrainTrigger, Policy, datetime], Verdict | None]


def decide(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict:
    """Judge a trigger that arrives."""
    return _first(ARRIVAL, state, trigger, policy, now)


def decide_queued(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict:
    """Judge the queued trigger when the model is free: a start that it waited behind may have begun its cooldown."""
    return _first((_cooldown, _approval), state, trigger, policy, now)


def decide_approved(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict:
    """Judge a trigger that a person released."""
    return _first((_cooldown, _busy), state, trigger, policy, now)


def decide_released(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict:
    """Judge a queued trigger that a person released before it was queued, when the model is free."""
    return _first((_cooldown,), state, trigger, policy, now)


def counts_as_drift(trigger: RetrainTrigger, verdict: Verdict) -> bool:
    """Whether the trigger is one of those that `consecutive` counts."""
    return trigger.origin == "drift" and verdict.reason not in ("duplicate", "low_severity")


def streak_at(state: ModelState, policy: Policy, now: datetime) -> tuple[datetime, ...]:
    """Return the drift triggers that still count at *now*."""
    return tuple(moment for moment in state.streak if now - moment <= policy.window)


def _first(
    rules: tuple[Rule, ...], state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime
) -> Verdict:
    verdicts = (rule(state, trigger, policy, now) for rule in rules)
    return next((verdict for verdict in verdicts if verdict), Verdict(decision="launch", reason="launched"))


def _duplicate(state: ModelState, trigger: RetrainTrigger, _policy: Policy, _now: datetime) -> Verdict | None:
    if not state.has_seen(trigger.trigger_id):
        return None
    return Verdict(decision="skip", reason="duplicate", detail="this trigger was decided before")


def _severity(_state: ModelState, trigger: RetrainTrigger, policy: Policy, _now: datetime) -> Verdict | None:
    least, given = policy.min_severity, trigger.severity
    if trigger.force or trigger.origin != "drift" or least is None or given is None:
        return None
    if SEVERITIES.index(given) >= SEVERITIES.index(least):
        return None
    return Verdict(decision="skip", reason="low_severity", detail=f"{given} is below {least}")


def _consecutive(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    count = len(streak_at(state, policy, now)) + 1
    if trigger.force or trigger.origin != "drift" or count >= policy.consecutive:
        return None
    return Verdict(decision="skip", reason="not_consecutive", detail=f"drift trigger {count} of {policy.consecutive}")


def _cooldown(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    if trigger.force or state.last_start is None or now >= state.last_start + policy.cooldown:
        return None
    until = format_time(state.last_start + policy.cooldown)
    return Verdict(decision="skip", reason="cooldown", detail=f"no training before {until}")


def _busy(state: ModelState, _trigger: RetrainTrigger, policy: Policy, _now: datetime) -> Verdict | None:
    if state.training is None:
        return None
    behind = f"behind the training of {state.training.trigger.trigger_id}"
    if policy.on_busy == "skip":
        return Verdict(decision="skip", reason="busy", detail=behind)
    return Verdict(decision="queue", reason="queued", detail=behind)


def _approval(_state: ModelState, _trigger: RetrainTrigger, policy: Policy, _now: datetime) -> Verdict | None:
    if not policy.approval:
        return None
    return Verdict(decision="wait", reason="awaiting_approval", detail="a person must release it")


ARRIVAL: Final[tuple[Rule, ...]] = (_duplicate, _severity, _consecutive, _cooldown, _busy, _approval)
