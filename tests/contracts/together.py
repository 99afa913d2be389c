"""Calls at the same moment, in as many threads."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def together(call: Callable[[T], R], arguments: Sequence[T]) -> list[R]:
    """Call *call* with each of *arguments* at the same moment, and return the results in their order."""
    barrier = threading.Barrier(len(arguments))

    def at_once(argument: T) -> R:
        barrier.wait()
        return call(argument)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(at_once, arguments))
