"""A notice as people read it, and as programs do."""

import dataclasses
import json
import re
from typing import Any

import pytest

from shared.notice import EVENTS, Notice, notice_document, notice_text, notice_title
from tests.core.samples import NOW

WAITING = Notice(
    event="awaiting_approval",
    cloud="aws",
    at=NOW,
    model_id="churn/eu",
    trigger_id="t-1",
    reason="PSI 0.4",
    severity="high",
    origin="drift",
    requested_by="monitor",
    evidence={"report_url": "https://example.com/r", "psi": 0.4},
)
OVER = Notice(
    event="failed",
    cloud="gcp",
    at=NOW,
    model_id="churn",
    run_id="run-1",
    url="https://example.com/run-1",
    result="failed",
)


def test_a_waiting_trigger_is_reported_with_the_way_to_approve_it() -> None:
    """One fact a line: why, since when, where it can be checked, and how it starts."""
    assert notice_text(WAITING).splitlines() == [
        "The training of churn/eu waits for an approval.",
        "Reason: PSI 0.4",
        "Severity: high",
        "Origin: drift",
        "Requested by: monitor",
        "Trigger: t-1",
        "Evidence, report_url: https://example.com/r",
        "Evidence, psi: 0.4",
        "Cloud: aws",
        "At: 2026-11-21T03:00:00Z",
        "Command: retrain approve churn/eu t-1 --cloud aws",
        'To start it: POST /models/churn%2Feu/approve with {"trigger_id": "t-1"}, or .../reject to drop it',
    ]


def test_an_end_is_reported_with_the_place_to_look_at() -> None:
    """Unknown facts are left out."""
    assert notice_text(OVER).splitlines() == [
        "The training of churn has failed.",
        "Run: run-1",
        "See: https://example.com/run-1",
        "Cloud: gcp",
        "At: 2026-11-21T03:00:00Z",
        "Command: retrain show churn --cloud gcp",
    ]


@pytest.mark.parametrize(
    ("event", "result", "title"),
    [
        ("launched", "", "The training of churn has started"),
        ("launched", "handed_over", "The training of churn has started"),
        ("ended", "succeeded", "The training of churn has succeeded"),
        ("failed", "failed", "The training of churn has failed"),
        ("failed", "stopped", "The training of churn has been stopped"),
        ("failed", "gone", "The training of churn has not ended in time and counts as gone"),
        ("rejected", "", "An event for churn was rejected"),
        ("awaiting_approval", "", "The training of churn waits for an approval"),
    ],
)
def test_every_event_has_a_title(event: str, result: str, title: str) -> None:
    """A title is one line that says what happened to which model."""
    assert notice_title(dataclasses.replace(OVER, event=event, result=result)) == title
    assert event in EVENTS


def test_an_event_for_no_model_can_be_reported() -> None:
    """An event that cannot be acted on may be for no model at all."""
    assert notice_title(Notice(event="rejected", cloud="aws", at=NOW)) == "An event for no model was rejected"


FORGED = "x\nTo start it: open https://evil.example"


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", " " * 300])
def test_no_text_makes_a_line_of_its_own(separator: str) -> None:
    """Whatever a field contains, the text has one line for each field, and only ours says how to start the training."""
    forged = FORGED.replace("\n", separator)
    fields: dict[str, Any] = dict.fromkeys(
        ("reason", "trigger_id", "requested_by", "run_id", "url", "model_id"), forged
    )
    evidence = {forged: forged, "list": [forged]}
    notice = dataclasses.replace(WAITING, evidence=evidence, **fields)
    lines = notice_text(notice).splitlines()
    names = ["Reason", "Severity", "Origin", "Requested by", "Trigger", "Run", "See", "Evidence, x"]
    assert len(lines) == 1 + len(names) + 4
    assert [line[: len(name)] for line, name in zip(lines[1:], names, strict=False)] == names
    assert [line for line in lines if line.startswith("To start it: ")] == [lines[-1]]
    assert lines[-1].startswith("To start it: POST /models/x%")
    assert notice_title(notice).splitlines() == [notice_title(notice)]
    assert "  " not in notice_text(notice)


def test_a_control_character_is_shown_escaped() -> None:
    """People see that it was there; one that changes the direction of writing cannot reorder the line."""
    text = notice_text(dataclasses.replace(WAITING, reason="a\nb\tc\x1b[31m\u202ed\u2028e"))
    assert text.splitlines()[1] == r"Reason: a\nb\tc\u001b[31m\u202ed\u2028e"


@pytest.mark.parametrize(
    "trigger_id",
    [
        't"}, or open https://evil.example {"',
        "a  b   c",
        "t\n1",
        "[here](https://evil.example)",
        "<!channel>",
        "ü\\ \U0001f4c9",
    ],
)
def test_the_way_to_approve_names_the_trigger_exactly(trigger_id: str) -> None:
    """The id in it is JSON that reads as the id, and holds no quote, bracket or line break of its own."""
    line = notice_text(dataclasses.replace(WAITING, trigger_id=trigger_id)).splitlines()[-1]
    body = line.removeprefix("To start it: POST /models/churn%2Feu/approve with ")
    shown = body.removesuffix(", or .../reject to drop it")
    assert json.loads(shown) == {"trigger_id": trigger_id}
    assert re.fullmatch(r'\{"trigger_id": "[^"<>\[\](){}@]*"\}', shown)


def test_programs_read_the_fields() -> None:
    """The JSON form has the notice's fields by name, without the empty ones."""
    assert notice_document(OVER) == {
        "event": "failed",
        "title": "The training of churn has failed",
        "cloud": "gcp",
        "at": "2026-11-21T03:00:00Z",
        "model_id": "churn",
        "run_id": "run-1",
        "url": "https://example.com/run-1",
        "result": "failed",
        "schema": 1,
    }
    assert notice_document(WAITING)["evidence"] == WAITING.evidence
