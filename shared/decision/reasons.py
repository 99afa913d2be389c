"""The words of a decision and of a result, as types, so that a misspelt one does not pass the type checker."""

from typing import Literal

Decision = Literal["launch", "queue", "wait", "skip", "reject", "ignore"]
"""What happens to a trigger or an event."""

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
"""Why: the reason codes that people, dashboards and the API see."""

Result = Literal["succeeded", "failed", "stopped", "gone", "handed_over"]
"""How a training ended: `gone` where it did not end in time, `handed_over` where its end cannot be seen."""
