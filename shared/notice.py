"""What people are told, as a value, as text and as JSON."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from shared.fields import format_time
from shared.frozen import dataclass

EVENTS: Final = ("launched", "ended", "failed", "rejected", "awaiting_approval")
"""What can be told: a training started; succeeded; failed, was stopped or is gone; something was turned down for good;
a training waits for a person."""

MONITOR_EVENTS: Final = ("drift", "no_drift", "monitor_failed")
"""What the drift monitor tells, whatever `[notify]` `on` says: people read its result."""

SCHEMA: Final = 1
_TITLES: Final = {
    "launched": "The training of {model} has started",
    "ended": "The training of {model} has {result}",
    "failed": "The training of {model} has {result}",
    "rejected": "An event for {model} was rejected",
    "awaiting_approval": "The training of {model} waits for an approval",
    "drift": "The data of {model} have drifted",
    "no_drift": "The data of {model} have not drifted",
    "monitor_failed": "The drift check of {model} failed",
}
_RESULTS: Final = {"stopped": "been stopped", "gone": "not ended in time and counts as gone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One piece of news for people; what is not known is an empty text.

    Attributes:
        event: one of `EVENTS` or `MONITOR_EVENTS`.
        cloud: where: `aws`, `gcp`, `azure` or `local`.
        at: when it happened, aware, UTC.
        model_id: whose; empty for an event that is for no model.
        trigger_id: which trigger.
        reason: why it was asked for, or what is wrong with it, for people; somebody else's text.
        run_id: how the training service calls the run.
        url: where to look at the run.
        result: how the run ended: `succeeded`, `failed`, `stopped` or `gone`; `handed_over` where its end is not ours.
        severity: the trigger's.
        origin: the trigger's.
        requested_by: who asked.
        evidence: where the trigger's reason can be checked.

    """

    event: str
    cloud: str
    at: datetime
    model_id: str = ""
    trigger_id: str = ""
    reason: str = ""
    run_id: str = ""
    url: str = ""
    result: str = ""
    severity: str = ""
    origin: str = ""
    requested_by: str = ""
    evidence: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def notice_title(notice: Notice) -> str:
    """Return *notice* as one line without line breaks, as a subject."""
    model = notice.model_id or "no model"
    result = _RESULTS.get(notice.result, notice.result or "ended")
    return _TITLES[notice.event].format(model=model, result=result)


def notice_text(notice: Notice) -> str:
    """Return *notice* for people to read: a title, then one fact a line."""
    facts = {
        "Reason": notice.reason,
        "Severity": notice.severity,
        "Origin": notice.origin,
        "Asked by": notice.requested_by,
        "Trigger": notice.trigger_id,
        "Run": notice.run_id,
        "See": notice.url,
        **{f"Evidence, {name}": str(value) for name, value in notice.evidence.items()},
        "Cloud": notice.cloud,
        "At": format_time(notice.at),
        "To start it": _how_to_approve(notice),
    }
    return "\n".join([notice_title(notice) + ".", *(f"{name}: {fact}" for name, fact in facts.items() if fact)])


def notice_document(notice: Notice) -> dict[str, object]:
    """Return *notice* as a JSON object: its fields, empty ones left out, with `title` and the `schema` number."""
    fields: dict[str, object] = {
        "event": notice.event,
        "title": notice_title(notice),
        "cloud": notice.cloud,
        "at": format_time(notice.at),
        "model_id": notice.model_id,
        "trigger_id": notice.trigger_id,
        "reason": notice.reason,
        "run_id": notice.run_id,
        "url": notice.url,
        "result": notice.result,
        "severity": notice.severity,
        "origin": notice.origin,
        "requested_by": notice.requested_by,
        "evidence": dict(notice.evidence),
    }
    return {name: value for name, value in fields.items() if value} | {"schema": SCHEMA}


def _how_to_approve(notice: Notice) -> str:
    if notice.event != "awaiting_approval":
        return ""
    path = f"/models/{quote(notice.model_id, safe='')}/approve"
    return f'POST {path} with {{"trigger_id": "{notice.trigger_id}"}}, or .../reject to drop it'
