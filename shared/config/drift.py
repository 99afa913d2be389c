"""The `drift` table of a model: what is compared with what, when that counts as drift, and where it is told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from shared.config.tables import Table
from shared.trigger import SEVERITIES

SCHEMES: Final = ("s3", "gs", "abfs")
SHARE: Final = 0.5
# Evidently's statistics hardly change beyond it, and its time and memory stay those of a small function.
MAX_ROWS: Final = 100_000
# Up to so many rows of reference Evidently tests for significance; beyond, it measures distances, which know no chance.
SMALL_REFERENCE: Final = 1000
# Of equal data, a number drifts in 31 % of the checks of 200 rows by Evidently's distance, and in 3 % of those of 500.
MIN_ROWS: Final = 500
# A test of significance reckons with few rows: 5 % however few there are. Categories need some to be counted.
MIN_ROWS_OF_SMALL: Final = 30

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://")
_WEB: Final = re.compile(r"https?://[^\s/?#]+[^\s?#]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCheck:
    """What the drift monitor does for one model.

    Attributes:
        reference: the data that the model was trained on: Parquet or CSV, a file, a folder or a pattern of files; a
            path relative to the configuration, or an `s3://`, `gs://` or `abfs://` address.
        current: the data that the model sees now, in the same forms; `{date}` and `{yesterday}` are filled in.
        site: the folder of the pages; a path or address as above.
        url: the address at which people read *site*, if it has one.
        columns: what is compared; empty: every column that both have.
        target: the column that the model predicts, if it is there.
        prediction: the column of its predictions, if it is there.
        drift_share: the share of the columns that must drift, over 0 and at most 1.
        severity: severity -> the share of drifted columns from which on a drift has it.
        max_rows: more rows than this are sampled, in each of the two.
        min_rows: fewer rows than this are not compared, in either of the two; none: as many as the method needs.

    """

    reference: str
    current: str
    site: str
    url: str = ""
    columns: tuple[str, ...] = ()
    target: str = ""
    prediction: str = ""
    drift_share: float = SHARE
    severity: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    max_rows: int = MAX_ROWS
    min_rows: int | None = None

    def is_drift(self, share: float) -> bool:
        """Whether this *share* of drifted columns counts as drift of the data; Evidently's rule."""
        return share >= self.drift_share

    def severity_of(self, share: float) -> str | None:
        """Return the severity of a drift of this *share* of the columns: that of the highest step which it reaches.

        Below the lowest step it is `low`, as a trigger without a severity passes every `min_severity`; none where there
        are no steps.
        """
        if not self.severity:
            return None
        reached = [name for name in SEVERITIES if name in self.severity and share >= self.severity[name]]
        return reached[-1] if reached else SEVERITIES[0]

    def least_rows(self, reference_rows: int) -> int:
        """Return how many rows each side needs, where the reference has *reference_rows*."""
        standard = MIN_ROWS if reference_rows > SMALL_REFERENCE else MIN_ROWS_OF_SMALL
        return self.min_rows or standard

    def current_on(self, day: date) -> str:
        """Return `current` with its dates filled in for a check made on *day* (UTC)."""
        return _fill(self.current, day)


def read_drift(drift: Table) -> DriftCheck:
    """Read the `drift` table of a model; problems go to the table."""
    check = DriftCheck(
        reference=_place(drift, "reference"),
        current=_place(drift, "current"),
        # One address, whether it ends with a slash or not: models of one site share its index.
        site=_place(drift, "site").rstrip("/") or "/",
        url=_url(drift),
        columns=drift.texts("columns"),
        target=drift.text("target"),
        prediction=drift.text("prediction"),
        drift_share=_share(drift, "drift_share", SHARE),
        severity=_steps(drift.table("severity")),
        max_rows=drift.count("max_rows", MAX_ROWS),
        min_rows=drift.count("min_rows", 0) or None,
    )
    _check_dates(drift, check.current)
    _check_steps(drift, check)
    if check.min_rows and check.min_rows > check.max_rows:
        drift.problem("min_rows", f"must be at most max_rows, {check.max_rows}, not {check.min_rows}")
    drift.done()
    return check


def _place(table: Table, key: str) -> str:
    place = table.required(key)
    scheme = _SCHEME.match(place)
    if scheme and scheme[1] not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        table.problem(key, f"{place!r} must be a path or begin with one of {known}")
    elif scheme and not place[scheme.end() :].strip("/"):
        table.problem(key, f"{place!r} names no bucket")
    return place


def _url(table: Table) -> str:
    url = table.text("url").rstrip("/")
    if url and not _WEB.fullmatch(url):
        table.problem("url", f"must be an http or https address without query, not {url!r}")
    return url


def _steps(table: Table) -> Mapping[str, float]:
    steps = {name: _share(table, name, 0.0) for name in SEVERITIES if name in table}
    table.expect(*SEVERITIES)
    table.done()
    if list(steps.values()) != sorted(set(steps.values())):
        table.problem("", f"must rise from low to high, not {', '.join(f'{n} = {s}' for n, s in steps.items())}")
    return MappingProxyType(steps)


def _check_steps(table: Table, check: DriftCheck) -> None:
    steps = list(check.severity.items())
    for (name, share), (higher, begin) in pairwise(steps):
        if begin <= check.drift_share and share < begin:
            why = f"drift begins at drift_share = {check.drift_share}, where {higher} is reached already"
            advice = f"lower drift_share to {share}, or raise the steps"
            table.problem(f"severity.{name}", f"is never given: {why}; {advice}")


def _share(table: Table, key: str, default: float) -> float:
    def check(value: object) -> float | None:
        # bool is a number to Python, not to the person who wrote the file.
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        return float(number) if number is not None and 0 < number <= 1 else None

    return table.value(key, default, check, "a share over 0 and up to 1, such as 0.5")


def _check_dates(table: Table, current: str) -> None:
    try:
        # The last day of a leap year: a form that fails on any day fails on this one.
        _fill(current, date(2024, 12, 31))
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        wanted = "may hold {date} and {yesterday}, with a form such as {date:%Y/%m/%d}; a plain brace is doubled"
        table.problem("current", f"{wanted}: {current!r} ({error})")


def _fill(text: str, day: date) -> str:
    return text.format(date=day, yesterday=day - timedelta(days=1))


def site_problems(checks: Mapping[str, DriftCheck]) -> list[str]:
    """Return what is wrong with the sites of *checks*, by model: one site is read at one address."""
    first: dict[str, str] = {}
    problems: list[str] = []
    for name, check in checks.items():
        other = first.setdefault(check.site, name)
        if checks[other].url != check.url:
            told = f'{checks[other].url!r} for models."{other}" and {check.url!r} here'
            problems.append(f'models."{name}".drift.url: must be one for the whole site {check.site!r}, not {told}')
    return problems
