"""A notice as people read it, and as programs do."""

import dataclasses

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


def test_a_waiting_trigger_is_told_with_the_way_to_approve_it() -> None:
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
        'To start it: POST /models/churn%2Feu/approve with {"trigger_id": "t-1"}, or .../reject to drop it',
    ]


def test_an_end_is_told_with_the_place_to_look_at() -> None:
    """Unknown facts are left out."""
    assert notice_text(OVER).splitlines() == [
        "The training of churn has failed.",
        "Run: run-1",
        "See: https://example.com/run-1",
        "Cloud: gcp",
        "At: 2026-11-21T03:00:00Z",
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


def test_an_event_for_no_model_can_be_told() -> None:
    """An event that cannot be acted on may be for no model at all."""
    assert notice_title(Notice(event="rejected", cloud="aws", at=NOW)) == "An event for no model was rejected"


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
