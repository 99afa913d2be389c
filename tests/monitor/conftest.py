"""Fixtures for the tests of the monitor, and the choice of the tests that this environment can run.

The monitor has requirements of its own, hundreds of megabytes of them, so the project's environment does not have
them. `MONITOR_TESTS=required` makes their absence an error.
"""

import importlib.util
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.moto_server import CREDENTIALS, moto_server

# Tests that need only the core.
_EVERYWHERE = ("test_table.py",)

if importlib.util.find_spec("evidently") is None:
    if os.environ.get("MONITOR_TESTS") == "required":
        raise pytest.UsageError(
            "The tests of the monitor need requirements/monitor-tests.txt, and Evidently is missing"
        )
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.name not in _EVERYWHERE]


# As in the image; read when the driver is imported.
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """Give the URL of AWS services, and lead every client of this process there."""
    # moto logs every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with moto_server() as url, pytest.MonkeyPatch.context() as environment:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
            environment.setenv(name, value)
        yield url
