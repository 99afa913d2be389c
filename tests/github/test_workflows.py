"""The example workflows are valid, run on our events, read only their fields, and never execute foreign text."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.github.launcher import client_payload
from shared.config.file import parse_configuration
from shared.config.targets import GitHubTarget
from tests.github.given import request

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "github"
TRAIN, DEPLOY = FOLDER / "train.yml", FOLDER / "deploy.yml"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
PAYLOAD = re.compile(r"github\.event\.client_payload\.([A-Za-z_.]+)")
EXPRESSION = re.compile(r"\$\{\{(.*?)}}")
# The events that the core sends after a training.
AFTER = {"data.runId", "data.experimentName", "model_id", "trigger_id", "token", "result", "ended_at", "url", "cloud"}


def workflow(path: Path) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 reads its `on` as a boolean."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if name is True else name): value for name, value in content.items()}


def steps(path: Path) -> list[dict[str, Any]]:
    """Return the steps of all jobs."""
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


def script(path: Path, start: str) -> str:
    """Return the script of the step whose name begins with *start*."""
    return next(str(step["run"]) for step in steps(path) if str(step.get("name")).startswith(start))


def run(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub does, in *folder*, with the programs of *folder*`/bin` before all others."""
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(
        shell, cwd=folder, env={"PATH": path, **environment}, capture_output=True, text=True, check=False
    )


def program(path: Path, text: str) -> None:
    """Write a program for the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_readme_is_a_configuration_for_these_workflows() -> None:
    """Its samples of `retrain.toml` parse, and its event types are those of the workflows."""
    (text,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (model,) = parse_configuration(text, source="README.md", folder=FOLDER).models
    target = model.targets["aws"]
    assert isinstance(target, GitHubTarget)
    assert workflow(TRAIN)["on"] == {"repository_dispatch": {"types": [target.event_type]}}
    follow_up = model.after.succeeded[0].partition("#")[2]
    assert workflow(DEPLOY)["on"] == {"repository_dispatch": {"types": [follow_up]}}
    # Workflows that were written for the Azure template's function fire on this name.
    assert follow_up == "machinelearningservices-runcompleted"


def test_the_comments_are_configurations_too() -> None:
    """They say the same as the README."""
    for path in (TRAIN, DEPLOY):
        shown = "\n".join(re.findall(r"^#   (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert all(line in README for line in shown.splitlines()), shown


@pytest.mark.parametrize("path", [TRAIN, DEPLOY])
def test_only_sent_fields_are_read(path: Path) -> None:
    """A misspelt name would be an empty string."""
    full = client_payload(request(reason="a", severity="low", requested_by="b", evidence={"c": 1}))
    sent = set(full) if path == TRAIN else AFTER
    read = set(PAYLOAD.findall(path.read_text(encoding="utf-8")))
    assert read
    assert read <= sent


@pytest.mark.parametrize("path", [TRAIN, DEPLOY])
def test_no_text_of_others_becomes_a_script(path: Path) -> None:
    """Expressions are in the environment of a step only: a reason may contain any shell command."""
    for step in steps(path):
        assert not EXPRESSION.search(str(step.get("run", "")))


@pytest.mark.parametrize("path", [TRAIN, DEPLOY])
def test_the_workflow_may_only_read(path: Path) -> None:
    """Its own token has no right to write, and is not left in the checkout."""
    given = [workflow(path)["permissions"], *(job.get("permissions", {}) for job in workflow(path)["jobs"].values())]
    assert {right for rights in given for right in rights.values()} == {"read"}
    checkouts = [step for step in steps(path) if str(step.get("uses")).startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_trainings_of_one_token_run_one_after_the_other() -> None:
    """The run can be found by its token, too."""
    train = workflow(TRAIN)
    assert "client_payload.token" in train["concurrency"]["group"]
    assert train["concurrency"]["cancel-in-progress"] is False
    assert "[${{ github.event.client_payload.token }}]" in train["run-name"]


@pytest.mark.parametrize("trained", ["true", "false"])
def test_a_repeat_of_a_training_that_has_succeeded_does_not_train(tmp_path: Path, trained: str) -> None:
    """It searches the titles of this workflow's runs for the token."""
    program(tmp_path / "bin" / "gh", f'echo "$@" > arguments\necho {trained}')
    variables = {"GITHUB_OUTPUT": "output", "GITHUB_REPOSITORY": "acme/churn", "GITHUB_WORKFLOW": "Train"}
    assert run(script(TRAIN, "Has this"), tmp_path, TOKEN="abc", **variables).returncode == 0
    assert (tmp_path / "output").read_text() == f"trained={trained}\n"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith(
        "run list --repo acme/churn --workflow Train --event repository_dispatch --status success"
    )
    assert workflow(TRAIN)["jobs"]["train"]["if"] == "needs.before.outputs.trained == 'false'"


def test_parameters_arrive_as_they_are(tmp_path: Path) -> None:
    """As `RETRAIN_PARAM_<NAME>`, whatever characters they have; nothing in them is run."""
    (tmp_path / "train.py").write_text(
        "import json, os\nnamed = {n: v for n, v in os.environ.items() if n.startswith('RETRAIN_')}\n"
        "open('seen', 'w').write(json.dumps(named))"
    )
    parameters = {
        "epochs": 9,
        "rate": 0.5,
        "full": True,
        "name": "a\n$(touch evil) 'b' \"c\" EOF ü",
        "learning-rate": 1,
    }
    done = run(script(TRAIN, "Train"), tmp_path, PARAMETERS=json.dumps(parameters), RETRAIN_MODEL_ID="churn")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "seen").read_text()) == {
        "RETRAIN_MODEL_ID": "churn",
        "RETRAIN_PARAM_EPOCHS": "9",
        "RETRAIN_PARAM_RATE": "0.5",
        "RETRAIN_PARAM_FULL": "true",
        "RETRAIN_PARAM_NAME": parameters["name"],
        "RETRAIN_PARAM_LEARNING_RATE": "1",
    }
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("parameters", ["null", "{}"])
def test_a_training_that_fails_is_a_run_that_fails(tmp_path: Path, parameters: str) -> None:
    """With or without parameters; its exit code is the step's."""
    (tmp_path / "train.py").write_text("raise SystemExit(3)")
    assert run(script(TRAIN, "Train"), tmp_path, PARAMETERS=parameters).returncode == 3


def test_a_run_is_deployed(tmp_path: Path) -> None:
    """Its id is an argument, whatever its content."""
    program(tmp_path / "deploy.sh", 'echo "$1|$2" > deployed')
    done = run(script(DEPLOY, "Deploy"), tmp_path, RUN_ID="run $(touch evil)", EXPERIMENT="churn", RUN_URL="")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "deployed").read_text() == "churn|run $(touch evil)\n"
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("missing", ["RUN_ID", "EXPERIMENT"])
def test_an_event_without_a_run_deploys_nothing(tmp_path: Path, missing: str) -> None:
    """It fails with an explanation."""
    given = {"RUN_ID": "run-1", "EXPERIMENT": "churn", "RUN_URL": "", missing: ""}
    done = run(script(DEPLOY, "Deploy"), tmp_path, **given)
    assert done.returncode == 1
    assert done.stdout.startswith("::error::the event does not name a run")


def test_the_readme_lists_the_sent_fields() -> None:
    """Its tables have every name that a workflow may read."""
    full = client_payload(request(reason="a", severity="low", requested_by="b", evidence={"c": 1}))
    for name in {*full, *AFTER}:
        assert f"`{name}`" in README, name
