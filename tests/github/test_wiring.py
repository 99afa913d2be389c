"""The environment of a cloud gives the parts for GitHub, or a clear error at the start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulators.github import GitHubStandIn
from functions.github.address import read_address
from functions.github.token import SecretStore
from functions.github.wiring import GitHubParts, github_parts
from shared.config.environment import read_environment
from shared.config.targets import GitHubTarget
from shared.errors import ConfigError
from shared.ports import Dispatch
from tests.github.given import REPOSITORY, TOKEN, request

HERE = '[models.churn.target.local]\nkind = "command"\ncommand = ["true"]\n'
ON_GITHUB = '[models.churn.target.local]\nkind = "github"\nrepository = "acme/churn"\nevent_type = "retrain"\n'
AFTER = '[models.churn.after]\nfailed = ["github:acme/churn#failed"]\n'
ALLOWED = '[github]\nrepositories = ["acme/churn"]\n'


def parts(folder: Path, config: str, cloud: str = "local", **variables: str) -> GitHubParts:
    """Return the parts for a configuration and an environment."""
    (folder / "retrain.toml").write_text(config + ALLOWED)
    named = {f"RETRAIN_{name.upper()}": value for name, value in variables.items()}
    environment = read_environment(named, root=folder, needed=())
    return github_parts(environment, cloud=cloud, stores={SecretStore.AWS: lambda _: TOKEN})


@pytest.mark.parametrize("config", [ON_GITHUB, HERE + AFTER])
def test_sending_to_github_needs_a_token(tmp_path: Path, config: str) -> None:
    """The error comes when the function starts, not when a training has ended."""
    with pytest.raises(ConfigError, match="RETRAIN_GITHUB_TOKEN: is not set, and the configuration dispatches"):
        parts(tmp_path, config)
    assert parts(tmp_path, config, github_token=TOKEN).dispatcher is not None


def test_a_stand_in_on_this_machine_needs_none(tmp_path: Path) -> None:
    """No stand-in needs a token."""
    assert parts(tmp_path, ON_GITHUB, github_api="http://127.0.0.1:1").dispatcher is not None


@pytest.mark.parametrize(("config", "cloud"), [(HERE, "local"), (ON_GITHUB, "aws"), (HERE + AFTER, "gcp")])
def test_a_configuration_without_github_needs_no_token(tmp_path: Path, config: str, cloud: str) -> None:
    """Only the models that train on this cloud count."""
    assert parts(tmp_path, config, cloud=cloud).dispatcher is None


def test_a_wrong_environment_is_an_error(tmp_path: Path) -> None:
    """The error has the name of the variable, never its value."""
    with pytest.raises(ConfigError, match="RETRAIN_GITHUB_TOKEN: is neither"):
        parts(tmp_path, HERE, github_token="no token")
    with pytest.raises(ConfigError, match="RETRAIN_GITHUB_API: must be a URL"):
        parts(tmp_path, HERE, github_api="api.github.com")


def test_the_parts_work_together(tmp_path: Path, github: GitHubStandIn) -> None:
    """A training and its follow-up reach GitHub with the token in a secret."""
    arn = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:github-AbCdEf"
    made = parts(tmp_path, ON_GITHUB + AFTER, github_token=arn, github_api=github.url)
    made.launcher(GitHubTarget(repository=REPOSITORY, event_type="retrain")).start(request(), again=False)
    assert made.dispatcher is not None
    made.dispatcher.dispatch(Dispatch(repository=REPOSITORY, event_type="failed", token="a", payload={}))
    assert [event.event_type for event in github.dispatched()] == ["retrain", "failed"]


def test_importing_the_parts_imports_no_http() -> None:
    """A cold start that sends nothing to GitHub does not pay for it."""
    program = "import sys, functions.github.wiring; print([n for n in ('urllib3', 'requests') if n in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": "."}
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("base_url", "api", "runs"),
    [
        ("", "https://api.github.com", "https://github.com"),
        ("https://api.github.com/", "https://api.github.com", "https://github.com"),
        ("https://git.acme.example/api/v3", "https://git.acme.example/api/v3", "https://git.acme.example"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("http://[::1]:8081/api/v3", "http://[::1]:8081/api/v3", "http://[::1]:8081"),
        ("http://localhost", "http://localhost", "http://localhost"),
    ],
)
def test_every_github_has_an_api_and_pages(base_url: str, api: str, runs: str) -> None:
    """github.com, an Enterprise Server, data residency, a stand-in."""
    address = read_address(base_url)
    assert address.dispatches(REPOSITORY) == f"{api}/repos/acme/churn/dispatches"
    assert address.runs(REPOSITORY) == f"{runs}/acme/churn/actions?query=event%3Arepository_dispatch"


@pytest.mark.parametrize(
    "base_url",
    [
        "github.example.com",
        "http://github.example.com/api/v3",
        "http://127.0.0.1.example.com",
        "https://user:secret@github.example.com",
        "https://github.example.com?token=secret",
        "https://github.example.com#x",
        "https://",
        "https://[::1",
        "https://github.example.com:port",
        "ftp://127.0.0.1",
    ],
)
def test_a_token_is_never_sent_in_clear_over_a_network(base_url: str) -> None:
    """Nor is it sent to an invalid address; the value, which may contain a secret, is not shown."""
    with pytest.raises(ConfigError, match="RETRAIN_GITHUB_API: must be a URL such as https://") as caught:
        read_address(base_url)
    assert "secret" not in str(caught.value)
