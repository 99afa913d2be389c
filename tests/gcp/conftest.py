"""Fixtures of the tests of the Google adapters: services with scripted answers, and a session that calls them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from emulators.google_emulators import pubsub_emulator
from emulators.loopback import LoopbackServer
from functions.gcp.sessions import Session
from tests.contracts.google_project import emulators_needed
from tests.gcp.services import Reaction, Service, Waiting, session_of

Serving = Callable[..., tuple[str, Service]]
"""Starts a service with scripted answers, and returns its URL and the service."""


@pytest.fixture
def serving() -> Iterator[Serving]:
    """Return a function that starts a service with scripted answers."""
    with ExitStack() as running:

        def start(*script: Reaction) -> tuple[str, Service]:
            service = Service(script)
            return running.enter_context(LoopbackServer(service)).url, service

        yield start


@pytest.fixture
def pauses() -> list[float]:
    """Return the list that records the pauses between attempts."""
    return []


@pytest.fixture
def session(pauses: list[float]) -> Iterator[Session]:
    """Return a session without credentials."""
    session = session_of(pauses)
    yield session
    session.close()


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    """Return an answer that keeps requests waiting until the test ends."""
    waiting = Waiting()
    yield waiting
    waiting.release()


@pytest.fixture(scope="session")
def pubsub_address() -> Iterator[str]:
    """Return the address of Google's Pub/Sub emulator; the test is skipped on a machine without it."""
    emulators_needed()
    with pubsub_emulator() as address:
        yield address
