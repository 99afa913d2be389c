"""The one entry of the image: `python -m functions.monitor`.

Under Lambda's Runtime API it serves that, each event a run; anywhere else (a Cloud Run job, a Container Apps job, this
machine) it makes one run and prints its result as JSON. The exit code is 0 when all is done, and failed checks were
reported; 1 when something was not done, which another run may do.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Final

from functions.monitor.request import read_moment, today
from functions.monitor.run import run_checks
from shared.errors import RetrainError

HANDLER: Final = "functions.monitor.handler.check"


def main(arguments: Sequence[str]) -> int:
    """Serve Lambda, or make one run as *arguments* say; returns the exit code."""
    if os.environ.get("AWS_LAMBDA_RUNTIME_API"):
        return _serve()
    options = _options(arguments)
    try:
        # Here, and not at the top: a mistake in the environment is reported in one line, too.
        from functions.monitor.wiring import monitor

        parts = monitor()
        at = read_moment(options.at) if options.at else today(parts.emitter.clock())
        lines = run_checks(parts, options.model, at)
    except RetrainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    json.dump({"checks": lines}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m functions.monitor", description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="check this model only; may be repeated")
    parser.add_argument("--at", help="the day or the time that the run is made for; default: today")
    return parser.parse_args(arguments)


def _serve() -> int:
    from awslambdaric.__main__ import main as serve

    serve([sys.argv[0], HANDLER])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
