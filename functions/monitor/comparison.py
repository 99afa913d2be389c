"""The comparison itself: Evidently's numbers, Evidently's verdict on the values of each column, Evidently's page."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from functions.monitor.data.columns import reasons
from functions.monitor.errors import UnusableDataError
from functions.monitor.evidently_report import FAILURES, ColumnDrift, Report, Sides, named, quiet
from functions.monitor.missing import Missing
from functions.monitor.untyped import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The findings of Evidently.

    Attributes:
        columns: the drifted ones first, in the order of the data otherwise.
        share: how many of them drifted, from 0 to 1.
        left_out: column -> why it was not compared after all.
        lost: those left out that the current data keep from being compared, and not the reference.
        page: the whole report as HTML.

    """

    columns: tuple[ColumnDrift, ...]
    share: float
    left_out: Mapping[str, str]
    lost: tuple[str, ...]
    page: str = field(repr=False)

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that drifted."""
        return tuple(column for column in self.columns if column.drifted)


def compare(
    reference: Frame, current: Frame, *, drift_share: float, missing: Mapping[str, Missing] | None = None
) -> Comparison:
    """Compare two data frames with the same columns.

    The reference decides what a column is: a whole number of at most ten values is a category, for instance.

    Args:
        reference: the rows to compare with.
        current: the rows that may have drifted.
        drift_share: the share of drifted columns from which on Evidently's page calls the whole drifted.
        missing: column -> the shares of missing values, which can make it a drifted one beside Evidently's verdict.

    Raises:
        UnusableDataError: nothing is left to compare, or Evidently cannot compare these data.

    """
    with quiet():
        try:
            sides = Sides.of(reference, current, drift_share)
            report, left_out = _reported(sides)
            alike = replace(sides, current=reference)
            lost = tuple(name for name in left_out if name in sides.names and not alike.failure(name))
        except FAILURES as error:
            raise UnusableDataError(f"Evidently cannot compare these data: {named(error)}") from error
    columns = [replace(column, missing=(missing or {}).get(column.name)) for column in report.columns]
    share = sum(column.drifted for column in columns) / len(columns)
    ordered = tuple(sorted(columns, key=lambda column: not column.drifted))
    return Comparison(columns=ordered, share=share, left_out=left_out, lost=lost, page=report.page)


def _reported(sides: Sides) -> tuple[Report, Mapping[str, str]]:
    names = sides.names
    left_out = dict.fromkeys(sides.unknown, "is of a type that Evidently does not compare")
    _check_any(names, left_out)
    try:
        return sides.report(names), left_out
    except FAILURES:
        # One column is enough to end the report on all of them: those that fail alone are left out.
        found = {name: why for name in names if (why := sides.failure(name))}
        if not found:
            raise
    left_out |= found
    names = tuple(name for name in names if name not in found)
    _check_any(names, left_out)
    return sides.report(names), left_out


def _check_any(names: tuple[str, ...], left_out: Mapping[str, str]) -> None:
    if not names:
        raise UnusableDataError(f"no column can be compared: {reasons(left_out)}")
