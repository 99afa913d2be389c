"""`retrain approve` and `retrain reject`: decide about a trigger that waits for a person."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote

from functions.cli.command import Command, Context
from shared.config.targets import CLOUDS


def _run(verb: str, context: Context, options: argparse.Namespace) -> int:
    from functions.cli.api import Api, ApiError, write_answer, write_problem

    path = f"/models/{quote(options.model, safe='')}/{verb}"
    try:
        answer = Api(context, options.cloud).post(path, {"trigger_id": options.trigger_id})
    except ApiError as error:
        return write_problem(context, options, error)
    done = {"approve": "approved", "reject": "rejected"}[verb]
    return write_answer(context, options, answer, f"{done} {options.trigger_id} of {options.model}")


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the model")
    parser.add_argument("trigger_id", metavar="TRIGGER_ID", help="the id of the waiting trigger")


def _command(verb: str, summary: str) -> Command:
    run: Callable[[Context, argparse.Namespace], int] = partial(_run, verb)
    return Command(
        name=verb,
        summary=summary,
        description=f"{summary[:1].upper()}{summary[1:]}. `retrain show MODEL` shows its id.\n\nexample:\n"
        f"  retrain {verb} churn labels-2026-11",
        add_options=_add_options,
        run=run,
        clouds=CLOUDS,
        takes_url=True,
    )


COMMANDS: Final = (
    _command("approve", "start the training of a trigger that waits for approval"),
    _command("reject", "drop a trigger that waits for approval"),
)
