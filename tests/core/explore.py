"""Tries the promises with random seeds for so many seconds: `python -m tests.core.explore 600`."""

import logging
import sys
import time
from typing import Final

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.test_changes import Changes
from tests.core.test_promises import ANY_PACE, Promises
from tests.core.test_skews import Skews

ROUND: Final = 100


def explore(seconds: float) -> None:
    """Try each machine in turn until the time is up or a promise is broken; the steps that broke it are printed."""
    logging.disable()
    began, examples = time.monotonic(), 0
    steps = settings(ANY_PACE, max_examples=ROUND, phases=[Phase.generate, Phase.shrink])
    while time.monotonic() - began < seconds:
        for machine in (Promises, Changes, Skews):
            run_state_machine_as_test(machine, settings=steps)
            examples += ROUND
            sys.stdout.write(f"{examples} examples in {time.monotonic() - began:.0f} s, and no promise is broken\n")
            sys.stdout.flush()


if __name__ == "__main__":
    explore(float(sys.argv[1]))
