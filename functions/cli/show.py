"""`retrain show`: everything about one model."""

import argparse
from typing import Final
from urllib.parse import quote

from functions.cli.command import Command, Context
from functions.cli.triggers import add_model, required_model
from shared.config.targets import CLOUDS

_DESCRIPTION: Final = """\
Show everything about one model: what runs and waits, its trainings and decisions with who requested them, why, with
which parameters and evidence, the errors of trainings that failed, and its configuration.

example:
  retrain show churn"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Show the model that *options* name."""
    model_id = required_model(options)
    from functions.cli.api import Api, ApiError, write_answer, write_problem
    from functions.cli.story import model_page

    try:
        model = Api(context, options.cloud).get(f"/models/{quote(model_id, safe='')}")
    except ApiError as error:
        return write_problem(context, options, error)
    return write_answer(context, options, model, model_page(model))


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_model(parser, "the model")


COMMAND: Final = Command(
    name="show",
    summary="show everything about one model",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=CLOUDS,
    takes_url=True,
)
