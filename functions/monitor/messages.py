"""The messages of a check: the trigger, and the notices for people."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from functions.monitor.result import Result
from shared.fields import MAX_MAPPING_BYTES
from shared.notice import Notice
from shared.ports import Notifier
from shared.training.channels import send_to_channels
from shared.trigger import MAX_TEXT

MONITOR: Final = "drift monitor"
FAILURE: Final = "monitor_failed"
# Channels limit the length of a message.
MOST_COLUMNS: Final = 50
# Half of what a trigger's evidence may have; the rest is for addresses.
MOST_BYTES: Final = MAX_MAPPING_BYTES // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people who are notified.

    Attributes:
        channels: returns the addresses for a model, which hold secrets.
        notifier: returns the notifier of a channel; None: no notice is sent.

    """

    channels: Callable[[str], Sequence[str]] = field(repr=False)
    notifier: Callable[[str], Notifier] | None

    def notify(self, notice: Notice) -> list[str]:
        """Send *notice* through the channels of its model; return those that failed, by names without secrets."""
        return [] if self.notifier is None else send_to_channels(notice, self.channels(notice.model_id), self.notifier)


def request_of(result: Result, report_url: str) -> dict[str, object]:
    """Return the fields of the trigger for *result*; the same data give the same id."""
    fields: dict[str, object] = {
        "model_id": result.model_id,
        "trigger_id": result.trigger_id,
        "origin": "drift",
        "reason": _cut(result.summary(), MAX_TEXT),
        "evidence": {
            "report_url": report_url,
            "share": round(result.share, 4),
            "columns": _fitting([_cut(name, 100) for name in result.drifted[:MOST_COLUMNS]]),
            "current": result.current.address,
            **({"quality": result.quality.document()} if result.quality else {}),
        },
    }
    return fields | ({"severity": result.severity} if result.severity else {})


def notice_of(result: Result, report_url: str, cloud: str) -> Notice:
    """Return the notice of *result*: the status of each column as JSON, and the address of the report."""
    statuses = dict(list(result.statuses().items())[:MOST_COLUMNS])
    trigger: dict[str, Any] = {"trigger_id": result.trigger_id, "origin": "drift", "requested_by": MONITOR}
    return Notice(
        event=result.status,
        cloud=cloud,
        at=result.at,
        model_id=result.model_id,
        reason=result.summary(),
        url=report_url,
        severity=result.severity or "",
        evidence={"columns": json.dumps(statuses, ensure_ascii=False), **_quality(result), **_not_compared(result)},
        **(trigger if result.needs_training else {}),
    )


def failure_notice(model_id: str, at: datetime, problem: str, cloud: str) -> Notice:
    """Return the notice of a check that failed because of *problem*."""
    return Notice(event=FAILURE, cloud=cloud, at=at, model_id=model_id, reason=problem, requested_by=MONITOR)


def _quality(result: Result) -> dict[str, object]:
    return {"quality": json.dumps(result.quality.document())} if result.quality else {}


def _not_compared(result: Result) -> dict[str, object]:
    named = [f"{name} ({filled.described()})" for name, filled in result.left_out_values.items()]
    more = f" and {len(named) - MOST_COLUMNS} more" if len(named) > MOST_COLUMNS else ""
    return {"not compared": ", ".join(named[:MOST_COLUMNS]) + more} if named else {}


def _fitting(names: Sequence[str]) -> list[str]:
    # As it goes over the wire, where a sign of another alphabet takes six bytes or twelve.
    sizes = itertools.accumulate(len(json.dumps(name)) + 2 for name in names)
    return [name for name, size in zip(names, sizes, strict=True) if size <= MOST_BYTES]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
