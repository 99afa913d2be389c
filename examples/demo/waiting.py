"""Waiting for the next event of the story."""

import time
from collections.abc import Callable

# Seconds; on a busy machine a training takes more than a minute.
TIME_LIMIT = 180.0


def wait(until: Callable[[], bool]) -> None:
    """Wait until *until* returns true.

    Raises:
        TimeoutError: it did not within the time limit.

    """
    deadline = time.monotonic() + TIME_LIMIT
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the next step did not happen within {TIME_LIMIT:.0f} s; the logs are in .local/demo")
        time.sleep(0.02)
