"""Structured logs: one JSON object per line, with the name of the event and its fields."""

import json
import logging
from datetime import UTC, datetime
from typing import Final, TextIO

from shared.fields import format_time

# The attributes of every record; all others were added by the caller.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; an exception as its type and text, without the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON of *record*."""
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
    """Write the logs of this project to *stream*; a second call replaces the stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("retrain")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
