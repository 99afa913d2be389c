"""The page of `retrain show`: what happened to one model, who requested it, why, with what, and what went wrong."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from functions.cli.tables import GAP, aligned, plain, to_second

_LABEL: Final = 9
_LINKS: Final = ("http://", "https://")

Json = Mapping[str, Any]


def model_page(model: Json) -> str:
    """Return the answer of `GET /models/{model_id}` as a page of text."""
    facts = [
        ("model", model["model_id"]),
        ("state", model["state"]),
        ("cooling down until", to_second(model["cooldown_until"] or "")),
        ("paused", _paused(model.get("paused"))),
    ]
    lines = aligned([(name, str(value)) for name, value in facts if value])
    for heading, kept in (
        ("running", model["running"]),
        ("queued", model["queued"]),
        ("waiting for approval", model["waiting"]),
        ("next attempt", model.get("retry")),
    ):
        if kept:
            lines += ["", heading, *_indented([_kept(kept), *_details(kept.get("trigger"), kept.get("url"))])]
    lines += _section("trainings", [line for run in model["runs"] for line in _run(run)])
    lines += _section("decisions", _decisions(model["decisions"]))
    lines += _section("rejected", _decisions(model["rejected"]))
    lines += _section("unfinished follow-ups", aligned([_follow_up(each) for each in model["follow_ups"]]))
    settings = [(name, _value(value)) for name, value in model["configuration"].items() if value not in (None, [])]
    return "\n".join(lines + _section("configuration", aligned(settings)))


def _paused(paused: Json | None) -> str:
    if not paused:
        return ""
    until = f"until {to_second(paused['until'])}" if paused["until"] else "until it is resumed"
    reason = f": {paused['reason']}" if paused["reason"] else ""
    return f"since {to_second(paused['since'])}, {until}, by {paused['by']}{reason}"


def _kept(kept: Json) -> str:
    """Return the line about a training or a trigger that the model holds at the moment."""
    since = kept.get("since") or kept.get("started_at") or kept.get("claimed_at")
    parts = [kept["trigger_id"], f"since {to_second(str(since))}"]
    if kept.get("at"):
        parts.append(f"starts at {to_second(kept['at'])}")
    if "run_id" in kept:
        parts.append(f"run {kept['run_id']}" if kept["run_id"] else "being started")
    return plain(", ".join([*parts, *_attempt(kept)]))


def _run(run: Json) -> Iterator[str]:
    took = _took(run["started_at"], run["ended_at"])
    result = f"{run['result'] or 'running'}{f' after {took}' if took else ''}"
    yield plain(GAP.join([to_second(run["started_at"]), result, run["trigger_id"], *_attempt(run)]))
    details = [("error", run["error"])] if run.get("error") else []
    yield from _indented([*map(_labelled, details), *_details(run.get("trigger"), run["url"] or run["run_id"])])


def _decisions(decisions: Sequence[Json]) -> list[str]:
    names = ("decision", "reason", "trigger_id", "detail")
    rows = aligned(
        [(to_second(decided["at"]), *(str(decided[name] or "-") for name in names)) for decided in decisions]
    )
    lines = []
    for decided, row in zip(decisions, rows, strict=True):
        lines.append(row.rstrip(" -") if not decided["detail"] else row)
        asked = _requested(decided.get("origin"), decided.get("requested_by"))
        why = ": ".join(part for part in (asked, decided.get("why")) if part)
        lines += _indented([plain(part) for part in (why, *decided.get("evidence", ())) if part])
    return lines


def _details(trigger: Json | None, page: str | None) -> Iterator[str]:
    """Return the lines about a trigger, and where its training can be seen."""
    if trigger:
        asked = _requested(trigger["origin"], trigger["requested_by"])
        level = f", severity {trigger['severity']}" if trigger["severity"] else ""
        yield _labelled(("requested", f"{asked} at {to_second(trigger['requested_at'])}{level}"))
        if trigger["reason"]:
            yield _labelled(("why", trigger["reason"]))
        if trigger["parameters"]:
            yield _labelled(("with", _values(trigger["parameters"])))
        if trigger["evidence"]:
            yield _labelled(("evidence", _values(trigger["evidence"])))
    if page:
        yield _labelled(("see", page))


def _requested(origin: str | None, by: str | None) -> str:
    return " ".join(part for part in (f"by {by}" if by else "", f"({origin})" if origin else "") if part)


def _values(values: Json) -> str:
    if values.get("cut") is True and set(values) == {"cut", "bytes", "text"}:
        return f"{values['text']}... ({values['bytes']} bytes, cut)"
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, str) and value.startswith(_LINKS):
        return value
    return json.dumps(value, ensure_ascii=False)


def _attempt(entry: Json) -> list[str]:
    return [f"attempt {entry['attempt']}"] if entry.get("attempt", 1) > 1 else []


def _took(start: str, end: str | None) -> str:
    """Return a duration to its two largest units, such as `1h 5m`."""
    if end is None:
        return ""
    seconds = max(int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()), 0)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count}{unit}" for count, unit in parts[first : first + 2] if count) or "0s"


def _follow_up(entry: Json) -> tuple[str, ...]:
    attempts = f"tried {entry['attempts']} times, last at {to_second(entry['last_attempt_at'])}"
    return (entry["trigger_id"], ", ".join(entry["actions"]), attempts)


def _labelled(fact: tuple[str, str]) -> str:
    name, text = fact
    return f"{name:<{_LABEL}}{GAP}{plain(text)}"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"{GAP}{line}" for line in lines]


def _section(heading: str, lines: Sequence[str]) -> list[str]:
    return ["", heading, *_indented(lines)] if lines else []
