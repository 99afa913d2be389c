"""The parser of the command line."""

import argparse
from collections.abc import Iterable
from typing import Final

from functions.cli.command import ENVIRONMENTS, Command
from functions.cli.version import version

_DESCRIPTION: Final = """\
Start trainings of machine learning models from events, exactly once each.

Run it in a folder that has a retrain.toml; `retrain init` creates one."""
_EPILOG: Final = """\
Exit codes: 0 done, 1 refused or a check failed, 2 wrong usage, 130 interrupted.
Addresses come from the deployment that --env or --url names, else from the RETRAIN_ environment variables;
credentials are your own."""


def build_parser(commands: Iterable[Command]) -> argparse.ArgumentParser:
    """Return the parser of all *commands*; the name of the chosen one is in `command`, its `error` in `fail`."""
    parser = argparse.ArgumentParser(
        prog="retrain",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"retrain {version()}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for command in commands:
        _add_command(subparsers, command)
    return parser


def _add_command(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    parser = subparsers.add_parser(
        command.name,
        help=command.summary,
        description=command.description,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_options(parser)
    parser.set_defaults(fail=parser.error)
    if command.clouds:
        default = None if command.cloud_required else "local"
        parser.add_argument(
            "--cloud",
            choices=command.clouds,
            required=command.cloud_required,
            default=default,
            help="where it trains" + (f" (default: {default})" if default else ""),
        )
        parser.add_argument(
            "--env",
            choices=ENVIRONMENTS,
            help="use the deployment of this environment (default: the RETRAIN_ variables)",
        )
        parser.add_argument("--group", metavar="NAME", help="azure, with --env: the resource group")
    if command.takes_url:
        parser.add_argument(
            "--url", help="use the deployment with this address of its HTTP API, with your own credentials"
        )
        parser.add_argument(
            "--audience", metavar="URI", help="gcp, azure, with --url: whom the token is for, if not the address"
        )
    parser.add_argument(
        "--config", metavar="FILE", help="the configuration (default: RETRAIN_CONFIG, else retrain.toml here)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
