"""The environment variables of the bundle, parsed once; one error lists every problem."""

from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from shared.config.file import load_deployed
from shared.config.model import Configuration
from shared.errors import ConfigError
from shared.frozen import dataclass

SOURCE: Final = "ml3_platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The settings from the environment variables; a variable that is not set is an empty string.

    Attributes:
        config: the configuration.
        name: the name of the deployment, such as `prod`.
        source: the source of emitted events, and the prefix that received events must have.
        bus: the event bus to which triggers are published.
        ledger: where the state of the models is stored.
        dead_letters: where rejected events are stored.
        role_arn: AWS: the role to assume for publishing.
        external_id: AWS: the external id that the trust policy of that role requires.
        event_grid_key: Azure: the key of the Event Grid topic.
        vertex_endpoint: base URL of Vertex AI; empty: the public one.
        arm_endpoint: base URL of Azure Resource Manager; empty: the public one.
        github_token: the token for GitHub, or the name of the secret that holds it.
        github_api: base URL of GitHub's API; empty: the public one.

    """

    config: Configuration
    name: str
    source: str
    bus: str
    ledger: str
    dead_letters: str
    role_arn: str
    external_id: str = field(repr=False)
    event_grid_key: str = field(repr=False)
    vertex_endpoint: str
    arm_endpoint: str
    github_token: str = field(repr=False)
    github_api: str


def read_environment(variables: Mapping[str, str], *, root: Path, needed: tuple[str, ...]) -> Environment:
    """Parse the environment variables and load the configuration.

    Args:
        variables: the environment variables.
        root: the root folder of the bundle, to which `RETRAIN_CONFIG` (default `retrain.toml`) is relative.
        needed: the variables that must be set.

    Raises:
        ConfigError: a variable is missing or the configuration is invalid; it lists all problems of both.

    """
    problems = [f"{name}: is not set" for name in needed if not variables.get(name)]
    path = root / (variables.get("RETRAIN_CONFIG") or "retrain.toml")
    config = _collected(lambda: load_deployed(path), problems)
    if config is None or problems:
        raise ConfigError("environment and configuration", problems)
    return Environment(
        config=config,
        name=variables.get("RETRAIN_ENVIRONMENT", ""),
        source=variables.get("RETRAIN_SOURCE") or SOURCE,
        bus=variables.get("RETRAIN_BUS", ""),
        ledger=variables.get("RETRAIN_LEDGER", ""),
        dead_letters=variables.get("RETRAIN_DEAD_LETTERS", ""),
        role_arn=variables.get("RETRAIN_ROLE_ARN", ""),
        external_id=variables.get("RETRAIN_EXTERNAL_ID", ""),
        event_grid_key=variables.get("RETRAIN_EVENT_GRID_KEY", ""),
        vertex_endpoint=variables.get("RETRAIN_VERTEX_ENDPOINT", ""),
        arm_endpoint=variables.get("RETRAIN_ARM_ENDPOINT", ""),
        github_token=variables.get("RETRAIN_GITHUB_TOKEN", ""),
        github_api=variables.get("RETRAIN_GITHUB_API", ""),
    )


def _collected(read: Callable[[], Configuration], problems: list[str]) -> Configuration | None:
    try:
        return read()
    except ConfigError as error:
        problems += [f"{error.source}: {problem}" for problem in error.problems]
        return None
