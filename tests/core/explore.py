"""Tries the promises with random seeds for so many seconds: `python -m tests.core.explore 600`."""

import sys
import time

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.test_promises import ANY_PACE, Promises


def explore(seconds: float) -> None:
    """Try until the time is up or a promise is broken; the steps that broke it are printed."""
    began, examples = time.monotonic(), 0
    steps = settings(ANY_PACE, max_examples=200, phases=[Phase.generate, Phase.shrink])
    while time.monotonic() - began < seconds:
        run_state_machine_as_test(Promises, settings=steps)
        examples += 200
    sys.stdout.write(f"{examples} examples in {time.monotonic() - began:.0f} s, and no promise is broken\n")


if __name__ == "__main__":
    explore(float(sys.argv[1]))
