"""Fixtures of the notifiers' tests: clients of a moto server."""

from collections.abc import Iterator

import pytest

from emulators.moto_server import moto_server
from functions.aws.clients import Clients
from tests.contracts.moto_clients import clients_of


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, moto: str) -> Clients:
    """Return clients whose calls go to moto and are tried once."""
    return clients_of(moto, monkeypatch)
