"""Fixtures of the tests of the command line: an environment without any cloud, and a deployment on AWS."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.moto_server import CREDENTIALS, moto_server
from tests.cli.aws_account import AwsGate, Deployment
from tests.cli.package import Installation, build_wheel, install

_FOREIGN = ("RETRAIN_", "AWS_", "AZURE_", "GOOGLE_", "IDENTITY_", "PUBSUB_", "FIRESTORE_", "GCE_", "CLOUDSDK_")


@pytest.fixture(autouse=True)
def restored_environment() -> Iterator[None]:
    """Restore the variables that a command, run in the process of the tests, has set for the SDKs of the clouds."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment that leads to no cloud and has invalid AWS keys."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture(scope="session")
def gate() -> Iterator[AwsGate]:
    """Return a gate in front of a moto server."""
    with moto_server() as url, AwsGate(url) as gate:
        yield gate


@pytest.fixture
def deployment(gate: AwsGate, tmp_path: Path, environment: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """Return a complete deployment on AWS, configured in the environment."""
    made = Deployment(gate=gate, folder=tmp_path)
    for name, value in made.variables.items():
        environment.setenv(name, value)
    yield made
    gate.reset()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Return an environment in which the wheel of this project is installed, without any extra."""
    return install(build_wheel(tmp_path_factory.mktemp("wheel")), tmp_path_factory.mktemp("environment") / "venv")
