"""Decides on triggers: the first rule that applies gives the verdict. No clock, no I/O."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.config.model import Policy
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


def held_back(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    """Return why a kept or approved trigger cannot start now; None if it can.

    It is never dropped for such a reason: it stays, or becomes, the kept trigger.
    """
    alone = dataclasses.replace(state, queued=None)
    verdicts = (rule(alone, trigger, policy, now) for rule in (_cooldown, _training))
    held = next((verdict for verdict in verdicts if verdict), None)
    return None if held is None else Verdict(decision="queue", reason=held.reason, detail=held.detail)


def decide_kept(state: ModelState, kept: Parked, policy: Policy, now: datetime) -> Verdict:
    """Return the verdict on a kept trigger that nothing holds back; it is not approved a second time."""
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


def _cooldown(state: ModelState, trigger: RetrainTrigger, policy: Policy, now: datetime) -> Verdict | None:
    last = last_start(state)
    if trigger.force or last is None or now >= last + policy.cooldown:
        return None
    until = f"no training before {format_time(last + policy.cooldown)}"
    keeps = policy.on_cooldown == "queue"
    verdict = Verdict(decision="queue" if keeps else "skip", reason="cooldown", detail=until)
    return (keeps and _outranked(state, trigger)) or verdict


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
    kept = state.queued
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


ARRIVAL: Final[tuple[Rule, ...]] = (_duplicate, _severity, _consecutive, _cooldown, _busy, _approval)
