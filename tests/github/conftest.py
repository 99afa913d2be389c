"""Fixtures of the tests of GitHub: a stand-in with one token and one repository."""

from collections.abc import Iterator

import pytest

from emulators.github import GitHubStandIn
from tests.github.given import REPOSITORY, TOKEN, Time


@pytest.fixture
def github() -> Iterator[GitHubStandIn]:
    """Return a GitHub."""
    with GitHubStandIn(tokens={TOKEN: frozenset({REPOSITORY})}, readers=frozenset({"ghp_reader"})) as stand_in:
        yield stand_in


@pytest.fixture
def time() -> Time:
    """Return a time that passes only during a sleep."""
    return Time()
