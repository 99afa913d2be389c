"""The `quality` table of a model: the metric for its performance, and the loss at which a training is requested."""

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
# Lower is better for these, higher for all others.
ERRORS: Final = ("mae", "rmse", "mape", "log_loss")
# These need probabilities as predictions, not labels.
OF_PROBABILITIES: Final = ("roc_auc", "log_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityCheck:
    """The quality check of one model.

    Attributes:
        metric: one of `METRICS`, as Evidently computes it.
        max_drop: the share, over 0, by which the metric may be worse than on the reference; None if *limit* is set.
        limit: the worst acceptable value of the metric; None if *max_drop* is set.
        positive: the positive class of a classifier with two classes; empty: `1` or `true`.
        labels: the data set with the true values, an address as in `current`; empty if `current` has them.
        key: the column by which *labels* and predictions are joined.
        delay: how long after the data the labels are complete. The checked predictions are those of `current` this
            long before the run.
        severity: severity -> the lowest loss that has this severity, as a share of the reference's value or of *limit*.

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
        """Return whether *drop* exceeds the allowed loss."""
        return drop > (self.max_drop or 0.0)

    def severity_of(self, drop: float) -> str | None:
        """Return the severity for *drop*: that of the highest threshold reached, `low` below the lowest.

        None if no thresholds are configured.
        """
        return severity_from(self.severity, drop)

    def labels_on(self, day: date) -> str:
        """Return `labels` with its dates replaced for a check on *day* (UTC)."""
        return fill(self.labels, day)

    def data_day(self, day: date) -> date:
        """Return the day whose `current` data are checked on *day*."""
        return day - self.delay


def read_quality(quality: Table, drift: DriftCheck | None) -> QualityCheck:
    """Parse the `quality` table of a model, which uses the data of *drift*; problems are added to the table's list."""
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
    quality.expect("labels")
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
        # In Python bool is a subclass of int, but true is not a number in the file.
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        return float(number) if number is not None and (number > 0 or not positive) else None

    wanted = "a share over 0, such as 0.2" if positive else "a number"
    return table.value(key, None, check, wanted)
