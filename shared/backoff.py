"""Asking again after a pause that grows, with chance in it."""

import random
import time
from collections.abc import Callable
from typing import Final

from shared.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How often, and after which pauses, a service that was too busy is asked again.

    Attributes:
        attempts: how often it is asked at most.
        base: the longest first pause, in seconds; it doubles each time.
        sleep: waits so many seconds.
        chance: draws from 0 to 1, so that callers that were throttled together do not come back together.

    """

    attempts: int = 4
    base: float = 0.2
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def pause(self, attempt: int) -> None:
        """Wait before the attempt of that number; the first has number 0 and waits for nothing."""
        if attempt:
            self.sleep(self.chance() * self.base * 2 ** (attempt - 1))


STANDARD: Final = Backoff()
