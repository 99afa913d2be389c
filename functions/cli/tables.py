"""Text tables of the API's answers about models."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

_HEAD: Final = ("MODEL", "STATE", "LAST DECISION", "REASON", "AT")
_GAP: Final = "  "
_STYLES: Final = {"training": "green", "waiting": "yellow", "paused": "yellow", "cooling_down": "cyan"}


def models_table(models: Sequence[Mapping[str, Any]]) -> str:
    """Return the answer of `GET /models` as a table with a line for each model."""
    if not models:
        return "no model has a target here"
    return "\n".join(_table([_HEAD, *(_summary(model) for model in models)]))


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
        cells = [_plain(cell) for cell in _summary(model)]
        # As Text: square brackets in a name are not markup.
        table.add_row(Text(cells[0]), Text(cells[1], style=_STYLES.get(cells[1], "")), *map(Text, cells[2:]))
    Console(file=out).print(table)


def model_page(model: Mapping[str, Any]) -> str:
    """Return the answer of `GET /models/{model_id}` as a page of text."""
    facts = [
        ("model", model["model_id"]),
        ("state", model["state"]),
        ("running", _running(model["running"])),
        ("cooling down until", model["cooldown_until"]),
        ("queued", _parked(model["queued"])),
        ("waiting for approval", _parked(model["waiting"])),
    ]
    lines = _table([(name, str(value)) for name, value in facts if value])
    lines += _section("decisions", [_decision(each) for each in model["decisions"]])
    lines += _section("runs", [_run(each) for each in model["runs"]])
    lines += _section("rejected", [_decision(each) for each in model["rejected"]])
    lines += _section("unfinished follow-ups", [_follow_up(each) for each in model["follow_ups"]])
    settings = [(name, json.dumps(value)) for name, value in model["configuration"].items() if value not in (None, [])]
    return "\n".join(lines + _section("configuration", settings))


def _summary(model: Mapping[str, Any]) -> tuple[str, ...]:
    last = model["last_decision"] or {}
    return (model["model_id"], model["state"], *(last.get(name, "-") for name in ("decision", "reason", "at")))


def _running(running: Mapping[str, Any] | None) -> str:
    if running is None:
        return ""
    run = running["run_id"] or "starting"
    return f"{run}, by {running['trigger_id']}, since {running['started_at'] or running['claimed_at']}"


def _parked(parked: Mapping[str, Any] | None) -> str:
    return f"{parked['trigger_id']} ({parked['origin']}), since {parked['since']}" if parked else ""


def _decision(decided: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(decided[name]) for name in ("at", "decision", "reason", "trigger_id", "detail"))


def _run(run: Mapping[str, Any]) -> tuple[str, ...]:
    return (run["started_at"], run["result"] or "running", run["trigger_id"], run["run_id"], run["url"] or "")


def _follow_up(entry: Mapping[str, Any]) -> tuple[str, ...]:
    attempts = f"tried {entry['attempts']} times, last at {entry['last_attempt_at']}"
    return (entry["trigger_id"], ", ".join(entry["actions"]), attempts)


def _section(heading: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", heading, *(f"{_GAP}{line}" for line in _table(rows))] if rows else []


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with aligned columns."""
    shown = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in shown)
    return [_GAP.join(row).rstrip() for row in padded]


def _plain(text: str) -> str:
    """Replace unprintable characters: text from others must not control the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
