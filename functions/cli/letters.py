"""`retrain letters`: shows dead letters, and sends them again."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from functions.cli.command import DONE, FAILED, Command, Context, UsageError
from shared.config.targets import CLOUDS

if TYPE_CHECKING:
    from functions.cli.clouds import Letters
    from shared.training.letters import StoredLetter
    from shared.training.redrive import Redriven

_DESCRIPTION: Final = """\
Show the events that were rejected or not delivered, and send them again. A letter is sent with the trigger id that its
event had, and deleted once the bus has it, so nothing trains twice. If it is refused again, it is a new letter.

examples:
  retrain letters list --cloud aws --env prod
  retrain letters show rejected/20261123T093000.000000Z-5f2c
  retrain letters redrive rejected/20261123T093000.000000Z-5f2c
  retrain letters redrive --all --cloud gcp --env prod"""
_NO_UNDELIVERED: Final = "RETRAIN_UNDELIVERED is not set: only rejected events are looked at\n"


def run(context: Context, options: argparse.Namespace) -> int:
    """List, show or redrive dead letters as *options* say."""
    _check(options)
    from functions.cli.clouds import letters_of

    letters = letters_of(options.cloud, context)
    if letters.rejected_only:
        context.err.write(_NO_UNDELIVERED)
    return _ACTIONS[options.action](context, options, letters)


def _check(options: argparse.Namespace) -> None:
    if options.action is None:
        raise UsageError(f"letters needs one of {', '.join(_ACTIONS)}, such as: retrain letters list")
    if options.all and options.action != "redrive":
        raise UsageError("--all is for redrive only")
    if options.action == "list" and options.ids:
        raise UsageError("list takes no ids; use show ID")
    if options.action == "show" and len(options.ids) != 1:
        raise UsageError("show takes one ID")
    if options.action == "redrive" and bool(options.ids) == options.all:
        raise UsageError("redrive takes ids, or --all")


def _list(context: Context, options: argparse.Namespace, letters: "Letters") -> int:
    found = [letter.to_fields(letters.model_of(letter)) for letter in _read(letters)]
    found.sort(key=lambda fields: str(fields["at"] or ""))
    if options.json:
        context.out.write(f"{json.dumps({'letters': found}, indent=2)}\n")
        return DONE
    from functions.cli.tables import letters_table

    context.out.write(f"{letters_table(found)}\n")
    return DONE


def _show(context: Context, options: argparse.Namespace, letters: "Letters") -> int:
    (wanted,) = options.ids
    for letter in _read(letters, wanted):
        if letter.letter_id == wanted:
            events = list(letter.events)
            shown = letter.to_fields(letters.model_of(letter)) | {"event": events[0] if len(events) == 1 else events}
            context.out.write(f"{json.dumps(shown, indent=2)}\n")
            return DONE
    return _gone(context, options, [wanted])


def _redrive(context: Context, options: argparse.Namespace, letters: "Letters") -> int:
    from functions.cli.progress import Progress

    wanted = None if options.all else list(dict.fromkeys(options.ids))
    done: list[Redriven] = []
    try:
        with Progress(context.err) as progress:
            progress.step("reading the dead letters")
            for each in letters.redrive(wanted):
                done.append(each)
                sent = sum(not one.error for one in done)
                progress.step(f"{sent} sent, {len(done) - sent} refused")
                if not options.json:
                    _report(context, each)
    finally:
        # Also after an error or an interruption: these letters are sent and gone.
        if options.json:
            context.out.write(f"{json.dumps(_document(done), indent=2)}\n")
    found = {each.letter_id for each in done}
    missing = [letter_id for letter_id in wanted or () if letter_id not in found]
    if missing:
        return _gone(context, options, missing)
    if options.all and not options.json:
        sent = sum(not each.error for each in done)
        context.out.write(f"{sent} sent, {len(done) - sent} refused\n")
    return FAILED if any(each.error for each in done) else DONE


def _report(context: Context, each: "Redriven") -> None:
    from functions.cli.tables import plain

    if each.error:
        context.err.write(f"{plain(each.letter_id)}: not sent: {plain(each.error)}\n")
    for trigger in each.triggers:
        context.out.write(f"{plain(each.letter_id)}: sent {plain(trigger.trigger_id)} of {plain(trigger.model_id)}\n")


def _document(done: "Sequence[Redriven]") -> dict[str, object]:
    sent = [
        {
            "id": each.letter_id,
            "triggers": [{"model_id": trigger.model_id, "trigger_id": trigger.trigger_id} for trigger in each.triggers],
        }
        for each in done
        if not each.error
    ]
    return {"sent": sent, "refused": [{"id": each.letter_id, "error": each.error} for each in done if each.error]}


def _gone(context: Context, options: argparse.Namespace, ids: Sequence[str]) -> int:
    from functions.cli.tables import plain

    problem = f"no such letter: {', '.join(map(plain, ids))}; it was sent again or deleted, or it has expired"
    if options.json and options.action == "show":
        document = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": problem}
        context.out.write(f"{json.dumps(document, indent=2)}\n")
    else:
        context.err.write(f"{problem}\n")
    return FAILED


def _read(letters: "Letters", only: str = "") -> "Iterator[StoredLetter]":
    for box in letters.boxes:
        try:
            yield from box.read(only)
        finally:
            box.release()


_ACTIONS: "Final[dict[str, Callable[[Context, argparse.Namespace, Letters], int]]]" = {
    "list": _list,
    "show": _show,
    "redrive": _redrive,
}


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=tuple(_ACTIONS), help="list or show letters, or send them again")
    parser.add_argument("ids", metavar="ID", nargs="*", help="the id of a letter, as `list` shows it")
    parser.add_argument("--all", action="store_true", help="redrive: send every letter again")
    _allow_options_before_ids(parser)


def _allow_options_before_ids(parser: argparse.ArgumentParser) -> None:
    """Let ids follow options, as in `redrive --cloud aws ID`; before Python 3.12 argparse would refuse them."""
    as_usual = parser.parse_known_args

    def parse(
        args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        parser.parse_known_args = as_usual  # type: ignore[method-assign]
        try:
            return parser.parse_known_intermixed_args(args, namespace)
        finally:
            parser.parse_known_args = parse  # type: ignore[method-assign,assignment]

    parser.parse_known_args = parse  # type: ignore[method-assign,assignment]


COMMAND: Final = Command(
    name="letters",
    summary="show dead letters, and send them again",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
    clouds=CLOUDS,
)
