"""`retrain dry-run`: shows what would happen to a trigger now."""

import argparse
from collections.abc import Mapping
from typing import Final

from functions.cli.command import Command, Context
from functions.cli.triggers import add_trigger_options, check_model, read_fields
from shared.config.targets import CLOUDS

_DESCRIPTION: Final = """\
Show what would happen to a trigger now. Nothing is sent or stored.

examples:
  retrain dry-run churn
  retrain dry-run churn --severity low --json"""
_EXPLANATIONS: Final[Mapping[str, str]] = {
    "duplicate": "this trigger was decided before",
    "low_severity": "its severity is below min_severity",
    "not_consecutive": "more drift triggers are needed within the window",
    "cooldown": "the cooldown after the last training is not over",
    "busy": "a training of this model is running",
    "queued": "a training of this model is running; the trigger would wait for its end",
    "awaiting_approval": "a person has to approve it",
    "paused": "the model is paused",
    "over_budget": "max_trainings is reached",
    "superseded": "a forced or released trigger is kept, which only another forced one replaces",
}


def run(context: Context, options: argparse.Namespace) -> int:
    """Rehearse the trigger that *options* describe."""
    from functions.cli.api import Api, ApiError, write_answer, write_problem

    api = Api(context, options.cloud)
    try:
        check_model(options, api)
        answer = api.post("/retrain", read_fields(options, api.config), {"dry_run": "true"})
    except ApiError as error:
        return write_problem(context, options, error)
    explanation = _EXPLANATIONS.get(answer["reason"])
    text = f"{answer['decision']}: {answer['reason']}" + (f" ({explanation})" if explanation else "")
    return write_answer(context, options, answer, text)


COMMAND: Final = Command(
    name="dry-run",
    summary="show what would happen to a trigger now; nothing is sent or stored",
    description=_DESCRIPTION,
    add_options=add_trigger_options,
    run=run,
    clouds=CLOUDS,
    takes_url=True,
)
