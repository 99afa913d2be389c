"""The `drift` table of a model: the data to compare, the thresholds for drift, and where the report is published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from shared.config.addresses import check_dates, fill, read_place
from shared.config.tables import Table
from shared.trigger import SEVERITIES

SHARE: Final = 0.5
# A column with a fifth more missing values changes more for a model than most drifts of the other values.
MISSING_GROWTH: Final = 0.2
# A year of weekly checks.
KEEP_REPORTS: Final = timedelta(days=365)
# Beyond this, Evidently's statistics hardly change; up to it, time and memory fit a small function.
MAX_ROWS: Final = 100_000
# Up to this many reference rows, Evidently uses significance tests; beyond, distances, which ignore random variation.
SMALL_REFERENCE: Final = 1000
# With identically distributed data, Evidently's distance reports drift of a numeric column in 31 % of the checks with
# 200 rows, and in 3 % of those with 500.
MIN_ROWS: Final = 500
# Significance tests allow for few rows: 5 % false alarms for any number. Categories need some rows to be counted.
MIN_ROWS_OF_SMALL: Final = 30

_WEB: Final = re.compile(r"https?://[^\s/?#]+[^\s?#]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCheck:
    """The drift check of one model.

    Attributes:
        reference: the data that the model was trained on: a Parquet or CSV file, a folder or a glob pattern; a path
            relative to the configuration, or an `s3://`, `gs://` or `abfs://` URL.
        current: the data that the model receives in production, in the same forms; `{date}` and `{yesterday}` are
            replaced.
        site: the folder to which the pages are written; a path or URL as above.
        url: the public URL of *site*; empty if it has none.
        columns: the columns to compare; empty: every column that both data sets have.
        target: the column that the model predicts; empty if there is none.
        prediction: the column with the model's predictions; empty if there is none.
        drift_share: the share of the columns that must drift, over 0 and at most 1.
        missing_growth: a column also counts as drifted if its share of missing values grew by at least this, for
            instance from 0.1 to 0.3; over 0 and at most 1.
        severity: severity -> the lowest share of drifted columns that has this severity.
        max_rows: a data set with more rows is sampled down to this number.
        keep_reports: how long a check stays on the site.
        min_rows: a check needs at least this many rows in each data set; None: as many as Evidently's method needs.

    """

    reference: str
    current: str
    site: str
    url: str = ""
    columns: tuple[str, ...] = ()
    target: str = ""
    prediction: str = ""
    drift_share: float = SHARE
    missing_growth: float = MISSING_GROWTH
    severity: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    max_rows: int = MAX_ROWS
    min_rows: int | None = None
    keep_reports: timedelta = KEEP_REPORTS

    def is_drift(self, share: float) -> bool:
        """Return whether this *share* of drifted columns counts as drift of the data set (Evidently's rule)."""
        return share >= self.drift_share

    def severity_of(self, share: float) -> str | None:
        """Return the severity for this *share* of drifted columns: that of the highest threshold reached.

        Below the lowest threshold it is `low`, because a trigger without a severity would pass every `min_severity`.
        None if no thresholds are configured.
        """
        return severity_from(self.severity, share)

    def least_rows(self, reference_rows: int) -> int:
        """Return how many rows each data set needs if the reference has *reference_rows*."""
        standard = MIN_ROWS if reference_rows > SMALL_REFERENCE else MIN_ROWS_OF_SMALL
        return self.min_rows or standard

    def current_on(self, day: date) -> str:
        """Return `current` with its dates replaced for a check on *day* (UTC)."""
        return fill(self.current, day)


def read_drift(drift: Table) -> DriftCheck:
    """Parse the `drift` table of a model; problems are added to the table's list."""
    check = DriftCheck(
        reference=read_place(drift, "reference"),
        current=read_place(drift, "current"),
        # The same address with and without a trailing slash: models of one site share its index.
        site=read_place(drift, "site").rstrip("/") or "/",
        url=_url(drift),
        columns=drift.texts("columns"),
        target=drift.text("target"),
        prediction=drift.text("prediction"),
        drift_share=_share(drift, "drift_share", SHARE),
        missing_growth=_share(drift, "missing_growth", MISSING_GROWTH),
        severity=read_steps(drift.table("severity")),
        max_rows=drift.count("max_rows", MAX_ROWS),
        min_rows=drift.count("min_rows", 0) or None,
        keep_reports=drift.duration("keep_reports", KEEP_REPORTS),
    )
    check_dates(drift, "current", check.current)
    _check_steps(drift, check)
    if check.min_rows and check.min_rows > check.max_rows:
        drift.problem("min_rows", f"must be at most max_rows, {check.max_rows}, not {check.min_rows}")
    drift.done()
    return check


def _url(table: Table) -> str:
    url = table.text("url").rstrip("/")
    if url and not _WEB.fullmatch(url):
        table.problem("url", f"must be an http or https URL without a query, not {url!r}")
    return url


def severity_from(steps: Mapping[str, float], value: float) -> str | None:
    """Return the highest of *steps* that *value* reaches, `low` below the lowest; None if there are no steps."""
    if not steps:
        return None
    reached = [name for name in SEVERITIES if name in steps and value >= steps[name]]
    return reached[-1] if reached else SEVERITIES[0]


def read_steps(table: Table, *, most: float | None = 1.0) -> Mapping[str, float]:
    """Parse a table of severity -> lowest share; shares are over 0 and at most *most*."""
    steps = {name: _share(table, name, 0.0, most) for name in SEVERITIES if name in table}
    table.expect(*SEVERITIES)
    table.done()
    if list(steps.values()) != sorted(set(steps.values())):
        table.problem("", f"must increase from low to high, not {', '.join(f'{n} = {s}' for n, s in steps.items())}")
    return MappingProxyType(steps)


def _check_steps(table: Table, check: DriftCheck) -> None:
    steps = list(check.severity.items())
    for (name, share), (higher, begin) in pairwise(steps):
        if begin <= check.drift_share and share < begin:
            why = f"drift begins at drift_share = {check.drift_share}, which is already {higher}"
            advice = f"lower drift_share to {share}, or raise the thresholds"
            table.problem(f"severity.{name}", f"is never used: {why}; {advice}")


def _share(table: Table, key: str, default: float, most: float | None = 1.0) -> float:
    def check(value: object) -> float | None:
        # In Python bool is a subclass of int; in the file true is not a number.
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        return float(number) if number is not None and number > 0 and (most is None or number <= most) else None

    wanted = "a share over 0, such as 0.5" if most is None else f"a share over 0 and at most {most:g}, such as 0.5"
    return table.value(key, default, check, wanted)


def site_problems(checks: Mapping[str, DriftCheck]) -> list[str]:
    """Return the problems between *checks* (by model) that share a site: a site has only one URL."""
    first: dict[str, str] = {}
    problems: list[str] = []
    for name, check in checks.items():
        other = first.setdefault(check.site, name)
        if checks[other].url != check.url:
            urls = f'{checks[other].url!r} for models."{other}" and {check.url!r} here'
            problems.append(f'models."{name}".drift.url: must be the same for all of site {check.site!r}, not {urls}')
    return problems
