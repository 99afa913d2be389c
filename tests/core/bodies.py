"""The JSON of a model before anything has happened to it, as the HTTP API returns it."""

from collections.abc import Mapping
from typing import Any, Final

# The entry in the list.
UNUSED: Final[dict[str, Any]] = {
    "model_id": "",
    "state": "idle",
    "last_decision": None,
    "running": None,
    "waiting": None,
    "paused": None,
    "retry": None,
    "last_run": None,
    "last_success": None,
    "stale_since": None,
    "next_scheduled": None,
    "strip": [],
}
# The model itself.
CHURN: Final[Mapping[str, Any]] = {
    "model_id": "churn",
    "state": "idle",
    "running": None,
    "cooldown_until": None,
    "queued": None,
    "waiting": None,
    "paused": None,
    "retry": None,
    "decisions": [],
    "runs": [],
    "rejected": [],
    "follow_ups": [],
    "configuration": {
        "name": "churn",
        "default": True,
        "schedule": False,
        "timezone": None,
        "max_age": None,
        "signals": [],
        "cooldown": "0s",
        "cooldown_after": "start",
        "on_cooldown": "skip",
        "on_busy": "queue",
        "max_trainings": None,
        "retries": 0,
        "retry_delay": "30m",
        "max_run": "1d",
        "min_severity": None,
        "consecutive": 1,
        "window": "7d",
        "approval": False,
        "parameters": {"epochs": 8, "note": "$trigger_id"},
        "after": {"succeeded": [], "failed": []},
    },
}
