"""Installs the packages of a bundle, and compiles them ahead."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from functions.cli.build.runtime import Runtime
from shared.errors import RetrainError

# Files that say how something was installed: they differ between pip and uv, and nothing reads them in a bundle.
_TRACES: Final = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
# The end of an installer's output has the reason; all of it would fill the screen.
_LINES: Final = 15


class BuildError(RetrainError):
    """A bundle cannot be built; the message says why, and what to do."""


def install(requirements: Path, folder: Path, runtime: Runtime) -> None:
    """Install pinned *requirements* into *folder*, with uv where it is available, which takes seconds, else with pip.

    Args:
        requirements: the file, with a hash for each package.
        folder: created if missing.
        runtime: the packages are those for this interpreter and machine.

    Raises:
        BuildError: there is neither uv nor pip, or a package could not be installed.

    """
    command = [*_installer(runtime), "--quiet", "--require-hashes", "--no-deps", "--target", str(folder)]
    if not runtime.is_here:
        command += ["--only-binary", ":all:", "--python-version", runtime.python]
    # Without pip's own configuration for users: `--user` cannot be combined with `--target`.
    done = subprocess.run(  # noqa: S603 - the installer with our own options
        [*command, "-r", str(requirements)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        output = "\n".join((done.stderr or done.stdout).splitlines()[-_LINES:])
        raise BuildError(
            f"{requirements.name}: the packages for {runtime} could not be installed; check the connection to the"
            f" package index and try again. The installer reported:\n{output}"
        )
    shutil.rmtree(folder / "bin", ignore_errors=True)
    (folder / ".lock").unlink(missing_ok=True)
    for info in folder.glob("*.dist-info"):
        for name in _TRACES:
            (info / name).unlink(missing_ok=True)


def precompile(folder: Path, deployed: str, paths: Sequence[Path], runtime: Runtime) -> bool:
    """Compile *paths* ahead, and return whether an interpreter of the *runtime*'s version was found for it.

    A deployed folder is read-only, so without this each cold start would compile anew (0.2 s on Lambda). The hashes
    stay valid without looking at times, which a zip does not keep.

    Args:
        folder: the bundle.
        deployed: the path of the bundle where it is deployed, for tracebacks.
        paths: files and folders in *folder*.
        runtime: the version of Python that will run it.

    Raises:
        BuildError: a file cannot be compiled.

    """
    python = _interpreter(runtime.python)
    if python is None:
        return False
    mode = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", deployed]
    done = subprocess.run(  # noqa: S603 - Python with our own options
        [python, *mode, *map(str, paths)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"{folder}: the modules cannot be compiled for Python {runtime.python}:\n{done.stdout}")
    return True


def _interpreter(version: str) -> str | None:
    if version == Runtime.here().python:
        return sys.executable
    found = shutil.which(f"python{version}")
    # A shim of pyenv is there for every version that some project uses, and works only in that one.
    if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return found
    return None


def _installer(runtime: Runtime) -> list[str]:
    uv = shutil.which("uv")
    if uv is None and find_spec("uv") is None and find_spec("pip") is None:
        raise BuildError(
            "neither uv nor pip is available, and one of them is needed; install uv: https://docs.astral.sh/uv"
        )
    if uv is not None or find_spec("uv") is not None:
        # Not linked from the cache: a bundle must never share a file with another environment.
        command = [uv] if uv else [sys.executable, "-m", "uv"]
        options = ["pip", "install", "--link-mode", "copy", "--no-config", "--python", sys.executable]
        return [*command, *options, *(["--python-platform", _uv_platform(runtime)] if runtime.platform else [])]
    options = ["install", "--disable-pip-version-check", "--no-compile", "--root-user-action", "ignore"]
    return [sys.executable, "-m", "pip", *options, *(["--platform", runtime.platform] if runtime.platform else [])]


def _uv_platform(runtime: Runtime) -> str:
    """Return the platform in uv's spelling: `x86_64-manylinux2014` for `manylinux2014_x86_64`."""
    system, _, machine = runtime.platform.partition("_")
    while "_" in machine and not machine.startswith("x86_64"):
        more, _, machine = machine.partition("_")
        system = f"{system}_{more}"
    return f"{machine}-{system}"
