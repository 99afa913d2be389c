"""What this machine lends to whoever wires the core: its clock, its randomness, and making a thing once."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, wraps
from typing import TypeVar

T = TypeVar("T")


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return an id that nobody else makes."""
    return str(uuid.uuid4())


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return what calls *make* the first time, however many threads ask, and then always returns the same.

    An error is not kept: who asks next tries anew.
    """
    cached, lock = cache(make), threading.RLock()

    @wraps(make)
    def made() -> T:
        with lock:
            return cached()

    return made
