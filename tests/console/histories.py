"""Models that have been trained for weeks, written into the ledger of this machine."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from functions.local.ledger import SqliteLedger
from shared.decision.reasons import Reason, Result
from shared.decision.record import record_of
from shared.decision.state import Decided, ModelState, PastRun, decided_about
from shared.ledger.document import write_state
from shared.trigger import RetrainTrigger

DAY: Final = timedelta(days=1)
LENGTH: Final = 40
_REASONS: Final = {
    "manual": "new labels",
    "schedule": "scheduled",
    "drift": "3 of 8 columns drifted: price, region, weekday",
    "data": "new object sales/2026-11-20.parquet",
}
_SKIPS: Final[tuple[Reason, ...]] = ("cooldown", "low_severity", "not_consecutive", "cooldown", "busy")


def stock(path: Path, names: Iterable[str], now: datetime) -> None:
    """Write the histories of the models *names* until *now* into the ledger at *path*."""
    ledger = SqliteLedger(path)
    for name in names:
        ledger.save(name, write_state(history(name, now)), None)


def history(model_id: str, now: datetime) -> ModelState:
    """Return the state of a model with a full history; the same for the same name and time."""
    drawn = random.Random(model_id)  # noqa: S311 - an example
    runs: list[PastRun] = []
    decisions: list[Decided] = []
    at = now - timedelta(hours=drawn.uniform(1, 60))
    while len(decisions) < LENGTH:
        trigger = _trigger(model_id, len(decisions), at, drawn)
        if drawn.random() < 0.3:
            skip = decided_about(trigger, at=at, decision="skip", reason=drawn.choice(_SKIPS))
            decisions.append(skip)
        else:
            runs.append(_run(trigger, at, drawn))
            decisions.append(decided_about(trigger, at=at, decision="launch", reason="launched"))
        at -= timedelta(hours=drawn.uniform(8, 70))
    success = next((run.ended_at for run in runs if run.result == "succeeded"), None)
    return ModelState(decisions=tuple(decisions), runs=tuple(runs), last_start=runs[0].started_at, last_success=success)


def _trigger(model_id: str, number: int, at: datetime, drawn: random.Random) -> RetrainTrigger:
    origin = drawn.choice(tuple(_REASONS))
    return RetrainTrigger(
        model_id=model_id,
        trigger_id=f"{origin}-{LENGTH - number}",
        origin=origin,
        reason=_REASONS[origin],
        requested_by={"manual": "ada@example.com", "drift": "monitor"}.get(origin),
        requested_at=at,
        parameters={"epochs": drawn.choice((8, 12)), "region": "north"},
        evidence={"report_url": f"https://reports.example/{number}/report.html"} if origin == "drift" else {},
    )


def _run(trigger: RetrainTrigger, at: datetime, drawn: random.Random) -> PastRun:
    result: Result = drawn.choices(("succeeded", "failed", "stopped"), (10, 2, 0.5))[0]
    minutes = max(4, drawn.gauss(45, 14)) * (0.3 if result == "failed" else 1)
    return PastRun(
        run_id=f"run-{trigger.trigger_id}",
        trigger_id=trigger.trigger_id,
        started_at=at,
        ended_at=at + timedelta(minutes=minutes),
        result=result,
        url=f"https://service.example/runs/{trigger.trigger_id}",
        error="ValueError: the column price is missing in sales/2026-11-20.parquet" if result == "failed" else "",
        trigger=record_of(trigger),
    )
