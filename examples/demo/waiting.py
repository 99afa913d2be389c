"""Waiting for what comes next."""

import time
from collections.abc import Callable

PATIENCE = 60.0


def wait(until: Callable[[], bool]) -> None:
    """Wait until it is so.

    Raises:
        TimeoutError: it is not so in time.

    """
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"what comes next did not happen within {PATIENCE:.0f} s; the logs are in .local/demo")
        time.sleep(0.02)
