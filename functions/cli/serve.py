"""`retrain serve`: the local cloud with its HTTP API, its schedule and its trainings."""

import argparse
import logging
import sys
from typing import TYPE_CHECKING, Final

from functions.cli.command import DONE, FAILED, Command, Context, UsageError
from functions.local.settings import add_options, read_settings

if TYPE_CHECKING:
    from functions.local.serving import Started

_DESCRIPTION: Final = """\
Serve the models of this folder on this machine: the HTTP API, the schedule, and trainings as processes. Requests
are answered on loopback only, unless --host says otherwise. retrain.toml is read again when it changes.

It ends with Ctrl-C or SIGTERM; trainings that run go on, and the next server records their end.

examples:
  retrain serve
  retrain serve --port 9000 --json-logs"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    if sys.platform == "win32":
        raise UsageError("retrain serve needs a POSIX system; on Windows run it in WSL (https://aka.ms/wsl)")
    from functions.cli.check import find_problems, report_problems
    from functions.cli.terminal_log import log_for_people
    from functions.local import serving
    from functions.local.listener import ListenError
    from shared.log import log_to

    problems = find_problems(context.config_file)
    if problems:
        report_problems(context, options, problems)
        return FAILED
    for_people = context.err.isatty() and not (options.json_logs or options.json)
    if for_people:
        log_for_people(context.err)
    else:
        log_to(context.err)
    variables = {**context.variables, "RETRAIN_CONFIG": str(context.config_file)}
    try:
        serving.run(
            read_settings(options),
            variables,
            started=lambda started: _introduce(context, started) if for_people else None,
        )
    except (ListenError, serving.FolderInUseError, serving.FolderReplacedError) as error:
        context.err.write(f"{error}\n")
        return FAILED
    except OSError as error:
        why = "it is a file, not a folder" if isinstance(error, FileExistsError) else error.strerror
        context.err.write(
            f"{error.filename or context.config_file.parent}: cannot be written to ({why}); serve another folder\n"
        )
        return FAILED
    finally:
        logging.getLogger("retrain").handlers = []
    return DONE


def _introduce(context: Context, started: "Started") -> None:
    """Write, for people, what is served and where."""
    from functions.machine import now
    from shared.api import ROUTES
    from shared.fields import format_time

    config = started.cloud.emitter.config
    scheduled = set(config.scheduled("local"))
    here = [model.name for model in config.models if "local" in model.targets]
    names = [f"{name} (scheduled)" if name in scheduled else name for name in here]
    following = format_time(started.schedule.next_after(now()))
    schedule = f"{started.schedule.expression} (UTC), next at {following}" if scheduled else "no model is scheduled"
    rows = (
        ("console" if "/" in ROUTES else "address", started.url),
        ("models", ", ".join(names) or "none: no model has a target.local"),
        ("schedule", schedule),
        ("configuration", str(started.cloud.config_file)),
        ("data", str(started.folder)),
    )
    context.err.writelines(f"  {name:<14} {value}\n" for name, value in rows)
    context.err.write("Ctrl-C ends the server; trainings that run go on.\n\n")
    context.err.flush()


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    parser.add_argument("--json-logs", action="store_true", help="log as JSON on a terminal, too")


COMMAND: Final = Command(
    name="serve",
    summary="serve the models of this folder on this machine",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
)
