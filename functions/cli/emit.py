"""`retrain emit`: puts a trigger on the event bus."""

import argparse
from pathlib import Path
from typing import Final

from functions.cli.command import Command, Context
from functions.cli.triggers import add_trigger_options, check_model, read_fields
from shared.config.targets import CLOUDS
from shared.trace import TRACE_FIELDS, trace_in

_DESCRIPTION: Final = """\
Put a trigger on the event bus and print its id. The receiver then decides whether a training starts;
`retrain show MODEL` shows its decision.

examples:
  retrain emit churn --reason "new labels"
  retrain emit churn --param epochs=12 --id labels-2026-11
  retrain emit churn --cloud aws"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Emit the trigger that *options* describe."""
    from functions.cli.api import Api, ApiError, write_answer, write_problem

    api = Api(context, options.cloud)
    # The names that OpenTelemetry gives these variables, which a training on this machine also gets.
    trace = trace_in({name: context.variables.get(name.upper()) for name in TRACE_FIELDS})
    try:
        check_model(options, api)
        answer = api.post("/retrain", {**read_fields(options, api.config), **trace})
    except ApiError as error:
        return write_problem(context, options, error)
    code = write_answer(context, options, answer, answer["trigger_id"])
    if options.cloud == "local" and api.config and context.err.isatty() and not _is_served(api.config.folder):
        context.err.write("No server runs in this folder; the trigger waits on the bus until `retrain serve` runs.\n")
    return code


def _is_served(folder: Path) -> bool:
    """Return whether a server says that it serves *folder*; one that was killed still says so, but is gone."""
    import json
    import os

    from functions.local.serving import ADDRESS_FILE
    from functions.local.wiring import FOLDER

    try:
        os.kill(int(json.loads((folder / FOLDER / ADDRESS_FILE).read_text(encoding="ascii"))["pid"]), 0)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True  # It is a process of another user, or the file is not complete yet.
    return True


COMMAND: Final = Command(
    name="emit",
    summary="put a trigger on the event bus and print its id",
    description=_DESCRIPTION,
    add_options=add_trigger_options,
    run=run,
    clouds=CLOUDS,
    takes_url=True,
)
