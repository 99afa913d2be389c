"""The steps that deployments to all clouds share."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from functions.cli.build.bundle import Bundle, build
from functions.cli.build.runtime import Runtime
from functions.cli.command import Context, UsageError
from functions.cli.deployment.errors import DeploymentError
from functions.cli.progress import Progress

# The folder that has `deploy` and `template.yaml`: the repository, or the installed package.
ROOT: Final = Path(__file__).resolve().parents[3]


def settings_folder(options: argparse.Namespace, context: Context, cloud: str, folder: Path) -> Path:
    """Return the folder with the settings of the environments.

    Raises:
        UsageError: there is none.

    """
    found = context.folder / options.settings if options.settings else environments_folder(folder, cloud)
    if not found.is_dir():
        raise UsageError(f"{found}: there is no such folder; `retrain init --cloud {cloud}` creates it")
    return found


def environments_folder(folder: Path, cloud: str) -> Path:
    """Return where the settings of the environments are: as `retrain init` writes them, or as in this repository."""
    own, repository = folder / "environments" / cloud, folder / "deploy" / cloud / "environments"
    return repository if repository.is_dir() and not own.is_dir() else own


def required_program(name: str, address: str) -> str:
    """Return the path of a program.

    Raises:
        UsageError: it is not installed.

    """
    found = shutil.which(name)
    if found is None:
        raise UsageError(f"{name} is not installed, and the deployment needs it; see {address}")
    return found


def built(context: Context, cloud: str, runtime: Runtime) -> Bundle:
    """Build the bundle in `dist` beside the configuration.

    Raises:
        ConfigError: a configuration is not valid.
        BuildError: the packages cannot be installed.

    """
    output = context.config_file.parent / "dist" / cloud
    with Progress(context.err) as progress:
        bundle = build(cloud, context.config_file, output, runtime, report=progress.step)
    context.err.write(f"built {bundle.archive} for {runtime}\n")
    return bundle


def run_program(arguments: Sequence[str | Path], folder: Path, doing: str) -> None:
    """Run a program that reads from and writes to the terminal itself.

    Raises:
        DeploymentError: it fails.

    """
    done = subprocess.run([str(each) for each in arguments], cwd=folder, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise DeploymentError(f"{Path(arguments[0]).name} failed to {doing} (exit code {done.returncode}), see above")


def is_attended() -> bool:
    """Return whether a person can answer a question."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def confirm(options: argparse.Namespace, question: str) -> None:
    """Let a person confirm, unless `--yes` is given or no one is there.

    Raises:
        DeploymentError: the answer is not yes.

    """
    if options.yes or not is_attended():
        return
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise DeploymentError("nothing was changed")


def confirm_removal(options: argparse.Namespace, question: str) -> None:
    """Let a person confirm, as `confirm` does; without a person `--yes` is needed.

    Raises:
        UsageError: there is neither a person nor `--yes`.
        DeploymentError: the answer is not yes.

    """
    if not options.yes and not is_attended():
        raise UsageError("to remove a deployment without a terminal, add --yes")
    confirm(options, question)


def next_steps(context: Context, lines: Sequence[str]) -> None:
    """Write the commands that come after a deployment."""
    context.out.write("\nNext:\n" + "".join(f"  {line}\n" for line in lines))
