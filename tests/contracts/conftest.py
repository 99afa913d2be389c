"""The clouds that the suite runs over: a new one is one more entry here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.in_memory import in_memory
from tests.contracts.on_aws import Amazon, amazon
from tests.contracts.on_azure import Azure, microsoft
from tests.contracts.on_google import Google, google
from tests.contracts.on_this_machine import this_machine
from tests.contracts.ports import Ports

# How a cloud is opened: once a session, given a folder; the result opens it anew for a test, given another folder.
Opener = Callable[[Path], AbstractContextManager[Any]]
CLOUDS: Mapping[str, Callable[[Path], AbstractContextManager[Opener]]] = {
    "local": this_machine,
    "aws": amazon,
    "gcp": google,
    "azure": microsoft,
}
# Clouds with adapters but without entry points.
FAKES: Mapping[str, Callable[[Path], AbstractContextManager[Opener]]] = {"memory": in_memory}

Opened = Callable[[str], Opener]


def _each(names: Mapping[str, object]) -> list[Any]:
    # One worker a cloud: its services are started once. The local cloud runs in the process of the tests, where a
    # warning is an error, and Apprise looks for a module that Python 3.13 no longer has.
    quiet = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
    return [pytest.param(name, marks=(pytest.mark.xdist_group(f"contracts-{name}"), quiet)) for name in names]


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """Return what opens a cloud by its name, once a session."""
    with ExitStack() as session:
        openers: dict[str, Opener] = {}

        def opener(name: str) -> Opener:
            if name not in openers:
                openers[name] = session.enter_context({**CLOUDS, **FAKES}[name](tmp_path_factory.mktemp(name)))
            return openers[name]

        yield opener


@pytest.fixture(params=_each(CLOUDS))
def cloud(request: pytest.FixtureRequest, opened: Opened, tmp_path: Path) -> Iterator[Cloud]:
    """Return a cloud on which nothing has happened yet."""
    with opened(request.param)(tmp_path) as fresh:
        yield fresh


@pytest.fixture(params=_each({**FAKES, **CLOUDS}))
def ports(request: pytest.FixtureRequest, opened: Opened, tmp_path: Path) -> Iterator[Ports]:
    """Return the adapters of a cloud, or the fakes, on which nothing has happened yet."""
    with opened(request.param)(tmp_path) as fresh:
        yield fresh


@pytest.fixture
def aws(opened: Opened, tmp_path: Path) -> Iterator[Amazon]:
    """Return AWS, on which nothing has happened yet, for what no other cloud has."""
    with opened("aws")(tmp_path) as fresh:
        yield fresh


@pytest.fixture
def gcp(opened: Opened, tmp_path: Path) -> Iterator[Google]:
    """Return Google Cloud, on which nothing has happened yet, for what no other cloud has."""
    with opened("gcp")(tmp_path) as fresh:
        yield fresh


@pytest.fixture
def azure(opened: Opened, tmp_path: Path) -> Iterator[Azure]:
    """Return Azure, on which nothing has happened yet, for what no other cloud has."""
    with opened("azure")(tmp_path) as fresh:
        yield fresh
