"""Samples: every row has the same chance, and the same data give the same sample."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from functions.monitor.data.dataset import DataSet, most_rows
from functions.monitor.data.engine import Engine
from functions.monitor.data.storage import Storage


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """Write the numbers from 0 to 99,999 in both forms, in four parts each."""
    for part in range(4):
        frame = pd.DataFrame({"number": np.arange(part * 25_000, (part + 1) * 25_000)})
        frame.to_csv(tmp_path / f"{part}.csv", index=False)
        frame.to_parquet(tmp_path / f"{part}.parquet", row_group_size=5000)
    return tmp_path


def sampled(folder: Path, pattern: str, limit: int) -> tuple[list[int], int]:
    """Return the numbers in a sample of at most *limit* rows, and how many rows there are."""
    with closing(Engine(Storage(folder))) as engine:
        data = DataSet.at(pattern, "reference", Storage(folder), engine)
        sample = data.sample(["number"], limit)
        return [int(row[0]) for row in engine.rows("SELECT c0 FROM reference")], sample.rows


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_row_has_the_same_chance(numbers: Path, form: str) -> None:
    """Each tenth of the rows is a tenth of the sample, within four standard deviations; no row is in it twice."""
    found, rows = sampled(numbers, f"*.{form}", 10_000)
    assert rows == 100_000
    assert len(set(found)) == len(found) == 10_000
    counts, _ = np.histogram(found, bins=10, range=(0, 100_000))
    assert abs(counts - 1000).max() < 4 * np.sqrt(10_000 * 0.1 * 0.9)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_data_give_the_same_sample(numbers: Path, form: str) -> None:
    """However many threads read them."""
    assert sampled(numbers, f"*.{form}", 500) == sampled(numbers, f"*.{form}", 500)


@pytest.mark.parametrize("limit", [100_000, 100_001])
def test_rows_up_to_the_limit_are_all_taken(numbers: Path, limit: int) -> None:
    """Nothing is sampled that fits."""
    found, rows = sampled(numbers, "*.parquet", limit)
    assert sorted(found) == list(range(100_000))
    assert rows == 100_000


@pytest.mark.parametrize(("columns", "rows"), [(20, 100_000), (100, 100_000), (300, 33_333), (20_000_000, 1)])
def test_many_columns_leave_room_for_fewer_rows(columns: int, rows: int) -> None:
    """Memory depends on the number of cells: ten million of each side."""
    assert most_rows(100_000, columns) == rows
