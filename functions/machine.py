"""The clock and the random ids of this machine, and making a value once, for the wiring of every cloud."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps
from typing import TypeVar

T = TypeVar("T")


def now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a unique id."""
    return str(uuid.uuid4())


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return a function that calls *make* once, even if several threads call it, and always returns the same value.

    An error is not kept: the next call tries again.
    """
    cached, lock = cache(make), threading.RLock()

    @wraps(make)
    def made() -> T:
        with lock:
            return cached()

    return made
