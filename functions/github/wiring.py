"""Puts GitHub's parts together for the wiring of a cloud."""

from collections.abc import Callable, Mapping
from typing import Final

from functions.github.address import read_address
from functions.github.client import STANDARD, GitHubClient, Patience
from functions.github.dispatcher import GitHubDispatcher
from functions.github.launcher import GitHubLauncher
from functions.github.token import VARIABLE, GitHubToken, ReadSecret, SecretStore
from shared.config.environment import Environment
from shared.config.model import Configuration
from shared.config.targets import GitHubTarget
from shared.errors import ConfigError
from shared.frozen import dataclass
from shared.ports import Dispatcher, Launcher

# What follows a training is tried again for hours by the core, and there may be several of it in one function's time.
BRIEF: Final = Patience(total=15, attempts=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubParts:
    """What a cloud needs of GitHub.

    Attributes:
        launcher: makes what starts the trainings of a `github` target.
        dispatcher: sends what follows a training; none where nothing in the configuration goes to GitHub.

    """

    launcher: Callable[[GitHubTarget], Launcher]
    dispatcher: Dispatcher | None


def github_parts(
    environment: Environment,
    *,
    cloud: str,
    stores: Mapping[SecretStore, ReadSecret],
) -> GitHubParts:
    """Put the parts together; no secret is read and nothing is asked before something is sent.

    Args:
        environment: the environment and the configuration.
        cloud: which of its targets count.
        stores: how to read secrets on this cloud.

    Raises:
        ConfigError: the environment is wrong, or has no token although the configuration needs one.

    """
    address, config = read_address(environment.github_api), environment.config
    token = GitHubToken(environment.github_token, stores)
    needed = uses_github(config, cloud)
    if needed and not environment.github_token.strip() and not address.is_loopback:
        raise ConfigError("environment", [f"{VARIABLE}: is not set, and the configuration dispatches to GitHub"])
    training = GitHubClient(address, token, config.repositories, patience=STANDARD)
    following = GitHubClient(address, token, config.repositories, patience=BRIEF)
    return GitHubParts(
        launcher=lambda target: GitHubLauncher(training, target),
        dispatcher=GitHubDispatcher(following) if needed else None,
    )


def uses_github(config: Configuration, cloud: str) -> bool:
    """Tell whether a model that trains on *cloud* trains on GitHub, or lets a workflow follow."""
    return any(
        isinstance(model.targets[cloud], GitHubTarget)
        or any(action.startswith("github:") for action in (*model.after.succeeded, *model.after.failed))
        for model in config.models
        if cloud in model.targets
    )
