"""Logs are one JSON object a line."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import UnavailableError
from shared.fields import parse_time
from shared.log import log_to


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return where the logs of the package go during a test."""
    logger = logging.getLogger("retrain")
    before = logger.handlers, logger.level, logger.propagate
    stream = io.StringIO()
    log_to(stream)
    yield stream
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return what was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_event_and_its_fields(stream: io.StringIO) -> None:
    """The time in UTC, the level, the event's name and exactly what the caller added."""
    before = datetime.now(UTC)
    logging.getLogger("retrain").info("retrain.decided", extra={"model_id": "churn", "detail": "a\nb", "n": 1})
    (line,) = lines(stream)
    assert before <= parse_time(line.pop("at")) <= datetime.now(UTC)
    assert line == {"level": "INFO", "event": "retrain.decided", "model_id": "churn", "detail": "a\nb", "n": 1}


def test_an_exception_is_its_type_and_text(stream: io.StringIO) -> None:
    """The stack stays out of the line."""
    error = UnavailableError("DynamoDB", "save the state")
    logging.getLogger("retrain").error("retrain.failed", exc_info=error)
    (line,) = lines(stream)
    assert line["error"] == "UnavailableError: DynamoDB could not save the state; try again"
    assert line["level"] == "ERROR"
    assert "Traceback" not in stream.getvalue()


def test_any_value_and_any_text_is_one_line(stream: io.StringIO) -> None:
    """A value that JSON does not know is written as text, and no character of a field can begin another line."""
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    logging.getLogger("retrain").warning("retrain.odd", extra={"moment": moment, "text": "a\r\n\u2028\ud800\x00"})
    assert stream.getvalue().isascii()
    assert stream.getvalue().count("\n") == 1
    (line,) = lines(stream)
    assert (line["moment"], line["text"]) == ("2026-11-21 00:00:00+00:00", "a\r\n\u2028\ud800\x00")


def test_a_second_call_replaces_the_first(stream: io.StringIO) -> None:
    """A warm process that sets up its logs again writes each line once."""
    other = io.StringIO()
    log_to(other)
    logging.getLogger("retrain").info("retrain.started")
    logging.getLogger("retrain").debug("retrain.detail")
    assert stream.getvalue() == ""
    assert [line["event"] for line in lines(other)] == ["retrain.started"]
