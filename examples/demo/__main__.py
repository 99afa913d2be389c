"""`python -m examples.demo local|aws|gcp|azure`: runs the story and checks its claims.

Exit code 0: every claim is true; 1: one is not; 2: the demo could not run, and prints why.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from examples.demo.report import Report
from examples.demo.stage import NotInstalledError, Stage
from examples.demo.story import play

HOME = Path(".local", "demo")


def main(arguments: Sequence[str]) -> int:
    """Run the demo on the cloud that *arguments* name."""
    cloud = arguments[0] if arguments else "local"
    console = Console(width=None if sys.stdout.isatty() else 120)
    if cloud not in STAGES:
        console.print(f"CLOUD must be one of {', '.join(STAGES)}, not {cloud!r}")
        return 2
    HOME.mkdir(parents=True, exist_ok=True)
    # A new folder: a training of a demo that was interrupted may still write to its own.
    home = Path(tempfile.mkdtemp(prefix=f"{cloud}-", dir=HOME)).resolve()
    began = time.monotonic()
    report = Report(console)
    try:
        with STAGES[cloud](home) as stage:
            play(stage, report)
    except NotInstalledError as lacking:
        console.print(str(lacking))
        return 2
    report.line(f"All files are in {home.relative_to(Path.cwd())}. The demo took {time.monotonic() - began:.0f} s.")
    return 0 if report.came_true else 1


def _local(home: Path) -> AbstractContextManager[Stage]:
    from examples.demo.local_stage import local_stage

    return local_stage(home)


def _aws(home: Path) -> AbstractContextManager[Stage]:
    from examples.demo.aws_stage import aws_stage

    return aws_stage(home)


def _gcp(home: Path) -> AbstractContextManager[Stage]:
    from examples.demo.gcp_stage import gcp_stage

    return gcp_stage(home)


def _azure(home: Path) -> AbstractContextManager[Stage]:
    from examples.demo.azure_stage import azure_stage

    return azure_stage(home)


STAGES = {"local": _local, "aws": _aws, "gcp": _gcp, "azure": _azure}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        # As a shell counts Ctrl-C, without a stack trace.
        sys.exit(130)
