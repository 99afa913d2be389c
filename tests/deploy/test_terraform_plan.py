"""Terraform plans the files for Google Cloud, with a provider that accepts every resource: `google_provider.py`."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.template import ROOT
from tests.deploy.terraform import FOLDER, blocks

PYTHON = ROOT / ".tools" / "terraform-provider" / "bin" / "python"
LEAST = {"project": "acme", "region": "europe-west4", "trainers": ["trainer@acme.iam.gserviceaccount.com"]}
EVERYTHING = LEAST | {
    "training_projects": ["acme", "acme-training"],
    "callers": ["group:people@acme.example"],
    "publishers": ["serviceAccount:platform@acme.iam.gserviceaccount.com"],
    "signal_buckets": ["training-data"],
    "monitoring_signals": True,
    "github_token_secret": "github-token",
    "alert_emails": ["people@acme.example"],
    "notification_channels": ["projects/acme/notificationChannels/1"],
    "monitor_image": "europe-west4-docker.pkg.dev/acme/images/monitor:1",
    "monitor_site_bucket": "pages",
    "monitor_data_buckets": ["data"],
}
NAMES = ("name", "account_id", "display_name", "role_id", "dashboard_json")
# They belong to what carries the environment, or are the content of a bundle.
WITHIN = ("google_storage_bucket_object",)


@dataclass(frozen=True, slots=True)
class Plans:
    """A folder in which Terraform plans."""

    folder: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run Terraform."""
        return subprocess.run(
            ["terraform", *arguments],  # noqa: S607 - looked for above
            cwd=self.folder,
            env=dict(self.variables),
            capture_output=True,
            text=True,
            check=False,
        )

    def plan(self, environment: str, values: Mapping[str, Any]) -> "subprocess.CompletedProcess[str]":
        """Plan the deployment of an environment."""
        given = {**values, "environment": environment, "bundle": str(self.folder / "versions.tf")}
        (self.folder / "values.tfvars.json").write_text(json.dumps(given))
        return self.run("plan", "-no-color", "-input=false", "-out=plan", "-var-file=values.tfvars.json")

    def resources(self) -> list[Mapping[str, Any]]:
        """Return the resources of the last plan."""
        shown = json.loads(self.run("show", "-json", "plan").stdout)
        found: list[Mapping[str, Any]] = shown["planned_values"]["root_module"]["resources"]
        return found


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Plans:
    """Return a folder with the files, without the place of the state, and Terraform with the provider."""
    if not os.environ.get("CHECK_DEPLOY"):
        pytest.skip("make check-deploy runs this: the provider has an environment of its own")
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    home = tmp_path_factory.mktemp("terraform")
    folder = Path(shutil.copytree(FOLDER, home / "gcp", ignore=shutil.ignore_patterns(".terraform*")))
    versions = (folder / "versions.tf").read_text()
    (folder / "versions.tf").write_text(re.sub(r'backend "gcs" \{\s*\}', "", versions))
    program = home / "terraform-provider-google"
    program.write_text(f"#!/bin/sh\nexec {PYTHON} {Path(__file__).with_name('google_provider.py')}\n")
    program.chmod(0o755)
    own = f'dev_overrides {{ "hashicorp/google" = "{home}" }}'
    (home / "rc").write_text(f"provider_installation {{\n  {own}\n  direct {{}}\n}}\n")
    more = {"HOME": str(home), "TF_CLI_CONFIG_FILE": str(home / "rc"), "SHAPES": json.dumps(_shapes())}
    return Plans(folder, {**os.environ, **more})


def _shapes() -> dict[str, Any]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.tf"))
    provider = {"given": ["project", "region", "default_labels"], "computed": [], "blocks": {}}
    shapes: dict[str, Any] = {"provider": provider, "resource": {}, "data": {}}
    of_kind: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for block in blocks():
        of_kind.setdefault((block.section, block.kind), []).append(block.content)
    for (section, kind), contents in of_kind.items():
        shape = shapes[section][kind] = _shape(contents)
        # The fields that other files read of it, also those of a block.
        for path in re.findall(rf"\b{kind}\.\w+(?:\[[^\]]*\])?\.([\w.\[\]]+)", text):
            place, (*within, field) = shape, re.findall(r"[a-z_]\w*", path)
            for name in within:
                place = place["blocks"][name]
            if field not in (*place["given"], *place["computed"], *place["blocks"]):
                place["computed"].append(field)
        if "name" not in shape["given"]:
            shape["computed"] = sorted({*shape["computed"], "name", "id"})
    return shapes


def _shape(contents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields and blocks that at least one of *contents* has."""
    given: dict[str, None] = {}
    inner: dict[str, list[Mapping[str, Any]]] = {}
    for name, value in (item for content in contents for item in content.items()):
        if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
            inner.setdefault(name, []).extend(value)
        elif name not in ("for_each", "count", "depends_on"):
            given[name] = None
    inner.pop("lifecycle", None)
    return {"given": list(given), "computed": [], "blocks": {name: _shape(each) for name, each in inner.items()}}


def test_the_files_are_valid(plans: Plans) -> None:
    """Terraform accepts them together."""
    done = plans.run("validate", "-no-color")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("environment", "values"), [("dev", LEAST), ("staging", EVERYTHING), ("prod", EVERYTHING)])
def test_a_deployment_can_be_planned(plans: Plans, environment: str, values: Mapping[str, Any]) -> None:
    """With the least that must be given, and with every option; the alerts name the environment."""
    done = plans.plan(environment, values)
    assert done.returncode == 0, done.stderr
    kinds = {each["type"]: each["values"] for each in plans.resources()}
    assert kinds["google_monitoring_alert_policy"]["display_name"].startswith(f"retrain {environment}: ")
    assert ("google_cloud_run_v2_job" in kinds) is (values is EVERYTHING)


def test_two_environments_in_one_project_share_no_name(plans: Plans) -> None:
    """Both are planned with every option, and their names differ."""

    def names(environment: str) -> Iterator[tuple[str, str, str]]:
        assert plans.plan(environment, EVERYTHING).returncode == 0
        for each in plans.resources():
            yield from (
                (each["type"], key, each["values"][key])
                for key in NAMES
                if isinstance(each["values"].get(key), str) and each["type"] not in WITHIN
            )

    first, second = set(names("dev")), set(names("prod"))
    assert len(first) > 30
    assert first & second == set()


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"alert_emails": [], "notification_channels": []}, "prod needs alert_emails or notification_channels"),
        ({"callers": ["allUsers"]}, "it must not be open to everybody"),
        ({"publishers": ["allAuthenticatedUsers"]}, "it must not be open to everybody"),
        ({"schedule": "0 30 9 * * 1"}, "A schedule of Cloud Scheduler has five fields"),
        ({"monitor_site_bucket": ""}, "monitor_image needs a monitor_site_bucket"),
        ({"monitor_image": "monitor"}, "monitor_image must be an image with a tag or a digest"),
    ],
)
def test_a_mistake_is_named(plans: Plans, mistake: Mapping[str, Any], said: str) -> None:
    """Before anything is made."""
    done = plans.plan("prod", {**EVERYTHING, **mistake})
    assert done.returncode == 1
    assert said in " ".join(done.stderr.split())
