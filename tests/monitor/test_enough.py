"""Whether the data are enough for a verdict: rows, values, columns, and rows for each category."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from functions.monitor.errors import UnusableDataError
from functions.monitor.result import Result
from functions.monitor.run import run_checks
from tests.monitor.given import MONDAY, World, check, configuration, problem_of, put, rows, run

TABLE = 'reference = "reference.parquet"\ncurrent = "current.parquet"\nsite = "site"'


def compared(folder: Path, reference: pd.DataFrame, current: pd.DataFrame, **settings: object) -> Result:
    """Return what a check of *reference* and *current* finds."""
    put(folder, reference=reference, current=current)
    return run(folder, check(**settings))


def categories(count: int, most: int, seed: int) -> pd.DataFrame:
    """Return *count* rows with a number and one of *most* categories, all of them equally likely."""
    random = np.random.default_rng(seed)
    names = [f"city {number}" for number in random.integers(0, most, size=count)]
    return pd.DataFrame({"price": random.normal(size=count), "city": names})


@pytest.mark.parametrize("count", [1, 499])
def test_few_rows_do_not_count_as_drift(tmp_path: Path, count: int) -> None:
    """By Evidently's distances few rows are far from anything: the check fails, and no training is requested."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows(count, seed=1))
    problem = f"{count} row{'s' if count > 1 else ''}, and a verdict needs 500 (min_rows)"
    assert problem_of(run_checks(world.monitor, [], MONDAY)) == f"the current data (current.parquet): {problem}"
    assert not world.bus.published
    assert [notice.event for notice in world.mailbox.notices] == ["monitor_failed"]


def test_few_rows_of_reference_fail_the_check(tmp_path: Path) -> None:
    """The reference needs as many rows for a verdict as the current data."""
    with pytest.raises(UnusableDataError, match=r"the reference data .*: 29 rows, and a verdict needs 30 \(min_rows\)"):
        compared(tmp_path, rows(29), rows())


@pytest.mark.parametrize("seed", range(1, 9))
def test_as_many_rows_as_are_needed_do_not_drift_by_chance(tmp_path: Path, seed: int) -> None:
    """Equal data do not count as drift, by tests of significance and by distances."""
    for count, least in ((1000, 30), (1500, 500)):
        result = compared(tmp_path, rows(count), rows(least, seed=seed))
        assert not result.drift
        assert (result.current.rows, result.reference.rows) == (least, count)


def test_fewer_rows_can_be_configured(tmp_path: Path) -> None:
    """`min_rows` is set in the configuration; the summary shows how many rows there were."""
    result = compared(tmp_path, rows(), rows(20, shift=5.0), min_rows=20)
    assert result.drift
    assert "20 rows against 1,500" in result.summary()


def test_a_column_needs_as_many_values(tmp_path: Path) -> None:
    """Three values of a column are no more than three rows."""
    few = rows(seed=1)
    few.loc[3:, "price"] = np.nan
    result = compared(tmp_path, rows(), few)
    assert result.left_out == {"price": "has 3 values in the current data, and needs 500 (min_rows)"}
    assert "1 not compared" in result.summary()


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ({"price": None}, "'price' has no values in the current data"),
        ({"price": np.inf}, "'price' has no finite values in the current data"),
        ({"price": "much"}, "'price' holds numbers in the reference data and texts in the current data"),
        ({"price": [[1.5]] * 1500}, "'price' holds lists or structures"),
        ({"price": pd.Timestamp("2026-11-23")}, "'price' holds times"),
    ],
    ids=["nulls", "infinite", "texts", "lists", "times"],
)
def test_a_named_column_that_is_lost_fails_the_check(tmp_path: Path, lost: dict[str, object], why: str) -> None:
    """A user who names a column wants a verdict on it, and not one on the rest."""
    with pytest.raises(UnusableDataError, match=f"^columns: {why}.*; a verdict needs all of `columns`$"):
        compared(tmp_path, rows(), rows().assign(**lost), columns=("price", "visits"))


def test_more_than_a_fifth_of_the_columns_lost_fails_the_check(tmp_path: Path) -> None:
    """One of five is reported; with two lost, the share of the rest says nothing about the whole."""
    result = compared(tmp_path, rows(), rows(shift=1.0).drop(columns="price"))
    assert result.summary() == (
        "3 of 4 columns drifted (75%, drift is 50% and more; 1,500 rows against 1,500, 1 not compared): "
        "visits, region, target"
    )
    with pytest.raises(UnusableDataError, match=r"^2 of 5 columns of the reference are lost: .*'price' has no values"):
        compared(tmp_path, rows(), rows().drop(columns="visits").assign(price=None))


def test_target_and_prediction_may_lack(tmp_path: Path) -> None:
    """Labels come late: their columns count for nothing until they are there."""
    current = rows(seed=1).assign(target=None).drop(columns="visits")
    settings = {"target": "target", "prediction": "visits"}
    assert set(compared(tmp_path, rows(), current, **settings).left_out) == {"target", "visits"}
    assert not compared(tmp_path, rows(), current, **settings).drift


def test_columns_that_the_reference_has_not_are_not_lost(tmp_path: Path) -> None:
    """Columns that only the current data have, or that were never comparable, do not change the verdict."""
    more = {f"new {number}": 1 for number in range(9)}
    result = compared(tmp_path, rows().assign(empty=None), rows(seed=1).assign(empty=1.5, **more))
    assert len(result.left_out) == 10
    assert len(result.columns) == 5


def test_the_index_shows_how_many_columns_were_not_compared(tmp_path: Path) -> None:
    """A share of fewer columns must not look like one of all."""
    world = World(tmp_path, configuration(churn=TABLE))
    world.put(reference=rows(), current=rows().drop(columns="price"))
    run_checks(world.monitor, [], MONDAY)
    assert ">1 not compared<" in (tmp_path / "site/index.html").read_text()


@pytest.mark.parametrize(
    ("reference", "current", "most"), [(1500, 1500, 30), (10_000, 500, 19), (1000, 300, 50), (200, 300, 10)]
)
def test_more_categories_than_the_rows_can_support_are_left_out(
    tmp_path: Path, reference: int, current: int, most: int
) -> None:
    """Beyond that number, equal data drift by chance."""
    many = compared(tmp_path, categories(reference, most + 1, 0), categories(current, most + 1, 1))
    reason = f"holds {most + 1} categories, and over {most} differ by chance in so few rows; name it to compare it"
    assert many.left_out == {"city": reason}
    assert not compared(tmp_path, categories(reference, most, 0), categories(current, most, 1)).left_out


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize(("reference", "current", "most"), [(1500, 1500, 30), (10_000, 500, 19)])
def test_as_many_categories_as_are_compared_do_not_drift_by_chance(
    tmp_path: Path, reference: int, current: int, most: int, seed: int
) -> None:
    """Up to the limit, equal data do not count as drift."""
    result = compared(tmp_path, categories(reference, most, 0), categories(current, most, seed))
    assert "city" not in result.drifted


def test_categories_that_are_named_are_compared(tmp_path: Path) -> None:
    """A column that is named is compared, however many categories it has."""
    sides = categories(1500, 200, 0), categories(1500, 200, 1)
    assert "city" in compared(tmp_path, *sides, columns=("price", "city")).drifted


def test_categories_without_number_are_left_out_even_if_they_are_named(tmp_path: Path) -> None:
    """They would take Evidently longer than a function may run, and then no one would be notified."""
    sides = categories(10_000, 2000, 0), categories(10_000, 2000, 1)
    left_out = compared(tmp_path, *sides, columns=("price", "city")).left_out
    assert left_out["city"].endswith("categories, and more than 1,000 would take Evidently minutes")


def test_a_named_column_that_the_current_data_make_too_large_fails_the_check(tmp_path: Path) -> None:
    """A value that Evidently cannot compute with, where the reference has none, is a column lost."""
    broken = rows(seed=1)
    broken["price"] = np.linspace(-1, 1, len(broken)) * 1.7e308
    with pytest.raises(
        UnusableDataError, match=r"^columns: 'price' cannot be compared by Evidently: .*; a verdict needs"
    ):
        compared(tmp_path, rows(), broken, columns=("price", "visits"))


def test_new_categories_are_drift(tmp_path: Path) -> None:
    """The reference decides what a column is; what the current data make of it is the finding."""
    current = rows(seed=1).assign(region=[f"region {number}" for number in range(1500)])
    assert compared(tmp_path, rows(), current).drifted == ("region",)


def test_identifiers_and_free_text_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    """A text column with mostly distinct values says nothing by its values; who names it gets it."""
    notes = [f"note {number} {'calm' if number % 2 else 'bright'}" for number in range(1500)]
    frame = rows().assign(note=notes)
    assert "note" in compared(tmp_path, frame, frame).left_out
    assert "note" not in compared(tmp_path, frame, frame, columns=("note", "price")).left_out
