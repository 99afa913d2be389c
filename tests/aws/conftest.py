"""What the tests of the AWS adapters share: a moto server, credentials, and services that answer as told."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from functions.aws.clients import CallLimits, Clients
from tests.emulators.loopback import Answer, LoopbackServer, Request
from tests.emulators.moto_server import CREDENTIALS, moto_server

IMPATIENT = CallLimits(connect_timeout=1, read_timeout=0.5, attempts=1)
ONCE = CallLimits(read_timeout=30, attempts=1, connections=32)

Answering = Callable[..., str]


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Return the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment with credentials and a region that lead nowhere."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def clients(environment: pytest.MonkeyPatch, moto: str) -> Clients:
    """Return clients whose calls go to moto and are tried once."""
    environment.setenv("AWS_ENDPOINT_URL", moto)
    return Clients(limits=ONCE)


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return what starts a service that gives the same answer to everything, and returns its URL."""
    with ExitStack() as running:

        def start(status: int, body: dict[str, Any] | bytes, **headers: str) -> str:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}

            def respond(_: Request) -> Answer:
                return Answer(status=status, body=content, headers=named)

            return running.enter_context(LoopbackServer(respond)).url

        yield start
