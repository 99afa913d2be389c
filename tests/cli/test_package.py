"""The wheel: installed outside of the repository, it gives the command `retrain` and takes no common name."""

import subprocess
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from functions.cli.version import VERSION
from tests.cli.package import ROOT, UV, Installation, build_wheel, install

pytestmark = pytest.mark.xdist_group("package")


def requirements(*rooms: str) -> list[str]:
    """Return the requirements of *rooms* of `functions`, sorted."""
    lines = [
        line for room in rooms for line in (ROOT / "functions" / room / "requirements.in").read_text().splitlines()
    ]
    return sorted({text for line in lines if (text := line.partition("#")[0].strip())})


def test_the_dependencies_are_those_of_the_functions() -> None:
    """The package depends on what the local cloud and the command need, each extra on what its cloud needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == requirements("local", "notify", "cli")
    assert project["optional-dependencies"] == {
        extra: requirements(extra) for extra in ("aws", "gcp", "azure", "monitor")
    } | {"azure": sorted([*requirements("azure"), "azure-identity>=1.25,<2"])}


def test_the_wheel_takes_no_common_name(installation: Installation) -> None:
    """At the top level of site-packages there is one package, and it brings what a build needs."""
    with ZipFile(installation.wheel) as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0] for name in names} == {"retrain_trigger", f"retrain_trigger-{VERSION}.dist-info"}
    bundle = "retrain_trigger/_bundle"
    for needed in (
        "template.yaml",
        "host.json",
        "functions/aws/requirements.txt",
        "deploy/azure/azuredeploy.json",
        "docs/openapi.yaml",
    ):
        assert f"{bundle}/{needed}" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_two_wheels_are_equal(installation: Installation, tmp_path: Path) -> None:
    """The same sources give the same bytes."""
    assert build_wheel(tmp_path).read_bytes() == installation.wheel.read_bytes()


def test_it_goes_with_other_packages(installation: Installation, tmp_path: Path) -> None:
    """Beside packages that many projects have, all requirements are met."""
    install(installation.wheel, tmp_path / "venv", ("numpy", "boto3", "flask"))
    done = subprocess.run(
        [UV, "pip", "check", "--python", str(tmp_path / "venv")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_installed_command(installation: Installation, tmp_path: Path) -> None:
    """`retrain` runs in any folder, also beside modules that have the names of its own packages."""
    for name in ("shared.py", "functions.py"):
        (tmp_path / name).write_text("raise SystemExit('imported by mistake')\n")
    assert installation.run("--version", folder=tmp_path).stdout == f"retrain {VERSION}\n"
    for variables in ({}, {"PYTHONSAFEPATH": "1"}, {"PYTHONPATH": str(tmp_path)}):
        page = installation.run("--help", folder=tmp_path, variables=variables).stdout
        assert "emit" in page


def test_a_cloud_whose_packages_are_missing(installation: Installation, tmp_path: Path) -> None:
    """A command for a cloud names the extra that has its packages, and the exit code is 2."""
    (tmp_path / "retrain.toml").write_text('[models.a.target.aws]\nkind = "sagemaker"\npipeline = "a"\n')
    done = installation.run("models", "--cloud", "aws", folder=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'retrain-trigger[aws]'" in done.stderr
