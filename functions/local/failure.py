"""Why a training on this machine failed, for people: how its command ended, and the last lines of its output."""

import os
import signal
from pathlib import Path
from typing import Final

from functions.local.exit_record import ExitRecord
from functions.local.run_folder import RunFolder
from shared.ports import RunResult

LINES: Final = 5
_END_BYTES: Final = 4096
# With the text in front of it, within the 500 characters that a model's history keeps.
_MOST: Final = 420


def failure(folder: RunFolder, record: ExitRecord) -> str:
    """Return why the training in *folder* failed; empty if it did not fail."""
    if record.result is not RunResult.FAILED:
        return ""
    end = " | ".join(_last_lines(folder.output))
    if len(end) > _MOST:
        end = f"...{end[-_MOST:]}"
    return f"{_how(record)}: {end}" if end else _how(record)


def _how(record: ExitRecord) -> str:
    if record.timed_out:
        return "ended because it exceeded max_run"
    if record.exit_code is None:
        return "the process that supervised it is gone"
    if record.exit_code >= 0:
        return f"exit code {record.exit_code}"
    try:
        return f"ended by {signal.Signals(-record.exit_code).name}"
    except ValueError:
        return f"ended by signal {-record.exit_code}"


def _last_lines(output: Path) -> list[str]:
    """Return the last lines of a file that are not empty, without reading all of it."""
    try:
        with output.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _END_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()][-LINES:]
