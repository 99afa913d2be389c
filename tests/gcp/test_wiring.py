"""The parts fit together: those that the configuration needs are there, and nothing else is loaded."""

import inspect
from pathlib import Path

import pytest

from functions.gcp import wiring
from functions.gcp.launcher import VertexLauncher
from functions.github.launcher import GitHubLauncher
from shared.config.targets import CommandTarget, GitHubTarget
from shared.errors import ConfigError, InvalidTriggerError, UnknownModelError
from shared.http.parts import EmitterParts
from shared.training.parts import ReceiverParts
from tests.gcp.pipeline import target, written

PLAIN = """
[models."churn".target.gcp]
kind = "vertex"
pipeline = "churn.json"
project = "acme"
location = "europe-west4"
root = "gs://acme"
"""
EVERYTHING = f"""{PLAIN}
[models."fraud".target.gcp]
kind = "github"
repository = "acme/churn"
event_type = "retrain"
[github]
repositories = ["acme/churn"]
[notify]
channels = ["json://127.0.0.1:1/x"]
"""
GITHUB = GitHubTarget(repository="acme/churn", event_type="retrain")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return an environment that is complete, without any credentials."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RETRAIN_CONFIG", str(tmp_path / "retrain.toml"))
    monkeypatch.setenv("RETRAIN_LEDGER", "projects/acme/databases/(default)/documents/models")
    monkeypatch.setenv("RETRAIN_BUS", "projects/acme/topics/triggers")
    monkeypatch.setenv("RETRAIN_GITHUB_TOKEN", "t")
    return monkeypatch


def received(folder: Path, configuration: str) -> ReceiverParts:
    """Return the parts for a configuration, made anew."""
    (folder / "retrain.toml").write_text(configuration, encoding="utf-8")
    parts: ReceiverParts = inspect.unwrap(wiring.receiver)()
    return parts


@pytest.mark.usefixtures("environment")
def test_a_plain_configuration_has_no_more_than_it_needs(tmp_path: Path) -> None:
    """There are a pipeline on Vertex AI, no dead letters, no channels and no repositories."""
    receiver = received(tmp_path, PLAIN)
    assert (receiver.cloud, receiver.source) == ("gcp", "ml3_platform")
    assert (receiver.dead_letters, receiver.notifier, receiver.dispatcher) == (None, None, None)
    assert isinstance(receiver.launcher(target()), VertexLauncher)


@pytest.mark.usefixtures("environment")
def test_everything_that_is_configured_is_there(tmp_path: Path) -> None:
    """GitHub is a target and gets follow-ups, and there are channels for people."""
    receiver = received(tmp_path, EVERYTHING)
    assert receiver.notifier is not None
    assert receiver.dispatcher is not None
    assert isinstance(receiver.launcher(GITHUB), GitHubLauncher)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("other", [CommandTarget(command=("true",)), GITHUB])
def test_a_target_that_this_bundle_cannot_launch_is_an_error(
    tmp_path: Path, other: CommandTarget | GitHubTarget
) -> None:
    """It may be a target of another cloud, or of GitHub without a configured repository."""
    with pytest.raises(UnknownModelError, match=rf"^target.gcp.kind: '{other.kind}' cannot be launched"):
        received(tmp_path, PLAIN).launcher(other)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRAIN_LEDGER", "models"),
        ("RETRAIN_LEDGER", "projects/p/databases/d/documents/a/b"),
        ("RETRAIN_LEDGER", "projects/p/databases/d/documents/a/"),
        ("RETRAIN_BUS", "triggers"),
        ("RETRAIN_BUS", "projects/p/topics/t/x"),
        ("RETRAIN_DEAD_LETTERS", "projects/p/subscriptions/s"),
    ],
)
def test_a_name_of_another_form_is_an_error(
    tmp_path: Path, environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The error names the variable, the form that it must have, and its value."""
    environment.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        received(tmp_path, PLAIN)
    (problem,) = raised.value.problems
    assert problem.startswith(f"{name}: must have the form projects/P/")
    assert problem.endswith(f", not {value!r}")


def test_missing_variables_are_one_error(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """One error names every variable that a function needs."""
    for name in ("RETRAIN_LEDGER", "RETRAIN_BUS"):
        environment.delenv(name)
    (tmp_path / "retrain.toml").write_text(PLAIN, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"RETRAIN_BUS: is not set\n  RETRAIN_LEDGER: is not set"):
        inspect.unwrap(wiring.emitter)()


@pytest.mark.usefixtures("environment")
def test_both_functions_check_parameters_by_the_specification(tmp_path: Path) -> None:
    """A value that the pipeline would refuse is refused over HTTP and from the bus."""
    written(tmp_path, name="churn.json")
    receiver = received(tmp_path, PLAIN)
    emitter: EmitterParts = inspect.unwrap(wiring.emitter)()
    for parts in (receiver, emitter):
        parts.check(target("churn.json"), {"epochs": "9"})
        with pytest.raises(InvalidTriggerError, match=r"^parameters.epochs: the pipeline wants an integer"):
            parts.check(target("churn.json"), {"epochs": "many"})
