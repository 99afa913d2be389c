"""What the tests of the Google adapters share: services that answer as told, and a session that calls them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from emulators.google_emulators import pubsub_emulator
from emulators.loopback import LoopbackServer
from functions.gcp.rest import Session
from tests.contracts.google_project import emulators_needed
from tests.gcp.services import Service, Told, Waiting, session_of

Serving = Callable[..., tuple[str, Service]]
"""Starts a service that does as it is told, and returns its URL and the service."""


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Return what starts a service that does as it is told."""
    with ExitStack() as running:

        def start(*told: Told) -> tuple[str, Service]:
            service = Service(told)
            return running.enter_context(LoopbackServer(service)).url, service

        yield start


@pytest.fixture
def pauses() -> list[float]:
    """Return where the pauses between two attempts are noted."""
    return []


@pytest.fixture
def session(pauses: list[float]) -> Iterator[Session]:
    """Return a session without credentials."""
    session = session_of(pauses)
    yield session
    session.close()


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    """Return what keeps requests waiting until the test is over."""
    waiting = Waiting()
    yield waiting
    waiting.release()


@pytest.fixture(scope="session")
def pubsub_address() -> Iterator[str]:
    """Return where Google's emulator of Pub/Sub listens; the test is skipped on a machine that has none."""
    emulators_needed()
    with pubsub_emulator() as address:
        yield address
