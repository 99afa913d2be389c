"""`retrain init` writes the files to begin with, and keeps those that exist."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.running import run


def test_the_first_files(tmp_path: Path) -> None:
    """Without a cloud there are four files, the configuration is valid, and the next commands are printed."""
    folder = tmp_path / "my models"
    answer = run("init", str(folder))
    assert answer.code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        "retrain.schema.json",
        "retrain.toml",
        "train.py",
    ]
    assert run("check", "--config", str(folder / "retrain.toml")).code == 0
    steps = answer.out.partition("Next:\n")[2]
    assert [line.split()[:2] for line in steps.splitlines()[1:4]] == [
        ["retrain", "serve"],
        ["retrain", "emit"],
        ["retrain", "show"],
    ]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that exists is kept and named, also in the JSON output."""
    (tmp_path / "train.py").write_text("mine")
    answer = run("init", "--json", str(tmp_path))
    assert json.loads(answer.out) == {
        "folder": str(tmp_path),
        "written": ["retrain.toml", "retrain.schema.json", ".gitignore"],
        "kept": ["train.py"],
    }
    assert (tmp_path / "train.py").read_text() == "mine"
    assert "kept  retrain.toml" in run("init", str(tmp_path)).out


def test_a_folder_of_the_users_own(tmp_path: Path) -> None:
    """Entries that its `.gitignore` lacks are named, and the next step concerns the models that are there."""
    run("init", str(tmp_path))
    (tmp_path / ".gitignore").write_text("/dist\n.venv/\n")
    answer = run("init", str(tmp_path), "--cloud", "aws")
    assert "\nAdd to .gitignore: .local/, __pycache__/\n" in answer.out
    assert ("braking" in answer.out, "\n  retrain check\n" in answer.out) == (False, True)
    assert "\nThen add target.aws, fill in environments/aws, and run: retrain check --cloud aws\n" in answer.out


def test_the_example_trains(tmp_path: Path) -> None:
    """The example needs the standard library only, takes its parameters and writes a model."""
    run("init", str(tmp_path))
    variables = {"PATH": os.environ["PATH"], "RETRAIN_PARAM_EPOCHS": "500", "RETRAIN_RUN_DIR": str(tmp_path)}
    command = [sys.executable, "-I", "-S", "train.py"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("500 epochs on 37 cars: ")
    assert json.loads((tmp_path / "model.json").read_text())["mean_error_ft"] < 15


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_the_files_for_a_cloud(tmp_path: Path, cloud: str) -> None:
    """With a cloud the configuration has its target, and a workflow deploys with this version of the tool."""
    assert run("init", "--cloud", cloud, str(tmp_path)).code == 0
    assert run("check", "--cloud", cloud, "--config", str(tmp_path / "retrain.toml")).code == 0
    workflow = yaml.safe_load((tmp_path / ".github/workflows/retrain.yml").read_text())
    commands = [step["run"] for step in workflow["jobs"]["deploy"]["steps"] if "run" in step]
    # From where the user's own copy is: a name in a public registry could be anybody's.
    install = f'pip install "retrain-trigger[{cloud}] @ ${{PACKAGE:?the variable RETRAIN_PACKAGE is missing}}"'
    option = {"aws": "", "gcp": ' --state "$STATE"', "azure": ' --group "$GROUP"'}[cloud]
    assert commands == [install, f"retrain deploy {cloud} --env prod{option}"]
    last = workflow["jobs"]["deploy"]["steps"][-1]
    assert all(f"${name}" in last["run"] for name in last.get("env", {})), "what the command needs reaches it"
    actions = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert all(len(action.partition("@")[2]) == 40 for action in actions)


@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_the_settings_are_not_those_of_the_repository(tmp_path: Path, cloud: str) -> None:
    """A copy of the repository that has settings of its own writes the same examples; those of prod have an alert."""
    assert run("init", "--cloud", cloud, str(tmp_path)).code == 0
    written = {path.name.partition(".")[0]: path.read_text() for path in (tmp_path / "environments" / cloud).iterdir()}
    assert sorted(written) == ["dev", "prod", "staging"]
    for environment, content in written.items():
        assert environment in content
        assert "@" not in content.replace("@acme", "").replace("@sha256", "")
    alert = {"aws": "required in prod", "gcp": "alert_emails", "azure": "alertGroup"}[cloud]
    assert alert in written["prod"]


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    """A file in the place of the folder is wrong usage."""
    (tmp_path / "file").write_text("")
    answer = run("init", str(tmp_path / "file"))
    assert answer.code == 2
    assert "cannot be written to (it is a file, not a folder)" in answer.err
