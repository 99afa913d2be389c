"""`retrain build` makes the bundle of a cloud from the user's folder, and nothing else of that folder is in it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import cronsim
import pytest

from emulators.vertex import SPECIFICATION as PIPELINE
from functions.cli.build.__main__ import main as build_program
from functions.cli.build.bundle import build
from functions.cli.build.packages import BuildError, install, precompile
from functions.cli.build.runtime import Runtime
from functions.cli.command import UsageError
from tests.cli.package import ROOT, Installation
from tests.cli.programs import programs
from tests.cli.running import run

CONFIGURATION = """
[models.churn.target.gcp]
kind = "vertex"
pipeline = "pipelines/churn.json"
project = "acme"
location = "europe-west4"
root = "gs://acme"
[models.churn.target.aws]
kind = "sagemaker"
pipeline = "churn"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of a user, with more in it than a bundle may have."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    (tmp_path / "retrain.dev.toml").write_text(CONFIGURATION)
    (tmp_path / "pipelines").mkdir()
    shutil.copyfile(PIPELINE, tmp_path / "pipelines" / "churn.json")
    for name in ("train.py", "secret.env", "pipelines/other.json", "shared.py"):
        (tmp_path / name).write_text("mine")
    return tmp_path


def test_a_bundle_has_only_what_is_named(folder: Path) -> None:
    """The bundle has the core, its cloud, the configurations and the files that they name."""
    answer = run("build", "gcp", "--config", str(folder / "retrain.toml"), variables={})
    assert (answer.code, answer.err) == (0, "")
    bundle = folder / "dist" / "gcp"
    assert answer.out.startswith(f"built {bundle}.zip (")
    assert sorted(path.name for path in bundle.iterdir()) == [
        "docs",
        "functions",
        "main.py",
        "pipelines",
        "requirements.txt",
        "retrain.dev.toml",
        "retrain.dev.toml.compiled",
        "retrain.toml",
        "retrain.toml.compiled",
        "shared",
    ]
    assert [path.name for path in (bundle / "pipelines").iterdir()] == ["churn.json"]
    assert [path.name for path in (bundle / "docs").iterdir()] == ["openapi.yaml"]
    with ZipFile(f"{bundle}.zip") as packed:
        assert "functions/gcp/wiring.py" in packed.namelist()


def test_the_result_as_json(folder: Path) -> None:
    """The JSON output has the paths and the runtime, and a second build replaces the first."""
    arguments = ["build", "gcp", "--json", "--output", str(folder / "out"), "--config", str(folder / "retrain.toml")]
    for _ in range(2):
        content = json.loads(run(*arguments, variables={}).out)
    assert content["folder"] == str(folder / "out")
    assert (content["archive"], content["python"]) == (str(folder / "out.zip"), "3.13")
    assert not [path for path in folder.iterdir() if path.name.startswith(".out")]


def test_a_folder_that_is_not_a_bundle_is_not_replaced(folder: Path) -> None:
    """An output folder with other files is refused, and they are kept."""
    output = folder / "pipelines"
    answer = run("build", "gcp", "--output", str(output), "--config", str(folder / "retrain.toml"), variables={})
    assert answer.code == 1
    assert "is not a bundle, so it is not replaced" in answer.err
    assert (output / "other.json").exists()


def test_an_invalid_configuration_is_not_built(folder: Path) -> None:
    """Every mistake has a line, as in `retrain check`, and nothing is built."""
    (folder / "pipelines" / "churn.json").unlink()
    answer = run("build", "gcp", "--config", str(folder / "retrain.toml"), variables={})
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith('models."churn".target.gcp.pipeline: ')
    assert not (folder / "dist").exists()
    answer = run("build", "gcp", "--config", str(folder / "retrain.toml"), "--json", variables={})
    assert (answer.code, answer.err) == (1, "")
    assert [each["place"] for each in json.loads(answer.out)["problems"]] == ['models."churn".target.gcp.pipeline']


def test_a_model_elsewhere_needs_no_bundle_here(folder: Path) -> None:
    """A bundle for a cloud without any target is refused."""
    answer = run("build", "azure", "--config", str(folder / "retrain.toml"), variables={})
    assert (answer.code, answer.out) == (1, "")
    assert "no model has a target.azure" in answer.err


@pytest.mark.parametrize(("python", "platform"), [("3.10", ""), ("2", ""), ("3.13", "linux"), ("3.13", "x; rm")])
def test_an_invalid_runtime(python: str, platform: str) -> None:
    """A version or a platform that pip does not know is wrong usage."""
    with pytest.raises(UsageError, match="must be"):
        Runtime.of(python, platform)


def test_packages_that_cannot_be_installed(tmp_path: Path) -> None:
    """The message has the reason that the installer reported."""
    (tmp_path / "requirements.txt").write_text("urllib3==2.5.0\n")
    with pytest.raises(BuildError, match=r"(?i)the packages for Python .* could not be installed(.|\n)*hash"):
        install(tmp_path / "requirements.txt", tmp_path / "packages", Runtime.here())


def test_the_packages_are_those_of_the_runtime(folder: Path) -> None:
    """For another version and machine the packages are built for these, and pip or uv leave no traces."""
    (folder / "retrain.toml").write_text(f'{CONFIGURATION}[notify]\nchannels = ["json://localhost"]\n')
    runtime = Runtime.of("3.13", "manylinux2014_aarch64")
    bundle = build("aws", folder / "retrain.toml", folder / "out", runtime, packed=False)
    assert not bundle.precompiled or sys.version_info >= (3, 13)
    compiled = [path.name for path in bundle.folder.rglob("*.so")]
    assert compiled
    assert all("313" in name or "abi3" in name for name in compiled)
    assert all("aarch64" in name for name in compiled if "cpython" in name)
    assert not list(bundle.folder.rglob("RECORD")) + list(bundle.folder.rglob("INSTALLER"))
    assert not (bundle.folder / "bin").exists()


@pytest.mark.xdist_group("package")
def test_the_installed_command_builds(installation: Installation, folder: Path) -> None:
    """The wheel brings everything that a build needs."""
    done = installation.run("build", "gcp", folder=folder)
    assert done.stdout.startswith(f"built {folder / 'dist' / 'gcp.zip'}")
    assert (folder / "dist" / "gcp" / "functions" / "gcp" / "wiring.py").is_file()


def test_schedules_are_read_without_packages_of_the_interpreter(tmp_path: Path) -> None:
    """The Makefile builds with any Python: the packages for schedules come from `.venv`, or `make setup` is named."""
    (tmp_path / "retrain.toml").write_text(f'[models."night"]\nschedule = "61 3 * * SUN"\n{CONFIGURATION}')
    command = [sys.executable, "-S", "-m", "functions.cli.build", "gcp", "out"]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}

    def built() -> str:
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    assert built() == "retrain.toml: its schedules are read with cronsim, which is not installed: make setup\n"
    library = tmp_path / ".venv" / "lib" / "python3.11"
    library.mkdir(parents=True)
    (library / "site-packages").symlink_to(Path(cronsim.__file__).parents[1])
    assert "models.\"night\".schedule: '61 3 * * SUN': " in built()


def test_the_makefile_builds_the_folder_that_it_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bundle of the current folder is built and packed; a runtime and a configuration that are wrong are named."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path[:])
    assert build_program(["gcp", "made"], {"TARGET_PYTHON": "3.13", "TARGET_PLATFORM": ""}) == 0
    assert (folder / "made" / "main.py").is_file()
    assert (folder / "made.zip").is_file()
    assert build_program(["gcp", "wrong"], {"TARGET_PYTHON": "2.7"}) == 1
    assert capsys.readouterr().err.startswith("the version of Python must be 3.11 or newer, such as 3.13, not '2.7'")
    (folder / "retrain.toml").write_text("[models.x]\n")
    assert build_program(["gcp", "wrong"], {}) == 1
    assert 'models."x".target: ' in capsys.readouterr().err
    assert not (folder / "wrong").exists()


def test_an_installer_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what it reports the end is shown: the reason is there."""
    tools = programs(tmp_path, monkeypatch)
    tools.add("uv", "for line in $(seq 30); do echo line-$line >&2; done; exit 1")
    requirements = tmp_path / "requirements.txt"
    with pytest.raises(BuildError) as raised:
        install(requirements, tmp_path / "packages", Runtime.of("3.12", "manylinux_2_28_aarch64"))
    assert "the packages for Python 3.12 on manylinux_2_28_aarch64 could not be installed" in str(raised.value)
    assert str(raised.value).splitlines()[1:] == [f"line-{number}" for number in range(16, 31)]
    options = "--quiet --require-hashes --no-deps --target"
    (call,) = tools.calls
    assert f"--python-platform aarch64-manylinux_2_28 {options} {tmp_path / 'packages'}" in call
    assert "--only-binary :all: --python-version 3.12 -r" in call


def test_modules_are_compiled_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracebacks name the place where they are deployed; a wrong file is named, and another version must be there."""
    (tmp_path / "good.py").write_text("def fail():\n    raise ValueError\n")
    assert precompile(tmp_path, "/var/task", [tmp_path / "good.py"], Runtime.here())
    (compiled,) = (tmp_path / "__pycache__").iterdir()
    assert b"/var/task/good.py" in compiled.read_bytes()
    tools = programs(tmp_path, monkeypatch)
    other = Runtime.of("3.99", "")
    assert not precompile(tmp_path, "/var/task", [tmp_path / "good.py"], other)
    # A shim of pyenv is there for every version that some project uses, and works only in that one.
    tools.add("python3.99", "exit 127")
    assert not precompile(tmp_path, "/var/task", [tmp_path / "good.py"], other)
    (tmp_path / "wrong.py").write_text("def :\n")
    with pytest.raises(BuildError, match=r"the modules cannot be compiled for Python(.|\n)*wrong\.py"):
        precompile(tmp_path, "/var/task", [tmp_path / "wrong.py"], Runtime.here())
