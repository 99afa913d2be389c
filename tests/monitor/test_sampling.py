"""Sampling rows that come in batches."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from functions.monitor.data.sampling import most_rows, sample_rows


def batches(count: int, size: int = 1000) -> Iterator[pa.RecordBatch]:
    """Go through the numbers from 0 on, in batches."""
    for first in range(0, count, size):
        yield pa.record_batch({"number": np.arange(first, min(first + size, count))})


def sampled(count: int, limit: int, size: int = 1000) -> list[int]:
    """Return the numbers that a sample of *limit* has."""
    found, total = sample_rows(batches(count, size), limit)
    assert total == count
    return [number for batch in found for number in batch["number"].to_pylist()]


@pytest.mark.parametrize("count", [1, 999, 1000, 5000])
def test_rows_up_to_the_limit_are_all_taken(count: int) -> None:
    """Nothing is sampled that fits."""
    assert sampled(count, 5000) == list(range(count))


@pytest.mark.parametrize("count", [5001, 9999, 10_001, 50_000])
def test_more_rows_are_cut_to_the_limit(count: int) -> None:
    """Exactly the limit is taken, each row once, in their order."""
    found = sampled(count, 5000)
    assert len(found) == len(set(found)) == 5000
    assert found == sorted(found)


@pytest.mark.parametrize(("columns", "rows"), [(20, 100_000), (100, 100_000), (300, 33_333), (20_000_000, 1)])
def test_many_columns_leave_room_for_fewer_rows(columns: int, rows: int) -> None:
    """Memory depends on the cells: ten million of each side, however they lie."""
    assert most_rows(100_000, columns) == rows


def test_the_same_rows_give_the_same_sample() -> None:
    """The sample depends neither on chance nor on the size of the batches."""
    assert sampled(30_000, 100) == sampled(30_000, 100, size=777)


def test_every_row_has_the_same_chance() -> None:
    """Each tenth of the rows is a tenth of the sample, within four standard deviations."""
    counts, _ = np.histogram(sampled(100_000, 10_000), bins=10)
    assert abs(counts - 1000).max() < 4 * np.sqrt(10_000 * 0.1 * 0.9)


def test_memory_holds_the_sample_and_not_the_rows() -> None:
    """A sample of ten rows from ten million takes less than ten megabytes beside the batch in hand."""
    before = pa.total_allocated_bytes()
    most = 0

    def watched() -> Iterator[pa.RecordBatch]:
        nonlocal most
        for batch in batches(10_000_000, 100_000):
            yield batch
            most = max(most, pa.total_allocated_bytes() - before)

    sample_rows(watched(), 10)
    assert most < 10_000_000
