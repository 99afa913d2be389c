"""The JSON bodies of `GET /models` and `GET /models/{model_id}`."""

import dataclasses
from datetime import datetime

from shared.config.model import Model
from shared.config.tables import format_duration
from shared.decision.state import Decided, ModelState, Parked, PastRun, Pending, Training
from shared.fields import format_time


def summary(model_id: str, model: Model, state: ModelState, now: datetime) -> dict[str, object]:
    """Return the entry of a model in the list."""
    last = _decision(state.decisions[0]) if state.decisions else None
    return {"model_id": model_id, "state": _phase(model, state, now), "last_decision": last}


def damaged(model_id: str, error: str) -> dict[str, object]:
    """Return the entry of a model whose document cannot be read: it has *error*, and its state is null."""
    return {"model_id": model_id, "state": None, "last_decision": None, "error": error}


def details(model_id: str, model: Model, cloud: str, state: ModelState, now: datetime) -> dict[str, object]:
    """Return the state, the history and the configuration of a model."""
    until = _cooldown_until(model, state)
    return {
        "model_id": model_id,
        "state": _phase(model, state, now),
        "running": _running(state.training) if state.training else None,
        "cooldown_until": format_time(until) if until and until > now else None,
        "queued": _parked(state.queued) if state.queued else None,
        "waiting": _parked(state.waiting) if state.waiting else None,
        "decisions": [_decision(decided) for decided in state.decisions],
        "runs": [_run(run) for run in state.runs],
        "rejected": [_decision(decided) for decided in state.rejected],
        "follow_ups": [_pending(entry) for entry in state.pending],
        "configuration": _configuration(model, cloud),
    }


def _phase(model: Model, state: ModelState, now: datetime) -> str:
    if state.training is not None:
        return "training"
    if state.waiting is not None:
        return "waiting"
    until = _cooldown_until(model, state)
    return "cooling_down" if until is not None and until > now else "idle"


def _cooldown_until(model: Model, state: ModelState) -> datetime | None:
    return state.last_start + model.policy.cooldown if state.last_start and model.policy.cooldown else None


def _running(training: Training) -> dict[str, object]:
    return {
        "trigger_id": training.trigger.trigger_id,
        "run_id": training.run_id,
        "claimed_at": format_time(training.first_claimed_at),
        "started_at": _time(training.started_at),
        "url": training.url,
    }


def _parked(parked: Parked) -> dict[str, object]:
    trigger = parked.trigger
    return {
        "trigger_id": trigger.trigger_id,
        "origin": trigger.origin,
        "reason": trigger.reason,
        "since": format_time(parked.since),
    }


def _decision(decided: Decided) -> dict[str, object]:
    return dataclasses.asdict(decided) | {"at": format_time(decided.at)}


def _run(run: PastRun) -> dict[str, object]:
    fields = dataclasses.asdict(run) | {"started_at": format_time(run.started_at), "ended_at": _time(run.ended_at)}
    del fields["attempt"], fields["base"]
    return fields


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
    }
