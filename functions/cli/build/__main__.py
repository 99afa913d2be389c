"""`python -m functions.cli.build CLOUD FOLDER`: builds the bundle of this repository, for the Makefile and SAM.

It needs the standard library only, and for the schedules of models those packages of `.venv` that are pure Python. It
builds for the interpreter that runs it, unless the variables TARGET_PYTHON and TARGET_PLATFORM name the deployed one,
such as 3.13 and manylinux2014_aarch64.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from functions.cli.build.bundle import build
from functions.cli.build.runtime import Runtime
from functions.cli.command import CONFIG_FILE, UsageError
from shared.errors import RetrainError

# The packages that read a model's own schedule and its time zone.
_PACKAGES: Final = ("cronsim", "tzdata")


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Build the bundle that *arguments* name."""
    cloud, folder = arguments
    # Last on the path: nothing of another version of Python is preferred to what this interpreter has.
    sys.path += map(str, sorted(Path.cwd().glob(".venv/lib/python*/site-packages")))
    try:
        python, platform = variables.get("TARGET_PYTHON", ""), variables.get("TARGET_PLATFORM", "")
        runtime = Runtime.of(python or Runtime.here().python, platform)
        # SAM packs the one for AWS itself.
        build(cloud, Path.cwd() / CONFIG_FILE, Path(folder).absolute(), runtime, packed=cloud != "aws")
    except (RetrainError, UsageError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        sys.stderr.write(
            f"{CONFIG_FILE}: its schedules are read with {error.name}, which is not installed: make setup\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except KeyboardInterrupt:
        # As a shell counts Ctrl-C, without a stack trace.
        sys.exit(130)
