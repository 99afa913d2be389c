"""Deploys the user's folder to AWS, by a change set of CloudFormation."""

import argparse
from pathlib import Path
from typing import Final

from functions.cli.build.runtime import DEPLOYED, Runtime
from functions.cli.clouds import require_packages
from functions.cli.command import DONE, Context
from functions.cli.deployment import steps

_PLATFORMS: Final = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}


def deploy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Check, build, show the changes, and carry them out; return the exit code."""
    require_packages("aws")
    from functions.cli.deployment.aws.settings import read_settings

    settings = steps.settings_folder(options, context, "aws", folder)
    code = _run(context, "check", options.env, "--settings", str(settings))
    if code != DONE:
        return code
    architecture = read_settings(options.env, settings, context.variables).parameters.get("Architecture", "arm64")
    runtime = Runtime(python=DEPLOYED["aws"].python, platform=_PLATFORMS[architecture])
    bundle = steps.built(context, "aws", runtime)
    more = [flag for flag, given in (("--yes", options.yes), ("--plan", options.plan)) if given]
    code = _run(context, "deploy", options.env, "--settings", str(settings), "--bundle", str(bundle.archive), *more)
    if code != DONE or options.plan:
        return code
    steps.next_steps(
        context,
        [
            f"retrain doctor --cloud aws --env {options.env}",
            f"retrain emit --cloud aws --env {options.env}",
            f"retrain models --cloud aws --env {options.env}",
        ],
    )
    return DONE


def destroy(context: Context, options: argparse.Namespace, folder: Path) -> int:
    """Delete the stacks of the environment; return the exit code."""
    require_packages("aws")
    settings = steps.settings_folder(options, context, "aws", folder)
    more = ["--yes"] if options.yes else []
    return _run(context, "destroy", options.env, "--settings", str(settings), *more)


def _run(context: Context, *arguments: str) -> int:
    from functions.cli.deployment.aws.__main__ import Terminal, main

    answer = input if steps.is_attended() else None
    context.out.flush()
    return main(arguments, context.variables, Terminal(context.out, answer), context.err)
