"""Text tables, and the list of models as one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

_HEAD: Final = ("MODEL", "STATE", "HISTORY", "LAST TRAINING", "LAST DECISION", "REQUESTED BY")
GAP: Final = "  "
_LONGEST_ERROR: Final = 100
_STYLES: Final = {"training": "green", "waiting": "yellow", "paused": "yellow", "cooling_down": "cyan"}


def models_table(models: Sequence[Mapping[str, Any]]) -> str:
    """Return the answer of `GET /models` as a table with a line for each model."""
    if not models:
        return "no model has a target here"
    return "\n".join(aligned([_HEAD, *(_summary(model) for model in models)]))


def write_models(models: Sequence[Mapping[str, Any]], out: TextIO) -> None:
    """Write the answer of `GET /models` for people: on a terminal with colours, fitted to its width."""
    if not models or not out.isatty():
        out.write(f"{models_table(models)}\n")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _HEAD:
        table.add_column(name, overflow="fold")
    for model in models:
        cells = [plain(cell) for cell in _summary(model)]
        # As Text: square brackets in a name are not markup.
        table.add_row(Text(cells[0]), Text(cells[1], style=_STYLES.get(cells[1], "")), *map(Text, cells[2:]))
    Console(file=out).print(table)


def letters_table(letters: Sequence[Mapping[str, Any]]) -> str:
    """Return dead letters, as `retrain letters list --json` shows them, as a table with a line for each."""
    if not letters:
        return "there are no dead letters"
    rows = [
        (each["id"], to_second(str(each["at"] or "")), each.get("model_id", ""), each["reason"], _cut(each["error"]))
        for each in letters
    ]
    return "\n".join(aligned([("ID", "AT", "MODEL", "REASON", "ERROR"), *rows]))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ERROR else f"{text[: _LONGEST_ERROR - 3]}..."


def _summary(model: Mapping[str, Any]) -> tuple[str, ...]:
    last, run = model["last_decision"] or {}, model.get("last_run") or {}
    trained = f"{run['result'] or 'running'} {to_second(run['started_at'])}" if run else "-"
    decided = f"{last['decision']} {last['reason']} {to_second(last['at'])}" if last else "-"
    return (
        model["model_id"],
        model["state"] or "unreadable",
        "".join(each["as"] for each in model.get("strip", ())) or "-",
        trained,
        decided,
        last.get("requested_by") or "-",
    )


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with aligned columns."""
    if not rows:
        return []
    shown = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in shown)
    return [GAP.join(row).rstrip() for row in padded]


def to_second(time: str) -> str:
    """Return a time of the API without fractions of a second, which would make the columns of a terminal too wide."""
    return re.sub(r"\.\d+(?=Z$)", "", time)


def plain(text: str) -> str:
    """Replace unprintable characters: text from others must not control the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
