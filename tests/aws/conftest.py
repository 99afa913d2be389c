"""Fixtures of the AWS adapters' tests: stand-ins, credentials, services with scripted answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from emulators.aws_client import client
from emulators.eventbridge import EventBridgeStandIn
from emulators.moto_server import CREDENTIALS
from emulators.sagemaker import Pipeline, SageMakerStandIn
from functions.aws.bus import EventBridgeBus
from functions.aws.clients import Clients
from functions.aws.launcher import SageMakerLauncher
from tests.aws.adapters import BUS, ONCE, PIPELINE, bus_on, launcher_of
from tests.aws.calls import PIPELINES
from tests.contracts.adapters import Answering, answering_services


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
    with answering_services() as start:
        yield start


@pytest.fixture
def events(environment: pytest.MonkeyPatch) -> Iterator[EventBridgeStandIn]:
    """Return a stand-in for EventBridge with one bus, to which the environment points."""
    with EventBridgeStandIn(buses=frozenset({BUS})) as stand_in:
        environment.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", stand_in.url)
        yield stand_in


@pytest.fixture
def pauses() -> list[float]:
    """Return where the pauses between two attempts are noted."""
    return []


@pytest.fixture
def bus(events: EventBridgeStandIn, pauses: list[float]) -> EventBridgeBus:
    """Return the adapter for the stand-in's bus."""
    return bus_on(pauses, next(iter(events.buses)))


@pytest.fixture
def pipelines(environment: pytest.MonkeyPatch) -> Iterator[SageMakerStandIn]:
    """Return a stand-in for SageMaker whose executions last until they are ended, to which the environment points."""
    parameters = ("epochs", "rate", "full", "name")
    with SageMakerStandIn(pipelines={PIPELINE: Pipeline(parameters=parameters)}) as stand_in:
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", stand_in.url)
        yield stand_in


@pytest.fixture
def launcher(pipelines: SageMakerStandIn) -> SageMakerLauncher:
    """Return a launcher of the stand-in's pipeline, whose calls are tried once."""
    return launcher_of(next(iter(pipelines.pipelines)))


@pytest.fixture
def sagemaker() -> Iterator[SageMakerStandIn]:
    """Return a stand-in with two pipelines whose executions last until they are ended."""
    with SageMakerStandIn(pipelines=PIPELINES) as stand_in:
        yield stand_in


@pytest.fixture
def boto(sagemaker: SageMakerStandIn) -> Any:
    """Return a real client that neither retries nor checks parameters."""
    return client("sagemaker", sagemaker.url, parameter_validation=False)
