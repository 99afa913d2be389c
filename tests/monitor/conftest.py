"""What the tests of the monitor need, and the decision which of them this environment can run.

The monitor has requirements of its own, hundreds of megabytes of them, so the project's environment has not got them.
`MONITOR_TESTS=required` makes an error of that.
"""

import importlib.util
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.moto_server import CREDENTIALS, moto_server

# What needs nothing but the core.
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
    # moto tells every request.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with moto_server() as url, pytest.MonkeyPatch.context() as environment:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
            environment.setenv(name, value)
        yield url
