"""The adapters under test, each with files of its own."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.bus import SqliteBus
from functions.local.ledger import SqliteLedger
from tests.local.given import Box, HandClock


@pytest.fixture
def clock() -> HandClock:
    """A clock that stands until the test sets it."""
    return HandClock()


@pytest.fixture
def box() -> Box:
    """Dead letters in memory."""
    return Box()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a SQLite file that does not exist yet, in a folder that does not either."""
    return tmp_path / "state" / "retrain.sqlite"


@pytest.fixture
def ledger(file: Path) -> Iterator[SqliteLedger]:
    """A ledger."""
    ledger = SqliteLedger(file)
    yield ledger
    ledger.close()


@pytest.fixture
def bus(file: Path, clock: HandClock) -> Iterator[SqliteBus]:
    """An event bus in the ledger's file."""
    bus = SqliteBus(file, clock, lambda: secrets.token_hex(16))
    yield bus
    bus.close()
