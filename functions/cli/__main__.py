"""The command `retrain`, in a checkout also `python -m functions.cli`."""

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from functions.cli.command import DONE, FAILED, INTERRUPTED, WRONG_USAGE, Context, UsageError
from functions.cli.commands import COMMANDS
from functions.cli.parser import build_parser
from shared.errors import RetrainError


def main(arguments: Sequence[str], variables: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """Run one command and return the exit code.

    Args:
        arguments: the command line, without the program.
        variables: the environment variables; the SDKs of the clouds read those of the process in any case.
        out: where answers go.
        err: where errors go, one message each.

    """
    parser = build_parser(COMMANDS.values())
    if "_ARGCOMPLETE" in variables:
        from functions.cli.completion import complete

        complete(parser)
    try:
        options = _parsed(parser, arguments)
    except SystemExit as exit_:
        # argparse has already printed the help or its error.
        return int(exit_.code or DONE)
    context = Context(variables=_with_config(variables, options.config), folder=Path.cwd(), out=out, err=err)
    try:
        code = _carry_out(context, options)
        # Here, so that a full disk or a closed pipe is noticed while its error can be reported.
        out.flush()
    except UsageError as error:
        err.write(f"{error}\n")
        return WRONG_USAGE
    except RetrainError as error:
        _report(error, context, as_json=options.json)
    except BrokenPipeError:
        # The reader of the output, such as `head`, has seen enough; nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        err.write(f"{_system_error(error)}\n")
    except Exception as error:  # noqa: BLE001 - its text may quote a secret, so only its type is shown
        err.write(f"unexpected error ({type(error).__name__}); run `retrain doctor` to check the set-up\n")
    else:
        return code
    return FAILED


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        # By the parser of the command, whose usage helps; the outer one knows none of its options.
        options.fail(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _carry_out(context: Context, options: argparse.Namespace) -> int:
    """Run the command that *options* name, against the deployment that they name, and return its exit code."""
    command = COMMANDS[options.command]
    if command.clouds and options.env:
        context = _of_deployment(context, options)
    if command.takes_url and (options.url or (command.steers and options.env)):
        context = _at_address(context, options)
    return command.run(context, options)


def _system_error(error: OSError) -> str:
    """Return the message of an error of the system, such as a full disk; the libraries' own may quote a secret."""
    if type(error).__module__ != "builtins" or not error.strerror:
        return f"unexpected error ({type(error).__name__}); run `retrain doctor` to check the set-up"
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return f"{place}{error.strerror}; correct that and run the command again"


def _with_config(variables: Mapping[str, str], config: str | None) -> Mapping[str, str]:
    return {**variables, "RETRAIN_CONFIG": config} if config else variables


def _of_deployment(context: Context, options: argparse.Namespace) -> Context:
    """Return *context* with the variables of the deployment that `--env` names, also for the SDKs of the clouds."""
    from functions.cli.deployment.variables import deployment_variables

    found = deployment_variables(context, options)
    if "RETRAIN_CONFIG" in found:
        # The path in the bundle, which is that beside the configuration here.
        found["RETRAIN_CONFIG"] = str(context.config_file.parent / found["RETRAIN_CONFIG"])
    variables = _with_config({**context.variables, **found}, options.config)
    os.environ.update({name: variables[name] for name in found})
    return replace(context, variables=variables)


def _at_address(context: Context, options: argparse.Namespace) -> Context:
    """Return *context* with the HTTP API that `--url` names, or that of the deployment that `--env` names."""
    from functions.cli.access.chosen import access_of, address_of

    url = address_of(context, options)
    return replace(context, url=url, access=lambda: access_of(context, options, url))


def _report(error: RetrainError, context: Context, *, as_json: bool) -> None:
    if not as_json:
        context.err.write(f"{error}\n")
        return
    from shared.http.messages import problem_of

    response = problem_of(error)
    document = (
        json.loads(response.body) if response else {"type": "about:blank", "title": "Error", "detail": str(error)}
    )
    context.out.write(f"{json.dumps(document, indent=2)}\n")


def run() -> int:
    """Run the command of this process: the entry point of the installed `retrain`."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal's encoding lacks is shown escaped, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # A standard stream that is closed is None.
        return main(sys.argv[1:], os.environ, sys.stdout or nowhere, sys.stderr or nowhere)


if __name__ == "__main__":
    sys.exit(run())
