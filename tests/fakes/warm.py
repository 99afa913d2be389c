"""A cloud's functions in the process of the tests: what they keep while they are warm lasts for one test."""

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def own_log(*others: str) -> Iterator[None]:
    """Give the log of this project, and the loggers that are named, no handlers; restore them afterwards."""
    loggers = [logging.getLogger(name) for name in ("retrain", *others)]
    before = [vars(each).copy() for each in loggers]
    for each in loggers:
        each.handlers, each.filters = [], []
        # Powertools marks a logger whose handlers it has made.
        for name in vars(each).keys() - vars(logging.getLogger("tests.plain")).keys():
            delattr(each, name)
    try:
        yield
    finally:
        for each, state in zip(loggers, before, strict=True):
            vars(each).clear()
            vars(each).update(state)
            each.setLevel(each.level)


@contextmanager
def cold(wiring: ModuleType) -> Iterator[None]:
    """Let everything that *wiring* makes once be made anew, now and after the context."""
    with own_log("azure"):
        _forget(wiring)
        try:
            yield
        finally:
            _forget(wiring)


def _forget(wiring: ModuleType) -> None:
    for made in vars(wiring).values():
        kept = inspect.getclosurevars(made).nonlocals if inspect.isfunction(made) else {}
        cached = kept.get("cached", made)
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
