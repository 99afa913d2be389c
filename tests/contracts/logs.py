"""The log lines of a cloud, in the process of its entry points or in that of the tests."""

import pytest

from tests.contracts.clouds import Cloud


def log_lines(cloud: Cloud, caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    """Return the lines of the log *event*, as text with all of their fields."""
    own = [str(vars(record)) for record in caplog.records if record.getMessage() == event]
    return [*own, *(line for line in cloud.logs().splitlines() if event in line)]
