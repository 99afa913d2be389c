"""Evidently: what it takes a column for, its report on some columns, and what it cannot compare."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from functions.monitor.missing import Missing
from functions.monitor.untyped import DataSet, Frame

DRIFTED: Final = "FAIL"
FAILURES: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
# Evidently writes names and values into its page as they are, where `</script>` would end a script and begin another.
# In their place stands the single left-pointing angle quotation mark.
_SHARP: Final = "<"
_HARMLESS: Final = "\u2039"
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDrift:
    """How far one column is from its reference.

    Attributes:
        name: the column.
        method: how that is measured.
        value: the distance, or the p-value of a test; none where there is none.
        threshold: what a distance must reach, or a p-value fall below.
        values_drifted: whether that counts as drift.
        missing: the shares of missing values, if they were compared.

    """

    name: str
    method: str
    value: float | None
    threshold: float
    values_drifted: bool
    missing: Missing | None = None

    @property
    def drifted(self) -> bool:
        """Whether its values drifted, or more of them are missing."""
        return self.values_drifted or (self.missing is not None and self.missing.drifted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Evidently's report.

    Attributes:
        columns: what it says of each column, in the order of the data.
        page: itself, as HTML.

    """

    columns: tuple[ColumnDrift, ...]
    page: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Two data frames with the same columns, as Evidently takes them.

    Attributes:
        reference: the rows to compare with.
        current: the rows that may have drifted.
        definition: what it takes the columns for: kind -> columns.
        drift_share: the share of drifted columns from which on its page calls the whole drifted.

    """

    reference: Frame = field(repr=False)
    current: Frame = field(repr=False)
    definition: Mapping[str, Sequence[str]]
    drift_share: float

    @classmethod
    def of(cls, reference: Frame, current: Frame, drift_share: float) -> "Sides":
        """Let the *reference* say what each column is."""
        definition = _definition(reference)
        return cls(reference=reference, current=current, definition=definition, drift_share=drift_share)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of kinds that it compares."""
        known = {name for names in self.definition.values() for name in names}
        return tuple(name for name in self.reference.columns if name in known)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The other columns."""
        known = set(self.names)
        return tuple(name for name in self.reference.columns if name not in known)

    def report(self, names: Sequence[str]) -> Report:
        """Return the report on the columns *names*; whatever Evidently raises is one of `FAILURES`."""
        shown = _harmless_names(names)
        found = self._run(names, shown)
        columns = _read(found.dict(), {text: name for name, text in shown.items()})
        return Report(columns=tuple(columns), page=found.get_html_str(as_iframe=False))

    def failure(self, name: str) -> str:
        """Return why the column *name* cannot be compared, or an empty text where it can."""
        try:
            self._run([name], _harmless_names([name])).dict()
        except FAILURES as error:
            return f"cannot be compared by Evidently: {named(error)}"
        return ""

    def _run(self, names: Sequence[str], shown: Mapping[str, str]) -> Any:  # noqa: ANN401 - Evidently's own
        # Not at the top: the import takes seconds.
        from evidently import Report as EvidentlyReport
        from evidently.presets import DataDriftPreset

        sides = [_dataset(frame[list(names)], shown, self.definition) for frame in (self.current, self.reference)]
        return EvidentlyReport([DataDriftPreset(drift_share=self.drift_share)], include_tests=True).run(*sides)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Evidently's warnings to itself: it divides by zero on constant columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def named(error: Exception) -> str:
    """Return the first line of *error* with its name: some texts say nothing without it."""
    first = str(error).partition("\n")[0][:_LONGEST]
    return f"{type(error).__name__}: {first}"


def _definition(reference: Frame) -> Mapping[str, Sequence[str]]:
    from evidently import Dataset

    found = Dataset.from_pandas(reference).data_definition
    return {
        "numerical_columns": found.numerical_columns or [],
        "categorical_columns": found.categorical_columns or [],
        "text_columns": found.text_columns or [],
    }


def _dataset(frame: Frame, shown: Mapping[str, str], definition: Mapping[str, Sequence[str]]) -> DataSet:
    from evidently import DataDefinition, Dataset
    from pandas.api.types import infer_dtype

    harmless = frame.rename(columns=shown)
    for column in harmless.columns:
        if infer_dtype(harmless[column], skipna=True) == "string":
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
            values_drifted=status[metric["id"]] == DRIFTED,
        )
        for metric in found["metrics"]
        if "column" in metric["config"]
    ]
    order = list(names.values())
    return sorted(columns, key=lambda column: order.index(column.name))
