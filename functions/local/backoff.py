"""How long to wait before the next attempt."""

from datetime import timedelta
from typing import Final

FIRST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(seconds=60)


def backoff(attempt: int, jitter: float) -> timedelta:
    """Return the wait after the *attempt*-th failure: one second, doubled each time, at most a minute.

    Args:
        attempt: counted from 1.
        jitter: a random number from 0 to 1: between half of the wait and all of it, so that what failed together
            does not come back together.

    """
    # No power of two beyond the longest wait is needed, and a large one overflows.
    whole = min(FIRST * (1 << min(attempt - 1, 10)), LONGEST)
    return whole * (0.5 + jitter / 2)
