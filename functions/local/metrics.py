"""Metrics of the server of this machine in the text format of Prometheus, counted from the log events."""

import logging
import threading
from collections import defaultdict
from typing import Final

from shared.decision.attention import FOR_PEOPLE
from shared.errors import DamagedStateError
from shared.http.parts import EmitterParts
from shared.ledger.snapshots import load

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
DECISIONS: Final = "retrain_decisions_total"
TRAININGS: Final = "retrain_trainings_total"
SECONDS: Final = "retrain_training_seconds"
EVALUATIONS: Final = "retrain_schedules_evaluated_total"
# A scrape reads no more models than this.
MOST_QUEUED: Final = 10_000
OLDEST: Final = "retrain_oldest_queued_seconds"

_HELP: Final = {
    DECISIONS: ("counter", "Decisions on triggers."),
    TRAININGS: ("counter", "Trainings that have ended."),
    SECONDS: ("summary", "Duration of trainings that have ended."),
    EVALUATIONS: ("counter", "Evaluations of the models' own schedules."),
    OLDEST: ("gauge", "Age of the oldest queued trigger; 0 if none is queued."),
}


class Metrics(logging.Handler):
    """Counts the log events of this process; it begins at zero, as Prometheus expects."""

    def __init__(self) -> None:
        """Count nothing yet."""
        super().__init__(logging.INFO)
        self._samples: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._counting = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Count *record*, if it is one of the counted events."""
        fields = vars(record)
        match record.getMessage():
            case "retrain.decided":
                self._add(DECISIONS, _labels(decision=fields.get("decision"), reason=fields.get("reason")), 1)
            case "retrain.ended":
                labels = _labels(result=fields.get("result"))
                self._add(TRAININGS, labels, 1)
                if "seconds" in fields:
                    self._add(f"{SECONDS}_count", labels, 1)
                    self._add(f"{SECONDS}_sum", labels, float(fields["seconds"]))
            case "retrain.schedules_evaluated":
                self._add(EVALUATIONS, "", 1)

    def text(self, emitter: EmitterParts) -> str:
        """Return all metrics; the queued triggers are read from the ledger now.

        Raises:
            UnavailableError: the ledger is unavailable.

        """
        with self._counting:
            samples = {**self._samples, (OLDEST, ""): oldest_queued(emitter)}
        lines = []
        for name, (kind, text) in _HELP.items():
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            lines += [
                f"{sample}{labels} {value}"
                for (sample, labels), value in sorted(samples.items())
                if sample.removesuffix("_sum").removesuffix("_count") == name
            ]
        return "\n".join([*lines, ""])

    def _add(self, name: str, labels: str, value: float) -> None:
        with self._counting:
            self._samples[name, labels] += value


def oldest_queued(emitter: EmitterParts) -> float:
    """Return the age of the oldest queued trigger in seconds; 0 if none is queued.

    Raises:
        UnavailableError: the ledger is unavailable.

    """
    now, oldest = emitter.clock(), 0.0
    # A queued trigger needs attention, now or when the training before it has ended.
    for model_id in emitter.ledger.due(FOR_PEOPLE, MOST_QUEUED) or []:
        try:
            queued = load(emitter.ledger, model_id).state.queued
        except DamagedStateError:
            continue
        oldest = max(oldest, (now - queued.since).total_seconds()) if queued else oldest
    return oldest


def _labels(**values: object) -> str:
    """Return labels; decisions, reasons and results are words of this project, so nothing needs an escape."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in values.items()) + "}"
