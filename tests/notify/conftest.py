"""Fixtures of the notifiers' tests: clients of a moto server."""

import pytest

from functions.aws.clients import Clients
from tests.contracts.moto_clients import clients_of


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, moto: str) -> Clients:
    """Return clients whose calls go to moto and are tried once."""
    return clients_of(moto, monkeypatch)
