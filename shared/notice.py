"""Notifications for people, as a value, as text and as JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from shared.fields import format_time
from shared.frozen import dataclass

EVENTS: Final = ("launched", "ended", "failed", "rejected", "awaiting_approval", "stale")
"""The events of `[notify]` `on`: a training started; succeeded; failed, was stopped or is gone; an event or a training
was rejected permanently; a training waits for an approval; no training has succeeded for longer than `max_age`."""

MONITOR_EVENTS: Final = ("drift", "worse", "no_drift", "monitor_failed")
"""The events of the drift monitor, which are sent regardless of `[notify]` `on`."""

SCHEMA: Final = 1
_TITLES: Final = {
    "launched": "The training of {model} has started",
    "ended": "The training of {model} has {result}",
    "failed": "The training of {model} has {result}",
    "rejected": "An event for {model} was rejected",
    "awaiting_approval": "The training of {model} waits for an approval",
    "stale": "No training of {model} has succeeded for too long",
    "drift": "The data of {model} have drifted",
    "worse": "The predictions of {model} have become worse",
    "no_drift": "The data of {model} have not drifted",
    "monitor_failed": "The drift check of {model} failed",
}
# The next three are compiled when a notice is first written, which most processes never do.
# Controls, separators of lines and paragraphs, and changes of the direction of writing.
_NOT_IN_A_LINE: Final = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
# Everything but ASCII, what JSON and markup use, and the second of two spaces.
_NOT_IN_A_COMMAND: Final = r"""[^ -~]|["\\<>\[\](){}@*`|&]|(?<= ) """
# A name without markup, a leading hyphen, or spaces that a message would lose.
_PLAIN: Final = r"[A-Za-z0-9._/:=+,%](?: ?[A-Za-z0-9._/:=+,%-])*"
_NEED_ACTION: Final = frozenset({"failed", "rejected", "awaiting_approval", "stale"})
_RESULTS: Final = {"stopped": "been stopped", "gone": "not ended in time and counts as gone"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notification; fields that are not known are empty.

    Attributes:
        event: one of `EVENTS` or `MONITOR_EVENTS`.
        cloud: `aws`, `gcp`, `azure` or `local`.
        at: when the event happened, aware, UTC.
        model_id: the model; empty for an event that does not belong to one.
        trigger_id: the trigger.
        reason: why the training was requested, or the error, for people; not written by this project, so untrusted.
        run_id: the training service's id of the run.
        url: the page of the run.
        result: how the run ended: `succeeded`, `failed`, `stopped` or `gone`; `handed_over` if its end is not observed.
        error: what the service says about the failure; untrusted like `reason`.
        attempts: how many attempts were made; 0 where that does not matter.
        severity: that of the trigger.
        origin: that of the trigger.
        requested_by: the person or system that sent the request.
        evidence: the evidence of the trigger.
        environment: the name of the deployment, for the commands that a message shows.
        console: the URL of the console.

    """

    event: str
    cloud: str
    at: datetime
    model_id: str = ""
    trigger_id: str = ""
    reason: str = ""
    run_id: str = ""
    url: str = ""
    result: str = ""
    error: str = ""
    attempts: int = 0
    severity: str = ""
    origin: str = ""
    requested_by: str = ""
    evidence: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    environment: str = ""
    console: str = ""


def notice_title(notice: Notice) -> str:
    """Return the title of *notice*, one line, for example for the subject of a mail."""
    model = one_line(notice.model_id) or "no model"
    result = _RESULTS.get(notice.result, notice.result or "ended")
    return _TITLES[notice.event].format(model=model, result=one_line(result))


def notice_text(notice: Notice) -> str:
    """Return *notice* as text: the title, then one field per line, whatever the fields contain."""
    facts = (
        ("Error", notice.error),
        ("Attempts", str(notice.attempts) if notice.attempts > 1 else ""),
        ("Reason", notice.reason),
        ("Severity", notice.severity),
        ("Origin", notice.origin),
        ("Requested by", notice.requested_by),
        ("Trigger", notice.trigger_id),
        ("Run", notice.run_id),
        ("See", notice.url),
        *((f"Evidence, {name}", str(value)) for name, value in notice.evidence.items()),
        ("Console", _page(notice)),
        ("Cloud", notice.cloud),
        ("At", format_time(notice.at)),
        ("Command", command(notice)),
        ("To start it", _how_to_approve(notice)),
    )
    lines = (f"{one_line(name)}: {one_line(fact)}" for name, fact in facts if fact)
    return "\n".join([notice_title(notice) + ".", *lines])


def one_line(text: str) -> str:
    """Return *text* as one line: control characters and line breaks escaped as in JSON, runs of spaces made one.

    A long run of spaces would wrap what follows onto a line of its own, and a change of direction would reorder a line.
    """
    return " ".join(re.sub(_NOT_IN_A_LINE, lambda found: json.dumps(found[0])[1:-1], text).split())


def notice_document(notice: Notice) -> dict[str, object]:
    """Return *notice* as a JSON object: its fields, empty ones left out, with `title` and the `schema` number."""
    fields: dict[str, object] = {
        "event": notice.event,
        "title": notice_title(notice),
        "cloud": notice.cloud,
        "at": format_time(notice.at),
        "model_id": notice.model_id,
        "trigger_id": notice.trigger_id,
        "reason": notice.reason,
        "run_id": notice.run_id,
        "url": notice.url,
        "result": notice.result,
        "error": notice.error,
        "attempts": notice.attempts,
        "severity": notice.severity,
        "origin": notice.origin,
        "requested_by": notice.requested_by,
        "evidence": dict(notice.evidence),
        "environment": notice.environment,
        "console_url": _page(notice),
    }
    return {name: value for name, value in fields.items() if value} | {"schema": SCHEMA}


def _page(notice: Notice) -> str:
    """Return the address of the model in the console; a link only shows it."""
    if not notice.console:
        return ""
    return f"{notice.console}/?model={quote(notice.model_id, safe='')}" if notice.model_id else notice.console


def command(notice: Notice) -> str:
    """Return the command to use next, quoted for a shell; empty if there is none.

    It has only characters that no channel takes for markup, and no shell but as they are.
    """
    names = {"awaiting_approval": ("approve", notice.model_id, notice.trigger_id)}
    verb, *arguments = names.get(notice.event, ("show", notice.model_id))
    if notice.event not in _NEED_ACTION or not all(map(_is_plain, arguments)):
        return ""
    place = [] if notice.cloud == "local" else ["--cloud", notice.cloud]
    place += ["--env", notice.environment] if _is_plain(notice.environment) else []
    import shlex

    return shlex.join(["retrain", verb, *arguments, *place])


def _is_plain(text: str) -> bool:
    return re.fullmatch(_PLAIN, text) is not None


def _how_to_approve(notice: Notice) -> str:
    if notice.event != "awaiting_approval":
        return ""
    path = f"/models/{quote(notice.model_id, safe='')}/approve"
    return f'POST {path} with {{"trigger_id": {_as_json(notice.trigger_id)}}}, or .../reject to drop it'


def _as_json(text: str) -> str:
    """Return *text* as a JSON string that no channel changes and that cannot be mistaken for what is around it."""
    escaped = re.sub(
        _NOT_IN_A_COMMAND,
        lambda found: f"\\u{ord(found[0]):04x}" if found[0].isascii() else json.dumps(found[0])[1:-1],
        text,
    )
    return f'"{escaped}"'
