"""The build copies the pipelines that the configuration names."""

import json
from pathlib import Path

import pytest

from functions.gcp.pipelines import copy_specifications
from shared.config.file import load_configuration
from shared.errors import ConfigError
from tests.gcp.pipeline import SPECIFICATION, written

TARGET = 'kind = "vertex"\nproject = "acme"\nlocation = "europe-west4"\nroot = "gs://x"'


def build(folder: Path, *pipelines: str) -> list[str]:
    """Run the build step for a configuration with one model per pipeline."""
    models = [
        f'[models."m{number}".target.gcp]\n{TARGET}\npipeline = "{pipeline}"'
        for number, pipeline in enumerate(pipelines)
    ]
    local = '[models."local".target.local]\nkind = "command"\ncommand = ["true"]'
    (folder / "retrain.toml").write_text("\n".join([local, *models]), encoding="utf-8")
    return copy_specifications(load_configuration(folder / "retrain.toml"), folder / "dist")


def test_each_file_is_copied_to_its_place(tmp_path: Path) -> None:
    """Files are in the bundle at the configured paths, once each; addresses and other clouds need none."""
    written(tmp_path)
    written(tmp_path, name="other.json")
    build(tmp_path, "pipelines/churn.json", "other.json", "./pipelines/churn.json", "https://x/kfp/a/b")
    copies = sorted(str(path.relative_to(tmp_path / "dist")) for path in (tmp_path / "dist").rglob("*.json"))
    assert copies == ["other.json", "pipelines/churn.json"]
    assert json.loads((tmp_path / "dist" / "other.json").read_text(encoding="utf-8")) == SPECIFICATION


def test_nothing_to_copy_is_not_an_error(tmp_path: Path) -> None:
    """A configuration without a pipeline on Google Cloud builds."""
    assert build(tmp_path) == []


def test_every_problem_is_reported_with_its_place(tmp_path: Path) -> None:
    """One error lists missing, foreign and outside files, and nothing is copied."""
    written(tmp_path)
    written(tmp_path, {"a": 1}, "foreign.json")
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, "pipelines/churn.json", "missing.json", "foreign.json", "../outside.json")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith(": 3 problems")
    assert lines[1] == '  models."m1".target.gcp.pipeline: missing.json: cannot be read: No such file or directory'
    assert lines[2].startswith('  models."m2".target.gcp.pipeline: foreign.json: is not a compiled pipeline')
    assert lines[3].startswith('  models."m3".target.gcp.pipeline: ../outside.json: is outside the folder')
    assert not (tmp_path / "dist").exists()
