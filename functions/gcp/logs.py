"""Logs in the form that Cloud Logging reads from standard output: one JSON object per line."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Final

from shared.fields import format_time

# The attributes of every record; any others were added by the caller.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class CloudFormatter(logging.Formatter):
    """Writes a record as one line of JSON with Cloud Logging's names.

    https://cloud.google.com/logging/docs/structured-logging: `severity`, `message` and `time` become fields of the
    entry, everything else is in its `jsonPayload`. Error Reporting finds an unexpected error by its `stack_trace`, and
    Cloud Trace the lines of a trace in *project*.
    """

    def __init__(self, project: str = "") -> None:
        super().__init__()
        self._project = project

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": format_time(datetime.fromtimestamp(record.created, UTC)),
        }
        line |= {name: value for name, value in vars(record).items() if name not in {*_STANDARD, *line}}
        trace_id = line.get("trace_id")
        if trace_id and self._project:
            line["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{trace_id}"
        if record.exc_info and record.exc_info[1]:
            line["stack_trace"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line, default=str)


class StandardOutput(logging.Handler):
    """Writes to the present standard output: the framework replaces it during a request, to add its execution id."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line in one call, since threads share the stream."""
        try:
            sys.stdout.write(f"{self.format(record)}\n")
            sys.stdout.flush()
        except Exception:  # noqa: BLE001 - a failing log line must not fail the work; logging reports it
            self.handleError(record)


def log_to_cloud(project: str = "") -> None:
    """Send the logs of this package to standard output, with traces in *project*; a second call changes nothing."""
    handler = StandardOutput()
    handler.setFormatter(CloudFormatter(project))
    logger = logging.getLogger("retrain")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
