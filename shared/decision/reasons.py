"""The decisions, reason codes and results as types, so that the type checker finds misspelt ones."""

from typing import Literal

Decision = Literal["launch", "queue", "wait", "skip", "reject", "ignore"]
"""The decision on a trigger or an event."""

Reason = Literal[
    "launched",
    "queued",
    "awaiting_approval",
    "duplicate",
    "low_severity",
    "not_consecutive",
    "cooldown",
    "busy",
    "superseded",
    "not_approved",
    "rejected",
    "ignored",
]
"""The reason codes in logs, dashboards and the API."""

Result = Literal["succeeded", "failed", "stopped", "gone", "handed_over"]
"""How a training ended: `gone` if it did not end in time, `handed_over` if its end cannot be observed."""
