"""The commands that steer a model: approve, reject, cancel, retry, pause, resume."""

import argparse
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from functions.cli.command import Command, Context
from shared.config.targets import CLOUDS

# The answers for people, by command; {show} and {resume} are command lines.
_DONE: Final[Mapping[str, str]] = {
    "approve": "approved {named} of {model}; it starts as soon as nothing holds it back",
    "reject": "rejected {named} of {model}; it starts no training",
    "cancel": "cancelled {named} of {model}: it was not running, and is dropped; the model's state is {state}",
    "retry": "{trigger_id} of {model} starts as soon as nothing holds it back",
    "pause": "paused {model} until {until}{running}",
    "resume": "resumed {model}; its state is {state}",
}
# The answer of `cancel` if the receiver has yet to stop the training.
_STOPPING: Final = "stopping the training of {named} of {model}; {show} shows how it ended"


def _run(verb: str, context: Context, options: argparse.Namespace) -> int:
    from functions.cli.api import Api, ApiError, write_answer, write_problem

    path = f"/models/{quote(options.model, safe='')}/{verb}"
    given = {name: getattr(options, name, None) for name in ("trigger_id", "reason", "until")}
    fields = {name: value for name, value in given.items() if value is not None}
    try:
        status, answer = Api(context, options.cloud).post_for_status(path, fields)
    except ApiError as error:
        return write_problem(context, options, error)
    return write_answer(context, options, answer, _text(verb, given, answer, options.model, status))


def _text(verb: str, given: Mapping[str, str | None], answer: Mapping[str, object], model_id: str, status: int) -> str:
    """Return the answer for people."""
    from functions.cli.tables import plain

    model = shlex.quote(model_id)
    values = {
        "trigger_id": "",
        "state": "",
        **answer,
        "model": model_id,
        "named": given["trigger_id"],
        "show": f"`retrain show {model}`",
        "until": given["until"] or f"`retrain resume {model}`",
        "running": "; the training that runs goes on" if answer.get("state") == "training" else "",
    }
    is_stopping = verb == "cancel" and status == HTTPStatus.ACCEPTED
    return plain((_STOPPING if is_stopping else _DONE[verb]).format_map(values))


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the model")


def _add_trigger(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("trigger_id", metavar="TRIGGER_ID", help="the id of the trigger")


def _add_pause(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--reason", help="the reason, which the history and the console show")
    parser.add_argument("--until", metavar="TIME", help="when the pause ends, such as 2026-12-01T08:00:00Z")


def _command(
    verb: str,
    summary: str,
    example: str,
    add_options: Callable[[argparse.ArgumentParser], None] = _add_trigger,
    more: str = "`retrain show MODEL` shows its id.",
) -> Command:
    run: Callable[[Context, argparse.Namespace], int] = partial(_run, verb)
    return Command(
        name=verb,
        summary=summary,
        description=f"{summary[:1].upper()}{summary[1:]}. {more}\n\nexample:\n  retrain {verb} {example}",
        add_options=add_options,
        run=run,
        clouds=CLOUDS,
        takes_url=True,
        steers=True,
    )


COMMANDS: Final = (
    _command("approve", "start the training of a trigger that waits for approval", "churn labels-2026-11"),
    _command("reject", "drop a trigger that waits for approval", "churn labels-2026-11"),
    _command(
        "cancel",
        "drop a trigger that is queued, waiting or to be retried, or stop its training",
        "churn labels-2026-11",
    ),
    _command("retry", "start a training that has ended again, or a pending retry immediately", "churn labels-2026-11"),
    _command(
        "pause",
        "pause a model: nothing new starts, and the newest trigger is kept",
        'churn --reason "new labels are coming" --until 2026-12-01T08:00:00Z',
        _add_pause,
        "A training that has started goes on.",
    ),
    _command("resume", "end the pause of a model", "churn", _add_model, "The trigger that was kept starts."),
)
