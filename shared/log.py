"""Logs as one JSON object a line: the event's name and its fields."""

import json
import logging
from datetime import UTC, datetime
from typing import Final, TextIO

from shared.fields import format_time

# What every record has, so that the rest is what the caller added.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; an exception as its type and text, without its stack."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "at": format_time(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line["error"] = f"{type(error).__name__}: {error}"
        return json.dumps(line, default=str)


def log_to(stream: TextIO) -> None:
    """Send the logs of this package to *stream*; a second call replaces the first."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("retrain")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
