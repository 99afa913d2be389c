"""Decides on triggers: the first rule that applies gives the verdict. No clock, no I/O."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.config.model import Policy
from shared.config.tables import format_duration
from shared.decision.reasons import Decision, Reason
from shared.decision.state import ModelState, Parked, Training
from shared.fields import format_time
from shared.frozen import dataclass
from shared.trigger import SEVERITIES, RetrainTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision on a trigger.

    Attributes:
        decision: the decision.
        reason: the reason code.
        detail: the reason for people.

    """

    decision: Decision
    reason: Reason
    detail: str = ""


Rule = Callable[[ModelState, RetrainTrigger, Policy, datetime], Verdict | None]


def decide(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict:
    """Return the verdict on a new trigger."""
    return _first(ARRIVAL, state, trigger, policy, now)


def held_back(state: ModelState, kept: Parked, policy: Policy, now: datetime) -> Verdict | None:
    """Return why a kept or released trigger cannot start now; None if it can.

    It is never dropped for such a reason: it stays, or becomes, the kept trigger. A retry is judged by its time, pause,
    budget and the running training only.
    """
    alone = dataclasses.replace(state, queued=None, retry=None)
    rules = (_paused, _budget, _training) if _passes_cooldown(kept, now) else (_paused, _cooldown, _budget, _training)
    verdicts = (rule(alone, kept.trigger, policy, now) for rule in rules)
    held = _too_early(kept, now) or next((verdict for verdict in verdicts if verdict), None)
    return None if held is None else Verdict(decision="queue", reason=held.reason, detail=held.detail)


def decide_kept(state: ModelState, kept: Parked, policy: Policy, now: datetime) -> Verdict:
    """Return the verdict on a kept trigger that nothing holds back; it is not approved a second time."""
    if kept.is_retry:
        return Verdict(decision="launch", reason="launched", detail=f"attempt {kept.attempt}")
    rules = () if kept.approved_by else (_approval,)
    return _first(rules, state, kept.trigger, policy, now)


def counts_as_drift(trigger: RetrainTrigger, verdict: Verdict) -> bool:
    """Return whether `consecutive` counts this trigger."""
    return trigger.origin == "drift" and verdict.reason not in ("duplicate", "low_severity")


def streak_at(state: ModelState, policy: Policy, now: datetime) -> tuple[datetime, ...]:
    """Return the times of the drift triggers that still count at *now*."""
    return tuple(moment for moment in state.streak if now - moment <= policy.window)


def _first(
    rules: tuple[Rule, ...], state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime
) -> Verdict:
    for rule in rules:
        verdict = rule(state, trigger, policy, now)
        if verdict is not None:
            return verdict
    return Verdict(decision="launch", reason="launched")


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


def is_paused(state: ModelState, now: datetime) -> bool:
    """Return whether a pause holds at *now*; one whose time is over does not, although it may still be recorded."""
    return state.paused is not None and (state.paused.until is None or now < state.paused.until)


def _paused(state: ModelState, trigger: RetrainTrigger, _policy: Policy, now: datetime) -> Verdict | None:
    if state.paused is None or not is_paused(state, now):
        return None
    until = f" until {format_time(state.paused.until)}" if state.paused.until else ""
    detail = f"paused by {state.paused.by}{until}"
    return _outranked(state, trigger) or Verdict(decision="queue", reason="paused", detail=detail)


def _cooldown(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    until = cooldown_until(state, policy)
    if trigger.force or until is None or now >= until:
        return None
    return _postponed(state, trigger, policy, Verdict(decision="skip", reason="cooldown", detail=_not_before(until)))


def _budget(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    until, budget = budget_until(state, policy), policy.max_trainings
    if budget is None or until is None or now >= until:
        return None
    detail = f"{budget.number} started in {format_duration(budget.period)}; {_not_before(until)}"
    return _postponed(state, trigger, policy, Verdict(decision="skip", reason="over_budget", detail=detail))


def _postponed(state: ModelState, trigger: RetrainTrigger, policy: Policy, verdict: Verdict) -> Verdict:
    """Return *verdict*, which skips *trigger*, or keeps it if `on_cooldown` is `queue`."""
    if policy.on_cooldown != "queue":
        return verdict
    return _outranked(state, trigger) or dataclasses.replace(verdict, decision="queue")


def _not_before(until: datetime) -> str:
    return f"no training before {format_time(until)}"


def _too_early(kept: Parked, now: datetime) -> Verdict | None:
    # The clock of the machine that recorded a person's request may be ahead.
    if not kept.is_retry or kept.approved_by or kept.retry_at is None or now >= kept.retry_at:
        return None
    return Verdict(decision="queue", reason="queued", detail=f"attempt {kept.attempt}; {_not_before(kept.retry_at)}")


def _passes_cooldown(kept: Parked, now: datetime) -> bool:
    return kept.is_retry or (kept.retry_at is not None and now >= kept.retry_at)


def cooldown_until(state: ModelState, policy: Policy) -> datetime | None:
    """Return until when the cooldown holds; None if no training counts."""
    start = state.last_good_start if policy.cooldown_after == "success" else last_start(state)
    return None if start is None else start + policy.cooldown


def budget_until(state: ModelState, policy: Policy) -> datetime | None:
    """Return until when `max_trainings` holds; None if there were fewer starts."""
    budget = policy.max_trainings
    if budget is None:
        return None
    claim = state.training
    starts = state.starts if claim is None or claim.run_id else (claim.first_claimed_at, *state.starts)
    return starts[budget.number - 1] + budget.period if len(starts) >= budget.number else None


def last_start(state: ModelState) -> datetime | None:
    """Return when the last training started; a claim counts as a start until it is refused."""
    claim = state.training
    if claim is None or claim.run_id is not None:
        return state.last_start
    return max(claim.first_claimed_at, state.last_start or claim.first_claimed_at)


def _training(state: ModelState, _trigger: RetrainTrigger, _policy: Policy, _now: datetime) -> Verdict | None:
    if state.training is None:
        return None
    return Verdict(decision="queue", reason="queued", detail=_behind(state.training))


def _busy(state: ModelState, trigger: RetrainTrigger, policy: Policy, _now: datetime) -> Verdict | None:
    if state.training is None:
        return None
    if policy.on_busy == "skip":
        return Verdict(decision="skip", reason="busy", detail=_behind(state.training))
    return _outranked(state, trigger) or Verdict(decision="queue", reason="queued", detail=_behind(state.training))


def _outranked(state: ModelState, trigger: RetrainTrigger) -> Verdict | None:
    kept = state.kept
    if kept is None or not kept.outranks(trigger):
        return None
    detail = f"{kept.trigger.trigger_id}, which is forced or was released, is kept"
    return Verdict(decision="skip", reason="superseded", detail=detail)


def _behind(training: Training) -> str:
    return f"behind the training of {training.trigger.trigger_id}"


def _approval(_state: ModelState, _trigger: RetrainTrigger, policy: Policy, _now: datetime) -> Verdict | None:
    if not policy.approval:
        return None
    return Verdict(decision="wait", reason="awaiting_approval", detail="a person must release it")


ARRIVAL: Final[tuple[Rule, ...]] = (
    _duplicate,
    _severity,
    _consecutive,
    _paused,
    _cooldown,
    _budget,
    _busy,
    _approval,
)
