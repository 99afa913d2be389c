"""The log of the server as people read it on a terminal."""

import logging
from datetime import datetime
from typing import Final, TextIO

from shared.log import log_to

# The attributes of every record; the others are the fields of the event.
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_COLOURS: Final = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[31m", logging.CRITICAL: "\x1b[31m"}
_RESET: Final = "\x1b[0m"


class TerminalFormatter(logging.Formatter):
    """Writes a record as the local time, the event and its fields; a list of problems has a line for each."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text."""
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        problems = fields.pop("problems", ())
        parts = [f"{name}={_plain(value)}" for name, value in fields.items() if value not in (None, "")]
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            parts.append(f"{type(error).__name__}: {_plain(error)}")
        event = _plain(record.getMessage().removeprefix("retrain.").removeprefix("local.").replace("_", " "))
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        lines = [" ".join([time, event, *parts]), *(f"         {_plain(problem)}" for problem in problems)]
        colour = _COLOURS.get(record.levelno)
        return f"{colour}{chr(10).join(lines)}{_RESET}" if colour else "\n".join(lines)


def log_for_people(stream: TextIO) -> None:
    """Send the logs of this package to *stream*, a terminal."""
    log_to(stream)
    for handler in logging.getLogger("retrain").handlers:
        handler.setFormatter(TerminalFormatter())


def _plain(value: object) -> str:
    """Return a text that cannot control the terminal: some of it comes from others."""
    return "".join(character if character.isprintable() else "?" for character in str(value))
