"""The decisions, reason codes and results as types, so that the type checker finds misspelt ones."""

from typing import Final, Literal

Decision = Literal["launch", "queue", "wait", "skip", "reject", "ignore", "steer"]
"""The decision on a trigger or an event; `steer` is what a person, or the sweep, did to the model."""

Reason = Literal[
    "launched",
    "queued",
    "awaiting_approval",
    "duplicate",
    "low_severity",
    "not_consecutive",
    "paused",
    "cooldown",
    "over_budget",
    "busy",
    "superseded",
    "not_approved",
    "cancelled",
    "rejected",
    "ignored",
    "approved",
    "resumed",
    "retried",
]
"""The reason codes in logs, dashboards and the API."""

Result = Literal["succeeded", "failed", "stopped", "gone", "handed_over"]
"""How a training ended: `gone` if it did not end in time, `handed_over` if its end cannot be observed."""

GOOD: Final[tuple[Result, ...]] = ("succeeded", "gone", "handed_over")
"""The results after which the cooldown counts although `cooldown_after` is `success`."""
SUCCESSES: Final[tuple[Result, ...]] = ("succeeded", "handed_over")
"""The results that count as a success, as far as it can be observed."""
