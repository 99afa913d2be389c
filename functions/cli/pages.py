"""What people read of models: a list, and a page for one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

_HEAD: Final = ("MODEL", "STATE", "LAST DECISION", "REASON", "AT")
_GAP: Final = "  "


def as_json(content: Mapping[str, object]) -> str:
    """Return *content* for programs."""
    return json.dumps(content, indent=2)


def list_page(models: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of `GET /models`, one line a model."""
    if not models:
        return "no model trains here"
    return "\n".join(_table([_HEAD, *(_summary(model) for model in models)]))


def model_page(told: Mapping[str, Any]) -> str:
    """Return everything of `GET /models/{model_id}`."""
    facts = [
        ("model", told["model_id"]),
        ("state", told["state"]),
        ("running", _running(told["running"])),
        ("cooling down until", told["cooldown_until"]),
        ("queued", _parked(told["queued"])),
        ("waiting for approval", _parked(told["waiting"])),
    ]
    lines = _table([(name, str(value)) for name, value in facts if value])
    lines += _section("decisions", [_decision(each) for each in told["decisions"]])
    lines += _section("runs", [_run(each) for each in told["runs"]])
    lines += _section("rejected", [_decision(each) for each in told["rejected"]])
    lines += _section("still to be done", [_follow_up(each) for each in told["follow_ups"]])
    settings = [(name, json.dumps(value)) for name, value in told["configuration"].items() if value not in (None, [])]
    return "\n".join(lines + _section("configuration", settings))


def _summary(model: Mapping[str, Any]) -> tuple[str, ...]:
    last = model["last_decision"] or {}
    return (model["model_id"], model["state"], *(last.get(name, "-") for name in ("decision", "reason", "at")))


def _running(running: Mapping[str, Any] | None) -> str:
    if running is None:
        return ""
    run = running["run_id"] or "being started"
    return f"{run}, by {running['trigger_id']}, since {running['started_at'] or running['claimed_at']}"


def _parked(parked: Mapping[str, Any] | None) -> str:
    return f"{parked['trigger_id']} ({parked['origin']}), since {parked['since']}" if parked else ""


def _decision(decided: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(decided[name]) for name in ("at", "decision", "reason", "trigger_id", "detail"))


def _run(run: Mapping[str, Any]) -> tuple[str, ...]:
    return (run["started_at"], run["result"] or "running", run["trigger_id"], run["run_id"], run["url"] or "")


def _follow_up(left: Mapping[str, Any]) -> tuple[str, ...]:
    tried = f"tried {left['attempts']} times, last at {left['last_attempt_at']}"
    return (left["trigger_id"], ", ".join(left["actions"]), tried)


def _section(heading: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", heading, *(f"{_GAP}{line}" for line in _table(rows))] if rows else []


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows with their columns below one another."""
    shown = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in shown)
    return [_GAP.join(row).rstrip() for row in padded]


def _plain(text: str) -> str:
    """Return a text, which somebody else may have written, so that it cannot steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)
