"""The comparison itself: Evidently's numbers, Evidently's verdict on each column, Evidently's page."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from functions.monitor.columns import told
from functions.monitor.errors import UnusableDataError
from functions.monitor.untyped import DataSet, Frame, Series

DRIFTED: Final = "FAIL"
# Evidently writes names and values into its page as they are, where `</script>` would end a script and begin another.
# In their place stands the single left-pointing angle quotation mark.
_SHARP: Final = "<"
_HARMLESS: Final = "\u2039"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column is from its reference.

    Attributes:
        name: the column.
        method: how that is measured.
        value: the distance, or the p-value of a test; none where there is none.
        threshold: what a distance must reach, or a p-value fall below.
        drifted: whether that counts as drift.

    """

    name: str
    method: str
    value: float | None
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What Evidently found.

    Attributes:
        columns: the drifted ones first, in the order of the data otherwise.
        share: how many of them drifted, from 0 to 1.
        left_out: column -> why it was not compared after all.
        page: the whole report as HTML.

    """

    columns: tuple[ColumnDrift, ...]
    share: float
    left_out: Mapping[str, str]
    page: str = field(repr=False)

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that drifted."""
        return tuple(column for column in self.columns if column.drifted)


def compare(reference: Frame, current: Frame, *, drift_share: float, named: Sequence[str] = ()) -> Comparison:
    """Compare two data frames with the same columns.

    The reference decides what a column is: a whole number of at most ten values is a category, for instance.

    Args:
        reference: the rows to compare with.
        current: the rows that may have drifted.
        drift_share: the share of drifted columns from which on Evidently's page calls the whole drifted.
        named: columns that were asked for by name: these are compared even if they hold free text.

    Raises:
        UnusableDataError: nothing is left to compare, or Evidently cannot compare these data.

    """
    # Not at the top: the import takes seconds.
    with _evidently():
        from evidently import Report
        from evidently.presets import DataDriftPreset

        definition = _definition(reference)
        left_out = _left_out(reference, current, definition, named)
        names = [name for name in reference.columns if name not in left_out]
        if not names:
            raise UnusableDataError(f"no column can be compared: {told(left_out)}")
        shown = _harmless_names(names)
        sides = [_dataset(frame[names], shown, definition) for frame in (current, reference)]
        found = Report([DataDriftPreset(drift_share=drift_share)], include_tests=True).run(*sides)
        columns = _read(found.dict(), {text: name for name, text in shown.items()})
        share = sum(column.drifted for column in columns) / len(columns)
        ordered = tuple(sorted(columns, key=lambda column: not column.drifted))
        return Comparison(columns=ordered, share=share, left_out=left_out, page=found.get_html_str(as_iframe=False))


@contextmanager
def _evidently() -> Iterator[None]:
    """Keep its warnings to itself (it divides by zero on constant columns), and name its errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise UnusableDataError(f"Evidently cannot compare these data: {type(error).__name__}: {error}") from error


def _definition(reference: Frame) -> Mapping[str, Sequence[str]]:
    from evidently import Dataset

    found = Dataset.from_pandas(reference).data_definition
    return {
        "numerical_columns": found.numerical_columns or [],
        "categorical_columns": found.categorical_columns or [],
        "text_columns": found.text_columns or [],
    }


def _left_out(
    reference: Frame, current: Frame, definition: Mapping[str, Sequence[str]], named: Sequence[str]
) -> dict[str, str]:
    left_out: dict[str, str] = {}
    known = {name for names in definition.values() for name in names}
    for name in reference.columns:
        empty = [
            side for side, frame in (("reference", reference), ("current", current)) if not _has_values(frame[name])
        ]
        if empty:
            left_out[name] = f"has no finite values in the {empty[0]} data"
        elif name not in known:
            left_out[name] = "is of a type that Evidently does not compare"
        elif name in definition["text_columns"] and name not in named:
            left_out[name] = (
                "holds free text or identifiers: over half of its values are distinct; name it to compare it"
            )
    return left_out


def _has_values(column: Series) -> bool:
    return not column.replace([math.inf, -math.inf], math.nan).dropna().empty


def _dataset(frame: Frame, shown: Mapping[str, str], definition: Mapping[str, Sequence[str]]) -> DataSet:
    from evidently import DataDefinition, Dataset

    harmless = frame.rename(columns=shown)
    for column in harmless.columns:
        if harmless[column].dtype.name in ("object", "str", "string"):
            harmless[column] = harmless[column].str.replace(_SHARP, _HARMLESS, regex=False)
    columns = {kind: [shown[name] for name in names if name in shown] for kind, names in definition.items()}
    return Dataset.from_pandas(harmless, data_definition=DataDefinition(**columns))


def _harmless_names(names: Sequence[str]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for name in names:
        text = name.replace(_SHARP, _HARMLESS)
        while text in shown.values():
            text += "'"
        shown[name] = text
    return shown


def _read(found: Mapping[str, Any], names: Mapping[str, str]) -> list[ColumnDrift]:
    status = {test["metric_config"]["metric_id"]: str(test["status"].value) for test in found["tests"]}
    columns = [
        ColumnDrift(
            name=names[metric["config"]["column"]],
            method=metric["config"]["method"],
            value=float(metric["value"]) if math.isfinite(metric["value"]) else None,
            threshold=float(metric["config"]["threshold"]),
            drifted=status[metric["id"]] == DRIFTED,
        )
        for metric in found["metrics"]
        if "column" in metric["config"]
    ]
    order = list(names.values())
    return sorted(columns, key=lambda column: order.index(column.name))
