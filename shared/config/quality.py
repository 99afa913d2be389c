"""The `quality` table of a model: how its performance is measured, and from which loss on a training is requested."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from shared.config.addresses import check_dates, fill, read_place
from shared.config.drift import DriftCheck, read_steps, severity_from
from shared.config.tables import Table

REGRESSION: Final = ("mae", "rmse", "mape", "r2")
CLASSIFICATION: Final = ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss")
METRICS: Final = REGRESSION + CLASSIFICATION
# Of the others, more is better.
ERRORS: Final = ("mae", "rmse", "mape", "log_loss")
# These judge how sure a model is, so its predictions are probabilities, and not labels.
OF_PROBABILITIES: Final = ("roc_auc", "log_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """How the monitor judges the performance of one model.

    Attributes:
        metric: one of `METRICS`, as Evidently computes it.
        max_drop: by which share it may be worse than on the reference, over 0; none where *limit* counts.
        limit: what it may be at worst; none where *max_drop* counts.
        positive: the value of the target that a classifier with two classes looks for; empty: `1` or `true`.
        labels: where the true values are, if they are not beside the predictions: an address as for `current`.
        key: the column that both have in common, where there are *labels*.
        delay: how much later than the data their labels are complete. The predictions that are judged are those of
            `current` for so long before the run.
        severity: severity -> the loss from which on it holds: a share of the reference's value, or of *limit*.

    """

    metric: str
    max_drop: float | None = None
    limit: float | None = None
    positive: str = ""
    labels: str = ""
    key: str = ""
    delay: timedelta = timedelta()
    severity: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def drop(self, reference: float | None, current: float) -> float:
        """Return how much worse *current* is than *reference*, or than `limit`, as a share of that; below 0: better."""
        base = self.limit if self.limit is not None else reference
        if base is None:
            raise ValueError("without a limit, a reference is needed")
        worse = current - base if self.metric in ERRORS else base - current
        if not worse:
            return 0.0
        return worse / abs(base) if base else (float("inf") if worse > 0 else float("-inf"))

    def is_loss(self, drop: float) -> bool:
        """Whether a *drop* is more than is allowed."""
        return drop > (self.max_drop or 0.0)

    def severity_of(self, drop: float) -> str | None:
        """Return the severity of a *drop*: that of the highest step which it reaches, `low` below the lowest.

        None where there are no steps.
        """
        return severity_from(self.severity, drop)

    def labels_on(self, day: date) -> str:
        """Return `labels` with its dates filled in for a check made on *day* (UTC)."""
        return fill(self.labels, day)

    def data_day(self, day: date) -> date:
        """Return the day whose `current` data are judged on *day*."""
        return day - self.delay


def read_quality(quality: Table, drift: DriftCheck | None) -> QualityCheck:
    """Read the `quality` table of a model, whose data are those of its *drift* table; problems go to the table."""
    check = QualityCheck(
        metric=quality.choice("metric", METRICS, "") or "mae",
        max_drop=_number(quality, "max_drop", positive=True),
        limit=_number(quality, "limit", positive=False),
        positive=quality.text("positive"),
        labels=read_place(quality, "labels") if "labels" in quality else "",
        key=quality.text("key"),
        delay=quality.duration("delay", timedelta()),
        severity=read_steps(quality.table("severity"), most=None),
    )
    _check_metric(quality)
    if (check.max_drop is None) == (check.limit is None):
        quality.problem("", "needs either max_drop, the share by which it may be worse than on the reference, or limit")
    if bool(check.labels) != bool(check.key):
        quality.problem("key" if check.labels else "labels", "is missing: labels are joined to predictions by key")
    if drift is None or not (drift.target and drift.prediction):
        quality.problem("", "needs a drift table with target and prediction, which say where the data are")
    if check.labels:
        check_dates(quality, "labels", check.labels)
    if check.delay % timedelta(days=1):
        quality.problem("delay", "must be a number of days, as addresses of data change by the day")
    quality.done()
    return check


def _check_metric(table: Table) -> None:
    if "metric" not in table:
        table.problem("metric", f"is missing; it is one of {', '.join(METRICS)}")


def _number(table: Table, key: str, *, positive: bool) -> float | None:
    def check(value: object) -> float | None:
        # bool is a number to Python, not to the person who wrote the file.
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        return float(number) if number is not None and (number > 0 or not positive) else None

    wanted = "a share over 0, such as 0.2" if positive else "a number"
    return table.value(key, None, check, wanted)
