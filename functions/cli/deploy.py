"""`retrain deploy` and `retrain destroy`: the deployment of the user's folder."""

import argparse
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Final

from functions.cli.command import ENVIRONMENTS, FAILED, Command, Context

CLOUDS: Final = ("aws", "gcp", "azure")

_DEPLOY: Final = """\
Deploy the folder of the configuration: check every precondition, build the bundle, show what will change, and carry
it out once you agree. Without a terminal it goes on without a question.

examples:
  retrain deploy aws --env dev
  retrain deploy aws --env prod --plan
  retrain deploy gcp --env dev --state my-terraform-state
  retrain deploy azure --env dev --group my-resource-group"""
_DESTROY: Final = """\
Remove a deployment; the ledger is kept, and what else is kept is listed. Without a terminal it needs --yes.

examples:
  retrain destroy aws --env dev
  retrain destroy gcp --env dev --state my-terraform-state
  retrain destroy azure --env dev --group my-resource-group"""


def run_deploy(context: Context, options: argparse.Namespace) -> int:
    """Deploy to the cloud that *options* name."""
    from functions.cli.check import find_problems, report_problems

    problems = find_problems(context.config_file, options.target)
    if problems:
        report_problems(context, options, problems)
        return FAILED
    code: int = _module(options.target).deploy(context, options, context.config_file.parent)
    return code


def run_destroy(context: Context, options: argparse.Namespace) -> int:
    """Remove the deployment that *options* name."""
    code: int = _module(options.target).destroy(context, options, context.config_file.parent)
    return code


def _module(cloud: str) -> ModuleType:
    from functions.cli.deployment import to_aws, to_azure, to_gcp

    return {"aws": to_aws, "gcp": to_gcp, "azure": to_azure}[cloud]


def _add_options(parser: argparse.ArgumentParser, *, deploys: bool) -> None:
    parser.add_argument("target", choices=CLOUDS, metavar="CLOUD", help="aws, gcp or azure")
    parser.add_argument("--env", required=True, choices=ENVIRONMENTS, help="the environment")
    parser.add_argument(
        "--settings", metavar="FOLDER", help="the environments' settings (default: environments/CLOUD here)"
    )
    parser.add_argument("--yes", action="store_true", help="skip the confirmation")
    parser.add_argument("--state", metavar="BUCKET", help="gcp: the bucket that keeps Terraform's state")
    parser.add_argument("--group", metavar="NAME", help="azure: the resource group")
    if deploys:
        parser.add_argument("--plan", action="store_true", help="show what would change, and stop")


def _command(name: str, summary: str, text: str, run: Callable[[Context, argparse.Namespace], int]) -> Command:
    return Command(
        name=name,
        summary=summary,
        description=text,
        add_options=partial(_add_options, deploys=name == "deploy"),
        run=run,
    )


COMMANDS: Final = (
    _command("deploy", "deploy to a cloud, after showing what will change", _DEPLOY, run_deploy),
    _command("destroy", "remove a deployment; the ledger is kept", _DESTROY, run_destroy),
)
