"""A fair sample of rows that come in batches, in memory that depends on the sample's size only."""

from collections.abc import Iterable
from typing import Final

from functions.monitor.untyped import Batch, Numbers

# Any fixed number does: the same rows in the same order give the same sample.
SEED: Final = 0
# Of each side. With more, data of many columns would not stay within 2 GB.
MAX_CELLS: Final = 10_000_000

Drawn = tuple[Batch, Numbers]
"""Rows, and the number that each of them drew."""


def most_rows(rows: int, columns: int) -> int:
    """Return how many rows of *columns* columns are held at most where *rows* are allowed."""
    return max(min(rows, MAX_CELLS // columns), 1)


def sample_rows(batches: Iterable[Batch], limit: int) -> tuple[list[Batch], int]:
    """Return *limit* of all rows, each with the same chance, in their order, and how many there were in all.

    Each row draws a number, and those with the smallest ones stay. At most twice *limit* rows are held, and one batch.

    Args:
        batches: record batches of pyarrow.
        limit: how many rows to return at most, from 1.

    """
    import numpy as np

    random = np.random.default_rng(SEED)
    kept: list[Drawn] = []
    bound, total = 1.0, 0
    for batch in batches:
        drawn = random.random(batch.num_rows)
        total += batch.num_rows
        chosen = np.flatnonzero(drawn < bound)
        if chosen.size:
            kept.append((_take(batch, chosen), drawn[chosen]))
        if sum(numbers.size for _, numbers in kept) > 2 * limit:
            kept, bound = _smallest(kept, limit)
    if sum(numbers.size for _, numbers in kept) > limit:
        kept, _ = _smallest(kept, limit)
    return [batch for batch, _ in kept], total


def _smallest(kept: list[Drawn], limit: int) -> tuple[list[Drawn], float]:
    import numpy as np

    bound = float(np.partition(np.concatenate([numbers for _, numbers in kept]), limit)[limit])
    return [(_take(batch, np.flatnonzero(numbers < bound)), numbers[numbers < bound]) for batch, numbers in kept], bound


def _take(batch: Batch, rows: Numbers) -> Batch:
    return batch if rows.size == batch.num_rows else batch.take(rows)
