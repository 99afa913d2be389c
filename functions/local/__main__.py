"""The local cloud as a server: `python -m functions.local`."""

import argparse
import os
import sys
from collections.abc import Sequence

from functions.local import serving
from functions.local.settings import add_options, read_settings
from shared.errors import RetrainError
from shared.log import log_to


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m functions.local", description=__doc__)
    add_options(parser)
    options = read_settings(parser.parse_args(arguments))
    log_to(sys.stderr)
    try:
        serving.run(options, os.environ)
    except (RetrainError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
