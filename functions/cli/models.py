"""`retrain models`: lists the models."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from functions.cli import show
from functions.cli.command import DONE, Command, Context
from functions.cli.triggers import add_model, model_of
from shared.config.targets import CLOUDS

if TYPE_CHECKING:
    from functions.cli.api import Api

_DESCRIPTION: Final = """\
List the configured models, and those seen under a pattern: state, history, last training and last decision.

HISTORY has a letter for each of the last 20 trainings and skipped triggers, newest first: r running, s succeeded,
f failed, x stopped, g gone, h handed over, - skipped.

examples:
  retrain models
  retrain models --cloud gcp --json"""


def run(context: Context, options: argparse.Namespace) -> int:
    """List all models; with the name of one, show it as `retrain show` does."""
    if model_of(options) is not None:
        return show.run(context, options)
    from functions.cli.api import Api, ApiError, write_answer, write_problem
    from functions.cli.tables import write_models

    try:
        models = _all_models(Api(context, options.cloud))
    except ApiError as error:
        return write_problem(context, options, error)
    if not options.json:
        write_models(models, context.out)
        return DONE
    return write_answer(context, options, {"models": models}, "")


def _all_models(api: "Api") -> list[Mapping[str, object]]:
    models: list[Mapping[str, object]] = []
    query: dict[str, str] = {}
    while True:
        page = api.get("/models", query)
        models += page["models"]
        if "next" not in page:
            return models
        query = {"after": page["next"]}


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_model(parser, "show this model only, as `retrain show` does")


COMMAND: Final = Command(
    name="models",
    summary="list the models with their state and last decision",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=CLOUDS,
    takes_url=True,
)
