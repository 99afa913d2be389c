"""The command line: `python -m functions.cli COMMAND --cloud CLOUD ...`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Final, TextIO

from functions.cli import asking, trust
from functions.cli.clouds import emitter_of
from functions.cli.doctor import report
from functions.cli.options import parser
from shared.errors import RetrainError
from shared.parts import EmitterParts

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

_ASKING: Final[Mapping[str, Callable[[EmitterParts, argparse.Namespace], str]]] = {
    "emit": asking.publish,
    "dry-run": asking.rehearse,
    "models": asking.models,
}


def main(arguments: Sequence[str], variables: Mapping[str, str], out: TextIO, complaints: TextIO) -> int:
    """Carry out one command, and return the exit code.

    Args:
        arguments: the command line.
        variables: the environment variables; the SDKs of the clouds read those of the process all the same.
        out: where answers go.
        complaints: where errors go, a sentence each.

    """
    try:
        options = parser().parse_args(arguments)
        return _carried_out(options, variables, out)
    except SystemExit as exit_:
        # argparse has written its help, or its complaint, already.
        return int(exit_.code or DONE)
    except trust.MissingOptionError as error:
        complaints.write(f"{error}\n")
        return WRONG_USAGE
    except RetrainError as error:
        complaints.write(f"{error}\n")
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, and never what the error may quote
        complaints.write(f"something unexpected went wrong ({type(error).__name__}); `doctor` may know what it is\n")
    return REFUSED


def _carried_out(options: argparse.Namespace, variables: Mapping[str, str], out: TextIO) -> int:
    if options.command == "doctor":
        return _examined(options, variables, out)
    if options.command == "trust-policy":
        out.write(f"{trust.tell(options, variables)}\n")
        return DONE
    answer = _ASKING[options.command](emitter_of(options.cloud, variables), options)
    out.write(f"{answer}\n")
    return DONE


def _examined(options: argparse.Namespace, variables: Mapping[str, str], out: TextIO) -> int:
    from functions.cli.doctor.general import all_checks

    with ExitStack() as opened:
        checks = all_checks(options.cloud, variables, options.schedule, opened)
        fine = report.report_json(checks, options.cloud, out) if options.json else report.report(checks, out)
    return DONE if fine else REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdout, sys.stderr))
