"""The error of a training that failed on this machine: how its command ended, and its last lines of output."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.local.exit_record import ExitRecord
from functions.local.failure import failure
from functions.local.run_folder import RunFolder
from shared.ports import RunResult

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def failed(code: int | None, *, timed_out: bool = False) -> ExitRecord:
    """Return the record of a command that failed."""
    return ExitRecord(result=RunResult.FAILED, exit_code=code, ended_at=NOW, timed_out=timed_out)


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (failed(3), "exit code 3: Traceback | ValueError: no rows"),
        (failed(-9), "ended by SIGKILL: Traceback | ValueError: no rows"),
        (failed(-15, timed_out=True), "ended because it exceeded max_run: Traceback | ValueError: no rows"),
        (failed(None), "the process that supervised it is gone: Traceback | ValueError: no rows"),
        (ExitRecord(result=RunResult.SUCCEEDED, exit_code=0, ended_at=NOW), ""),
        (ExitRecord(result=RunResult.STOPPED, exit_code=-15, ended_at=NOW), ""),
    ],
)
def test_a_failure_is_how_the_command_ended_and_its_last_lines(tmp_path: Path, record: ExitRecord, text: str) -> None:
    """Empty lines do not count; a training that succeeded or was stopped has no error."""
    (tmp_path / "output.log").write_text("\nTraceback\n\n  ValueError: no rows\n\n", encoding="utf-8")
    assert failure(RunFolder(tmp_path), record) == text


def test_of_much_output_the_end_is_shown(tmp_path: Path) -> None:
    """Only the last five lines, and of these at most what the history keeps; invalid bytes do no harm."""
    lines = [f"step {number}" for number in range(10_000)]
    (tmp_path / "output.log").write_bytes("\n".join(lines).encode() + b"\n\xff\xfe" + b"x" * 600 + b"\nOut of memory\n")
    shown = failure(RunFolder(tmp_path), failed(1))
    assert len(shown) < 500
    assert shown.startswith("exit code 1: ...xxx")
    assert shown.endswith("x | Out of memory")


def test_no_output_is_no_problem(tmp_path: Path) -> None:
    """A command that wrote nothing is described by its exit code."""
    assert failure(RunFolder(tmp_path), failed(2)) == "exit code 2"
