"""Logs are one JSON object per line, as Cloud Logging reads them."""

import io
import json
import logging
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.gcp.logs import log_to_cloud
from shared.fields import parse_time

log = logging.getLogger("retrain")


@pytest.fixture(autouse=True)
def logging_to_cloud() -> None:
    """Send the package's logs to standard output during a test."""
    log_to_cloud("acme")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_has_cloud_loggings_names(capsys: pytest.CaptureFixture[str]) -> None:
    """Severity, message and time are those of the entry; the caller's own fields are beside them."""
    before = datetime.now(UTC)
    log.info("retrain.decided", extra={"model_id": "churn", "detail": "a\nb", "n": 1})
    (line,) = lines(capsys)
    assert before <= parse_time(line.pop("time")) <= datetime.now(UTC)
    assert line == {"severity": "INFO", "message": "retrain.decided", "model_id": "churn", "detail": "a\nb", "n": 1}


def test_a_line_belongs_to_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """Cloud Trace shows the lines that name the trace with its project."""
    log.info("retrain.started", extra={"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"})
    (line,) = lines(capsys)
    assert line["logging.googleapis.com/trace"] == f"projects/acme/traces/{line['trace_id']}"


def test_no_field_replaces_the_entrys_own(capsys: pytest.CaptureFixture[str]) -> None:
    """A trigger's severity does not replace that of the log line."""
    log.warning("x", extra={"severity": "high", "time": "never"})
    (line,) = lines(capsys)
    assert line["severity"] == "WARNING"
    assert parse_time(line["time"]) <= datetime.now(UTC)


def test_an_error_has_its_stack_where_error_reporting_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, however long the stack."""
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        log.error("retrain.failed", exc_info=error)  # noqa: TRY400 - as in `responses`
    (line,) = lines(capsys)
    assert line["stack_trace"].startswith("Traceback (most recent call last):\n")
    assert line["stack_trace"].endswith("ZeroDivisionError: division by zero\n")


def test_a_value_that_is_not_json_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A log line never fails because of its content."""
    log.info("x", extra={"at": datetime(2026, 11, 21, tzinfo=UTC), "what": {1, 2}.__class__})
    (line,) = lines(capsys)
    assert (line["at"], line["what"]) == ("2026-11-21 00:00:00+00:00", "<class 'set'>")


def test_lines_follow_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The framework replaces standard output during a request, to add an execution id."""
    own = io.StringIO()
    with redirect_stdout(own):
        log.info("one")
    log.info("two")
    assert json.loads(own.getvalue())["message"] == "one"
    assert [line["message"] for line in lines(capsys)] == ["two"]


def test_less_than_info_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Debug lines are for developers' machines."""
    log.debug("x")
    assert lines(capsys) == []
