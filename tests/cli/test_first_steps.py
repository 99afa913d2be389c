"""From an empty folder to the first training, with the installed wheel and nothing else of this repository."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.package import UV, Installation

pytestmark = pytest.mark.xdist_group("package")


@contextmanager
def served(installation: Installation, folder: Path, variables: dict[str, str]) -> Iterator[None]:
    """Serve *folder* with the installed command until the context ends; the server must end with 0."""
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [installation.command, "serve", "--port", "0"],
            cwd=folder,
            env=installation.environment(variables),
            stderr=log,
        )
    try:
        limit = time.monotonic() + 30
        while not (folder / ".local" / "serve.json").exists():
            assert process.poll() is None, (folder / "serve.log").read_text()
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def first_run(installation: Installation, folder: Path) -> dict[str, Any]:
    """Return the first run of the model once it has ended."""
    limit = time.monotonic() + 30
    while True:
        model = json.loads(installation.run("show", "braking", "--json", folder=folder).stdout)
        if model["runs"] and model["runs"][0]["result"]:
            run: dict[str, Any] = model["runs"][0]
            return run
        assert time.monotonic() < limit, model
        time.sleep(0.1)


@pytest.mark.parametrize("variables", [{}, {"PYTHONSAFEPATH": "1"}], ids=["usual", "safe path"])
def test_the_first_training(installation: Installation, tmp_path: Path, variables: dict[str, str]) -> None:
    """`retrain init`, `retrain serve` and `retrain emit` are all that the first training needs, in seconds."""
    began = time.monotonic()
    installation.run("init", folder=tmp_path)
    # The common names are the user's own: they are not imported by mistake, and not overwritten.
    for name in ("shared.py", "functions.py"):
        (tmp_path / name).write_text("raise SystemExit('imported by mistake')\n")
    with served(installation, tmp_path, variables):
        trigger_id = installation.run("emit", folder=tmp_path).stdout.strip()
        run = first_run(installation, tmp_path)
    assert time.monotonic() - began < 20
    assert (run["trigger_id"], run["result"]) == (trigger_id, "succeeded")
    folder = tmp_path / ".local" / "runs" / run["run_id"]
    assert json.loads((folder / "model.json").read_text())["mean_error_ft"] < 15
    assert "2000 epochs on 37 cars" in (folder / "output.log").read_text()


def test_a_model_with_packages_of_its_own(installation: Installation, tmp_path: Path) -> None:
    """A training uses the packages in `.venv` of its folder, which the tool does not have."""
    installation.run("init", folder=tmp_path)
    for command in (
        ["venv", "--quiet", "--python", sys.executable, ".venv"],
        ["pip", "install", "--quiet", "--python", ".venv", "tomlkit"],
    ):
        subprocess.run([UV, *command], cwd=tmp_path, env=installation.environment(), check=True, timeout=120)
    (tmp_path / "train.py").write_text("import tomlkit, sys\nprint(sys.prefix)\n")
    missing = subprocess.run([installation.folder / "bin" / "python", "-c", "import tomlkit"], check=False)
    assert missing.returncode != 0
    with served(installation, tmp_path, {}):
        installation.run("emit", folder=tmp_path)
        run = first_run(installation, tmp_path)
    assert run["result"] == "succeeded"
    output = (tmp_path / ".local" / "runs" / run["run_id"] / "output.log").read_text()
    assert output.strip() == str(tmp_path / ".venv")
