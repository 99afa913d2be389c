"""Builds the wheel of this project and installs it in an environment of its own, as a user does."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).parent / "uv"
# Variables of the test run that would lead the installed command back to the repository or to a cloud.
_REMOVED = ("PYTHON", "VIRTUAL_ENV", "RETRAIN_", "AWS_", "AZURE_", "GOOGLE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An environment in which the wheel is installed.

    Attributes:
        folder: the environment.
        wheel: the wheel.

    """

    folder: Path
    wheel: Path

    @property
    def command(self) -> str:
        """The path of `retrain`."""
        return str(self.folder / "bin" / "retrain")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables of a user who has not activated the environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED)}
        return {**kept, **(more or {})}

    def run(
        self, *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run `retrain` in *folder*."""
        done = subprocess.run(
            [self.command, *arguments],
            cwd=folder,
            env=self.environment(variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


def build_wheel(folder: Path) -> Path:
    """Build the wheel into *folder* and return its path."""
    _uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, packages: Sequence[str] = ()) -> Installation:
    """Install *wheel*, and more *packages*, in a new environment in *folder*."""
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), str(wheel), *packages)
    return Installation(folder=folder, wheel=wheel)


def _uv(*arguments: str) -> None:
    done = subprocess.run([UV, *arguments], cwd="/", capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
