"""The wait between attempts."""

import pytest

from shared.backoff import Backoff


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (185, 60), (10**6, 60)]
)
def test_the_wait_doubles_up_to_the_longest(failures: int, seconds: float) -> None:
    """The longest possible wait doubles from one second to a minute; before the first attempt there is none."""
    assert Backoff(base=1.0, chance=lambda: 1.0).wait(failures) == seconds


def test_chance_draws_from_the_whole_wait() -> None:
    """The wait is the drawn share of the longest possible one, so that callers that failed together spread out."""
    shares = iter([0.0, 0.25, 1.0])
    backoff = Backoff(base=1.0, chance=lambda: next(shares))
    assert [backoff.wait(3) for _ in range(3)] == [0.0, 1.0, 4.0]


def test_only_repeats_sleep() -> None:
    """The first attempt does not sleep, and each repeat sleeps for its wait."""
    slept: list[float] = []
    backoff = Backoff(base=0.5, sleep=slept.append, chance=lambda: 1.0)
    for attempt in range(backoff.attempts):
        backoff.pause(attempt)
    assert slept == [0.5, 1.0, 2.0]
