"""Shared by all tests: how property tests run, loggers that stay as they are, and one moto server.

Property tests try the same examples everywhere and ignore the clock, so that a busy machine fails none of them.
`make test` tries a few examples of each property, `make test-deep` hundreds (`--hypothesis-profile deep`).
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import suppress

import pytest

# The monitor's environment has no hypothesis.
with suppress(ModuleNotFoundError):
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "steady",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=25,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile("deep", settings.get_profile("steady"), max_examples=300)
    settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collections, which take a seventh of the time otherwise."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """Restore the loggers that programs configure, since many programs run in the process of the tests."""
    loggers = [logging.getLogger(name) for name in ("retrain", "azure", "waitress.queue")]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        if (logger.handlers, logger.level, logger.propagate) != (handlers, level, propagate):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of a moto server; its tests use names of their own."""
    # Not at the top: most tests need none, and the monitor's environment may have no moto.
    from emulators.moto_server import moto_server

    with moto_server() as url:
        yield url
