"""Waiting before another attempt: the wait grows up to a limit and is drawn at random below it (full jitter)."""

import random
import time
from collections.abc import Callable
from typing import Final

from shared.frozen import dataclass

# Beyond this power every sensible limit is reached, and a larger one overflows a float.
_MOST_STEPS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How often a call is attempted, and how long the waits between the attempts are.

    Attributes:
        attempts: the largest number of attempts.
        base: the longest wait before the first repeat, in seconds; it grows with each further one.
        longest: no wait is longer than this, in seconds.
        growth: the factor by which the waits grow.
        sleep: waits for the given number of seconds.
        chance: draws from 0 to 1, so that callers that failed at the same time do not retry at the same time.

    """

    attempts: int = 4
    base: float = 0.2
    longest: float = 60.0
    growth: int = 2
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after this number of *failures* in a row; 0 before the first attempt."""
        if not failures:
            return 0.0
        return self.chance() * min(float(self.base * self.growth ** min(failures - 1, _MOST_STEPS)), self.longest)

    def pause(self, attempt: int) -> None:
        """Wait before attempt number *attempt*; the first is number 0 and does not wait."""
        if attempt:
            self.sleep(self.wait(attempt))


STANDARD: Final = Backoff()
# For writers of one model's state: with these waits two hundred of them, at 20 ms a call, need nine attempts at most,
# and a function still has the time to end by itself.
CONTENTION: Final = Backoff(attempts=12, base=0.2, growth=4, longest=5.0)
# For a request over HTTP, behind which a person waits.
BRIEF_CONTENTION: Final = Backoff(attempts=6, base=0.1)
