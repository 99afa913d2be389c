"""The environment is read once; everything wrong with it and with the configuration is in one error."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.config.environment import Environment, read_environment
from shared.errors import ConfigError
from tests.core.samples import model_text

NEEDED = ("RETRAIN_BUS", "RETRAIN_LEDGER")
WHOLE = {
    "RETRAIN_BUS": "retraining",
    "RETRAIN_LEDGER": "states",
    "RETRAIN_DEAD_LETTERS": "letters",
    "RETRAIN_SOURCE": "acme",
    "RETRAIN_ROLE_ARN": "arn:aws:iam::123456789012:role/emit",
    "RETRAIN_EXTERNAL_ID": "secret-id",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a bundle with a configuration."""
    (tmp_path / "retrain.toml").write_text(model_text(), encoding="utf-8")
    (tmp_path / "other.toml").write_text(model_text("price"), encoding="utf-8")
    return tmp_path


def read(variables: Mapping[str, str], root: Path) -> Environment:
    """Read *variables* where bus and ledger are needed."""
    return read_environment(variables, root=root, needed=NEEDED)


def test_every_variable_is_read(root: Path) -> None:
    """Each value is there under its own name; the external id is not shown."""
    environment = read(WHOLE, root)
    assert (environment.bus, environment.ledger, environment.dead_letters) == ("retraining", "states", "letters")
    assert (environment.source, environment.role_arn) == ("acme", "arn:aws:iam::123456789012:role/emit")
    assert environment.external_id == "secret-id"
    assert "secret-id" not in repr(environment)


@pytest.mark.parametrize("optional", [{}, {"RETRAIN_SOURCE": "", "RETRAIN_CONFIG": "", "RETRAIN_ROLE_ARN": ""}])
def test_what_is_not_set_has_its_default(root: Path, optional: dict[str, str]) -> None:
    """An empty variable is like one that is not set: the source is that of the platform, the rest is empty."""
    environment = read({"RETRAIN_BUS": "b", "RETRAIN_LEDGER": "l"} | optional, root)
    assert (environment.source, environment.role_arn, environment.external_id) == ("ml3_platform", "", "")
    assert environment.dead_letters == ""
    assert environment.config.named("local") == ["churn"]


@pytest.mark.parametrize("absolute", [False, True])
def test_another_configuration_file(root: Path, *, absolute: bool) -> None:
    """Its path counts from the bundle's root unless it is absolute."""
    path = str(root / "other.toml") if absolute else "other.toml"
    assert read(WHOLE | {"RETRAIN_CONFIG": path}, root).config.named("local") == ["price"]


def test_all_problems_are_in_one_error(root: Path) -> None:
    """Missing variables and mistakes in the file are listed together, each with its place."""
    (root / "retrain.toml").write_text(model_text(settings='cooldown = "soon"\ncolour = 1'), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read({"RETRAIN_LEDGER": ""}, root)
    places = [": ".join(problem.split(": ")[:2]) for problem in caught.value.problems]
    assert places == [
        "RETRAIN_BUS: is not set",
        "RETRAIN_LEDGER: is not set",
        'retrain.toml: models."churn".cooldown',
        'retrain.toml: models."churn".colour',
    ]


def test_a_missing_configuration_is_reported_with_its_path(tmp_path: Path) -> None:
    """The problem names the file that was looked for."""
    with pytest.raises(ConfigError) as caught:
        read(WHOLE, tmp_path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'retrain.toml'}: there is no such file")
