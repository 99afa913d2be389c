"""`retrain doctor`: checks every precondition of a training."""

import argparse
from contextlib import ExitStack
from typing import Final

from functions.cli.command import DONE, FAILED, Command, Context
from shared.config.targets import CLOUDS

_DESCRIPTION: Final = """\
Check every precondition of a training with your own credentials: the configuration, the event bus, the ledger,
the pipelines, the permissions. Nothing is changed, and nothing is sent to people. With --url only the HTTP API is
checked: all else needs the names that --env or the RETRAIN_ variables give.

examples:
  retrain doctor
  retrain doctor --cloud aws
  retrain doctor --cloud gcp --schedule "30 9 * * 1" --json"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Run all checks for the cloud that *options* name."""
    from functions.cli.doctor import report
    from functions.cli.doctor.common_checks import all_checks

    with ExitStack() as opened:
        if context.url:
            from functions.cli.doctor.api_checks import api_checks

            checks = api_checks(context, options.cloud)
        else:
            checks = all_checks(options.cloud, context, options.schedule, opened)
        if options.json:
            return DONE if report.report_json(checks, options.cloud, context.out) else FAILED
        return DONE if report.report(checks, context.out) else FAILED


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schedule", metavar="EXPRESSION", help="the schedule to check (default: the template's)")


COMMAND: Final = Command(
    name="doctor",
    summary="check every precondition of a training; nothing is changed",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=CLOUDS,
    takes_url=True,
)
