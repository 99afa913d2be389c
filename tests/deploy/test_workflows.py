"""The workflows are well formed, promote what was tested, show a plan first, can go back, and hold no keys."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.actionlint import actionlint
from tests.deploy.template import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
EXAMPLES = sorted((ROOT / "examples" / "github").glob("*.yml"))
CLOUDS = ("aws", "gcp", "azure")
# The actions that get rights for a job.
TRUST = re.compile(r"(aws-actions/configure|google-github-actions/auth|azure/login)", re.IGNORECASE)
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+(\.\d+)*")


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


def test_the_workflows_have_the_form_that_github_wants() -> None:
    """The published schema of workflows takes each of them."""
    schema = ["--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, *map(str, WORKFLOWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_actionlint_finds_nothing_wrong_but_a_planted_mistake(tmp_path: Path) -> None:
    """Expressions, contexts, jobs that wait for one another, runners: only a context misspelt on purpose is reported.

    One run checks our own workflows, those of the example and the mistake, since the linter takes seconds to start.
    """
    for folder, paths in (("ours", WORKFLOWS), ("examples", EXAMPLES)):
        (tmp_path / folder).mkdir()
        for path in paths:
            shutil.copy(path, tmp_path / folder / path.name)
    text = (FOLDER / "deploy.yml").read_text(encoding="utf-8").replace("needs.source.outputs.commit", "needs.sauce.x")
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted" / "deploy.yml").write_text(text, encoding="utf-8")
    done = actionlint(tmp_path, "*/*.yml")
    assert (done.returncode, f"Checking {len(WORKFLOWS) + len(EXAMPLES) + 1} " in done.stdout) == (1, True), done.stdout
    found = re.findall(r"^(\S+\.yml):\d+:\d+ (.*)", done.stdout, re.MULTILINE)
    assert found
    assert not [each for each in found if each[0] != "planted/deploy.yml" or '"sauce"' not in each[1]]


@pytest.mark.parametrize("path", [*WORKFLOWS, *EXAMPLES], ids=lambda path: path.name)
def test_actions_are_pinned_by_their_commits(path: Path) -> None:
    """A tag in a foreign repository can move; the version is a comment, which dependabot keeps."""
    used = re.findall(r"uses: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_the_suite_runs_on_what_is_deployed_and_on_the_oldest_version() -> None:
    """The functions run on the first version of the matrix, and the promotion tests on that one."""
    check = yaml.safe_load((FOLDER / "test.yml").read_text(encoding="utf-8"))["jobs"]["check"]
    assert check["strategy"]["matrix"]["python"] == ["3.13", "3.11"]
    assert "Runtime: python3.13" in (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert 'runtime         = "python313"' in (ROOT / "deploy/gcp/functions.tf").read_text(encoding="utf-8")
    assert " 3.13" in (FOLDER / "deploy.yml").read_text(encoding="utf-8")


def test_a_tag_deploys_to_its_environment(deploy: dict[str, Any]) -> None:
    """The tags are the environments; a cloud is deployed where DEPLOY_TO names it, after its plan was approved."""
    assert deploy["on"]["push"] == {"tags": ["staging", "prod"]}
    environment = deploy["jobs"]["source"]["outputs"]["environment"]
    assert environment == "${{ inputs.environment || github.ref_name }}"
    for cloud in CLOUDS:
        plan, job = deploy["jobs"][f"plan-{cloud}"], deploy["jobs"][cloud]
        assert job["environment"] == "${{ needs.source.outputs.environment }}"
        assert plan["environment"] == f"{job['environment']}-plan"
        assert f"contains(vars.DEPLOY_TO, '{cloud}')" in plan["if"]
        assert f"plan-{cloud}" in job["needs"]
        assert f"needs.plan-{cloud}.result == 'success'" in job["if"]


@pytest.mark.parametrize("name", [*CLOUDS, *(f"plan-{cloud}" for cloud in CLOUDS)])
def test_an_environment_that_is_not_configured_is_reported(deploy: dict[str, Any], name: str) -> None:
    """A job's first step fails with the name of a variable that is missing; it knows all that the job needs."""
    first, *others = deploy["jobs"][name]["steps"]
    used = set(re.findall(r"vars\.(\w+)", json.dumps(others)))
    optional = {variable for variable in used if variable.endswith("_MONITOR_REPOSITORY")}
    assert used - optional <= set(first["env"])
    for missing in first["env"]:
        done = run(first["run"], dict.fromkeys(set(first["env"]) - {missing}, "given") | {missing: ""})
        assert done.returncode != 0
        assert f"{missing}: is not a variable of this environment" in done.stderr
    assert run(first["run"], dict.fromkeys(first["env"], "given")).returncode == 0


def test_every_variable_is_explained(deploy: dict[str, Any]) -> None:
    """The table of what a repository and its environments set has all that the workflow reads, and nothing else."""
    text = (ROOT / "docs" / "promotion.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    read = set(re.findall(r"(?:vars|secrets)\.(\w+)", json.dumps(deploy)))
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == read


@pytest.mark.parametrize("name", [*CLOUDS, *(f"plan-{cloud}" for cloud in CLOUDS)])
def test_only_what_was_bundled_is_deployed(deploy: dict[str, Any], name: str) -> None:
    """Every job checks the digests before anything has a right, and builds nothing but the monitor's image."""
    job = deploy["jobs"][name]
    assert "bundle" in job["needs"]
    steps = [step.get("run", "") or step["uses"] for step in job["steps"]]
    checked = next(place for place, text in enumerate(steps) if "sha256sum --check --quiet digests.txt" in text)
    trusted = next(place for place, text in enumerate(steps) if TRUST.match(text))
    assert checked < trusted
    assert not re.search(r"\b(make|sam build)\b", " ".join(steps))


def test_the_bundle_is_made_of_tested_code_and_checked_settings(deploy: dict[str, Any]) -> None:
    """The whole suite is skipped only for code that has passed it; the configuration is checked each time."""
    suite, bundle = deploy["jobs"]["suite"], deploy["jobs"]["bundle"]
    assert suite["if"] == "needs.source.outputs.tested != 'true'"
    assert ".ci/run" in [step.get("run") for step in suite["steps"]]
    assert suite["steps"][-1]["with"]["name"] == "tested-${{ needs.source.outputs.code }}"
    assert "needs.suite.result == 'success'" in bundle["if"]
    runs = [step.get("run", "") for step in bundle["steps"]]
    assert runs.index("make check-settings") < next(place for place, text in enumerate(runs) if "dist/aws.zip" in text)


def test_a_deployment_is_checked_by_doctor(deploy: dict[str, Any]) -> None:
    """The last step of each job runs `doctor`, with the variables that the deployment's outputs give."""
    for cloud in CLOUDS:
        last = deploy["jobs"][cloud]["steps"][-1]["run"]
        assert f'deploy/outputs {cloud} "$ENV"' in last
        assert f"functions.cli doctor --cloud {cloud}" in last


def test_no_key_is_stored(deploy: dict[str, Any]) -> None:
    """The clouds trust the identity that GitHub gives a run; external ids are secrets, never plain variables."""
    secret = {name for path in WORKFLOWS for name in re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8"))}
    assert secret == {"EMITTER_EXTERNAL_ID", "FOREIGN_BUS_EXTERNAL_ID"}
    assert deploy["permissions"] == {}
    trusted = {name for name, job in deploy["jobs"].items() if "id-token" in job.get("permissions", {})}
    assert trusted == {*CLOUDS, *(f"plan-{cloud}" for cloud in CLOUDS)}
    rights = {right for job in deploy["jobs"].values() for right in job["permissions"].items()}
    assert rights == {("contents", "read"), ("actions", "read"), ("id-token", "write")}


def test_no_text_of_others_becomes_a_command(deploy: dict[str, Any]) -> None:
    """A name of a tag, an input or a variable reaches a script by its environment, never by being written into it."""
    for job in deploy["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


class TestSource:
    """`deploy/source` decides what is deployed; `gh` is a fake that answers with what GitHub's API shows."""

    RUN = "12345"
    COMMIT = "0a" * 20

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        """Return a repository with code, a configuration and settings."""
        files = {"shared/a.py": "a", "retrain.toml": "b", "deploy/gcp/environments/prod.tfvars": "c"}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        self.git(tmp_path, "init", "--quiet")
        self.commit(tmp_path)
        return tmp_path

    def git(self, folder: Path, *arguments: str) -> None:
        """Run git with a name of its own."""
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run([shutil.which("git") or "git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    def commit(self, folder: Path, **changed: str) -> None:
        """Change files, and commit everything but the fake."""
        for name, text in changed.items():
            (folder / name.replace("__", "/").replace("_toml", ".toml").replace("_py", ".py")).write_text(text)
        self.git(folder, "add", "shared", "retrain.toml", "deploy")
        self.git(folder, "commit", "--quiet", "--allow-empty", "--message", "x")

    def decided(self, folder: Path, answer: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the script where GitHub's API answers with *answer*."""
        gh = folder / "bin" / "gh"
        gh.parent.mkdir(exist_ok=True)
        gh.write_text('#!/bin/sh\necho "$*" >> gh-calls\ncat bin/answer\n')
        gh.chmod(0o755)
        (gh.parent / "answer").write_text(answer)
        path = f"{gh.parent}:{os.environ['PATH']}"
        environment = {"PATH": path, "GITHUB_REPOSITORY": "acme/retrain", "GITHUB_RUN_ID": self.RUN, **variables}
        script = str(ROOT / "deploy" / "source")
        return subprocess.run([script], cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def outputs(self, folder: Path, answer: str, **variables: str) -> dict[str, str]:
        """Return what the script prints, by name."""
        done = self.decided(folder, answer, **variables)
        assert done.returncode == 0, done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def test_a_changed_configuration_is_not_tested_again(self, repository: Path) -> None:
        """The digest of the code is that of all files but the configuration and the settings."""
        before = self.outputs(repository, "0")
        assert (before["run"], before["tested"]) == (self.RUN, "false")
        self.commit(repository, retrain_toml="changed")
        after = self.outputs(repository, "1")
        assert (after["code"], after["tested"]) == (before["code"], "true")
        assert f"artifacts?name=tested-{before['code']}" in (repository / "gh-calls").read_text()
        self.commit(repository, shared__a_py="changed")
        assert self.outputs(repository, "0")["code"] != before["code"]

    def test_an_earlier_run_is_deployed_again(self, repository: Path) -> None:
        """With its commit, and without testing or building."""
        found = self.outputs(repository, self.COMMIT, EARLIER="678")
        assert found == {"run": "678", "commit": self.COMMIT, "code": "", "tested": "true"}

    @pytest.mark.parametrize(("earlier", "answer"), [("678", ""), ("678; rm -rf x", COMMIT), ("678", "null")])
    def test_a_run_that_is_not_a_promotion_is_refused(self, repository: Path, earlier: str, answer: str) -> None:
        """Neither that of another workflow nor anything that is not a number."""
        done = self.decided(repository, answer, EARLIER=earlier)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("::error::")
