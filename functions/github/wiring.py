"""Assembles the parts for GitHub, for the wiring of a cloud."""

from collections.abc import Callable, Mapping
from typing import Final

from functions.github.address import read_address
from functions.github.client import STANDARD, DispatchLimits, GitHubClient
from functions.github.dispatcher import GitHubDispatcher
from functions.github.launcher import GitHubLauncher
from functions.github.token import VARIABLE, GitHubToken, ReadSecret, SecretStore
from shared.config.environment import Environment
from shared.config.model import Configuration
from shared.config.targets import GitHubTarget
from shared.errors import ConfigError
from shared.frozen import dataclass
from shared.ports import Dispatcher, Launcher

# The core retries follow-ups for hours, and one invocation may send several of them.
BRIEF: Final = DispatchLimits(total=15, attempts=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubParts:
    """The parts for GitHub.

    Attributes:
        launcher: makes the launcher of a `github` target.
        dispatcher: sends the events that follow a training; none if the configuration sends nothing to GitHub.

    """

    launcher: Callable[[GitHubTarget], Launcher]
    dispatcher: Dispatcher | None


def github_parts(
    environment: Environment,
    *,
    cloud: str,
    stores: Mapping[SecretStore, ReadSecret],
) -> GitHubParts:
    """Assemble the parts; secrets are read and connections made only when an event is sent.

    Args:
        environment: the environment and the configuration.
        cloud: the cloud whose targets count.
        stores: reads secrets on this cloud.

    Raises:
        ConfigError: the environment is wrong, or has no token although the configuration needs one.

    """
    address, config = read_address(environment.github_api), environment.config
    token = GitHubToken(environment.github_token, stores)
    needed = uses_github(config, cloud)
    if needed and not environment.github_token.strip() and not address.is_loopback:
        raise ConfigError("environment", [f"{VARIABLE}: is not set, and the configuration dispatches to GitHub"])
    training = GitHubClient(address, token, config.repositories, limits=STANDARD)
    following = GitHubClient(address, token, config.repositories, limits=BRIEF)
    return GitHubParts(
        launcher=lambda target: GitHubLauncher(training, target),
        dispatcher=GitHubDispatcher(following) if needed else None,
    )


def uses_github(config: Configuration, cloud: str) -> bool:
    """Return whether a model that trains on *cloud* is trained or followed up by a GitHub workflow."""
    return cloud in config.outline.github
