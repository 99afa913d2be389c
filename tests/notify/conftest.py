"""Fixtures of the notifiers' tests: clients of a moto server."""

from collections.abc import Iterator

import pytest

from emulators.moto_server import CREDENTIALS, moto_server
from functions.aws.clients import CallLimits, Clients


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, moto: str) -> Clients:
    """Return clients whose calls go to moto and are tried once."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto}.items():
        monkeypatch.setenv(name, value)
    return Clients(limits=CallLimits(read_timeout=30, attempts=1))
