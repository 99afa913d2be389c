"""`python -m functions.cli.build CLOUD FOLDER`: builds the bundle of this repository, for the Makefile and SAM.

It needs the standard library only, and builds for the interpreter that runs it, unless the variables TARGET_PYTHON and
TARGET_PLATFORM name the deployed one, such as 3.13 and manylinux2014_aarch64.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from functions.cli.build.bundle import build
from functions.cli.build.runtime import Runtime
from functions.cli.command import CONFIG_FILE, UsageError
from shared.errors import RetrainError


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Build the bundle that *arguments* name."""
    cloud, folder = arguments
    try:
        python, platform = variables.get("TARGET_PYTHON", ""), variables.get("TARGET_PLATFORM", "")
        runtime = Runtime.of(python or Runtime.here().python, platform)
        # SAM packs the one for AWS itself.
        build(cloud, Path.cwd() / CONFIG_FILE, Path(folder).absolute(), runtime, packed=cloud != "aws")
    except (RetrainError, UsageError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
