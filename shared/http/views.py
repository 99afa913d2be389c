"""The JSON bodies of `GET /models` and `GET /models/{model_id}`."""

import dataclasses
from datetime import datetime
from typing import Final

from shared.config.model import Model
from shared.config.tables import format_duration
from shared.decision.policy import cooldown_until, is_paused
from shared.decision.record import TriggerRecord, record_of, shown
from shared.decision.stale import stale_since
from shared.decision.state import Decided, ModelState, Parked, PastRun, Paused, Pending, Training
from shared.decision.terms import filled_parameters
from shared.fields import format_time

STATES: Final = ("training", "paused", "waiting", "cooling_down", "idle")
# The last runs and skips of a model that its entry in the list shows.
STRIP: Final = 20
_LETTERS: Final = {
    None: "r",
    "succeeded": "s",
    "failed": "f",
    "stopped": "x",
    "gone": "g",
    "handed_over": "h",
}


def summary(model_id: str, model: Model, state: ModelState, now: datetime) -> dict[str, object]:
    """Return the entry of a model in the list."""
    return {
        "model_id": model_id,
        "state": phase(model, state, now),
        "last_decision": _decision(state.decisions[0]) if state.decisions else None,
        "running": _running(state.training) if state.training else None,
        **_held(model, state),
        "last_run": _last_run(state.runs[0]) if state.runs else None,
        "last_success": _time(state.last_success),
        **_due(model, state, now),
        "strip": _strip(state),
    }


def damaged(model_id: str, model: Model, error: str, now: datetime) -> dict[str, object]:
    """Return the entry of a model whose document cannot be read: it has *error*, and all else is null."""
    return dict.fromkeys(summary(model_id, model, ModelState(), now)) | {
        "model_id": model_id,
        "strip": [],
        "error": error,
    }


def details(model_id: str, model: Model, cloud: str, state: ModelState, now: datetime) -> dict[str, object]:
    """Return the state, the history and the configuration of a model."""
    until = _cooldown_until(model, state)
    return {
        "model_id": model_id,
        "state": phase(model, state, now),
        "running": _running(state.training) if state.training else None,
        "cooldown_until": format_time(until) if until and until > now else None,
        "queued": _parked(model, state.queued) if state.queued else None,
        **_held(model, state),
        "decisions": [_decision(decided) for decided in state.decisions],
        "runs": [_run(run) for run in state.runs],
        "rejected": [_decision(decided) for decided in state.rejected],
        "follow_ups": [_pending(entry) for entry in state.pending],
        "configuration": _configuration(model, cloud),
    }


def _held(model: Model, state: ModelState) -> dict[str, object]:
    """Return what holds the model and its triggers back."""
    return {
        "waiting": _parked(model, state.waiting) if state.waiting else None,
        "paused": _paused(state.paused) if state.paused else None,
        "retry": _parked(model, state.retry) | {"at": _time(state.retry.retry_at)} if state.retry else None,
    }


def _due(model: Model, state: ModelState, now: datetime) -> dict[str, object]:
    # When the deployment's own schedule ticks is known to the platform only.
    following = model.own_schedule.next_after(now) if model.own_schedule else None
    return {"stale_since": _time(stale_since(state, model, now)), "next_scheduled": _time(following)}


def phase(model: Model, state: ModelState, now: datetime) -> str:
    """Return the state of the model: the first that holds of training, paused, waiting, cooling_down, idle."""
    if state.training is not None:
        return "training"
    if is_paused(state, now):
        return "paused"
    if state.waiting is not None:
        return "waiting"
    until = _cooldown_until(model, state)
    return "cooling_down" if until is not None and until > now else "idle"


def _cooldown_until(model: Model, state: ModelState) -> datetime | None:
    return cooldown_until(state, model.policy) if model.policy.cooldown else None


def _running(training: Training) -> dict[str, object]:
    return {
        "trigger_id": training.trigger.trigger_id,
        "run_id": training.run_id,
        "claimed_at": format_time(training.first_claimed_at),
        "started_at": _time(training.started_at),
        "url": training.url,
        "attempt": training.attempt,
        "since": format_time(training.started_at or training.first_claimed_at),
        "trigger": _trigger(training.record),
    }


def _parked(model: Model, parked: Parked) -> dict[str, object]:
    trigger = parked.trigger
    return {
        "trigger_id": trigger.trigger_id,
        "origin": trigger.origin,
        "reason": trigger.reason,
        "since": format_time(parked.since),
        "trigger": _trigger(record_of(trigger, filled_parameters(model, trigger))),
    }


def _paused(paused: Paused) -> dict[str, object]:
    return {
        "since": format_time(paused.since),
        "until": _time(paused.until),
        "by": paused.by,
        "reason": paused.reason,
    }


def _trigger(record: TriggerRecord) -> dict[str, object]:
    return {
        "origin": record.origin,
        "reason": record.reason,
        "severity": record.severity,
        "requested_by": record.requested_by,
        "requested_at": format_time(record.requested_at),
        "parameters": shown(record.parameters),
        "evidence": shown(record.evidence),
    }


def _decision(decided: Decided) -> dict[str, object]:
    return {
        "at": format_time(decided.at),
        # A model is paused and resumed without a trigger.
        "trigger_id": decided.trigger_id if decided.trigger_id or decided.decision != "steer" else None,
        "decision": decided.decision,
        "reason": decided.reason,
        "detail": decided.detail,
        "origin": decided.origin or None,
        "why": decided.why,
        "requested_by": decided.requested_by,
        "evidence": list(decided.evidence),
    }


def _run(run: PastRun) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        **_last_run(run),
        "url": run.url,
        "attempt": run.attempt,
        "trigger": _trigger(run.trigger) if run.trigger else None,
    }


def _last_run(run: PastRun) -> dict[str, object]:
    return {
        "trigger_id": run.trigger_id,
        "started_at": format_time(run.started_at),
        "ended_at": _time(run.ended_at),
        "result": run.result,
        "error": run.error or None,
    }


def _strip(state: ModelState) -> list[dict[str, object]]:
    """Return the last runs and skips, newest first."""
    runs = [(run.started_at, {"as": _LETTERS[run.result]}) for run in state.runs]
    skips = [(line.at, {"as": "-", "reason": line.reason}) for line in state.decisions if line.decision == "skip"]
    newest = sorted((*runs, *skips), key=lambda entry: entry[0], reverse=True)[:STRIP]
    return [{"at": format_time(at), **entry} for at, entry in newest]


def _pending(entry: Pending) -> dict[str, object]:
    return {
        "trigger_id": entry.trigger_id,
        "run_id": entry.run_id or None,
        "actions": list(entry.actions),
        "attempts": entry.attempts,
        "last_attempt_at": format_time(entry.claimed_at),
    }


def _time(moment: datetime | None) -> str | None:
    return format_time(moment) if moment else None


def _configuration(model: Model, cloud: str) -> dict[str, object]:
    policy, target = model.policy, model.targets.get(cloud)
    budget = policy.max_trainings
    return {
        "name": model.name,
        "default": model.default,
        "schedule": model.own_schedule.expression if model.own_schedule else model.schedule,
        "timezone": model.own_schedule.timezone if model.own_schedule else None,
        "max_age": format_duration(model.max_age) if model.max_age else None,
        "signals": list(model.signals),
        "cooldown": format_duration(policy.cooldown),
        "cooldown_after": policy.cooldown_after,
        "on_cooldown": policy.on_cooldown,
        "on_busy": policy.on_busy,
        "max_trainings": f"{budget.number}/{format_duration(budget.period)}" if budget else None,
        "retries": policy.retries,
        "retry_delay": format_duration(policy.retry_delay),
        "max_run": format_duration(policy.max_run),
        "min_severity": policy.min_severity,
        "consecutive": policy.consecutive,
        "window": format_duration(policy.window),
        "approval": policy.approval,
        "parameters": dict(model.parameters),
        "target": {"kind": target.kind, **dataclasses.asdict(target)} if target else None,
        "after": dataclasses.asdict(model.after),
        # Only where people can open it: the console links to it.
        **({"drift_reports": model.drift.url} if model.drift and model.drift.url else {}),
    }
