"""Settings of all tests: the examples of property tests, and an environment that each test leaves as it was.

Property tests try the same examples everywhere and ignore the clock, so that a busy machine fails none of them.
`make test` tries a few examples of each property, `make test-deep` hundreds (`--hypothesis-profile deep`).
"""

import os
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


@pytest.fixture(autouse=True)
def restored_environment() -> Iterator[None]:
    """Restore the variables that a command, run in the process of the tests, has set for the SDKs of the clouds."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)
