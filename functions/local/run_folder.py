"""A run folder: everything that is known of one training, readable by whoever comes after a crash.

request.json     what to run; the folder appears with it in one step
supervisor.lock  locked as long as a supervisor, or a launcher that is about to start one, lives
started          the command was started, or was about to be: it is never started again
command.lock     locked as long as the command lives, be its supervisor alive or not
command.pid      the command's process group
output.log       what the command wrote
result.json      how it ended; nothing happens any more
"""

import fcntl
import json
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.local.durable import sync_folder, write_durably
from functions.local.run_end import RunEnd
from functions.local.run_request import RunRequest
from shared.fields import format_time, parse_time


class RunFolder:
    """One training's folder; every method raises `OSError` when the disk does not play along."""

    def __init__(self, path: Path) -> None:
        """Stand for the folder at *path*, whether it exists or not."""
        self.path = path
        self.output = path / "output.log"
        self.pid_file = path / "command.pid"

    def exists(self) -> bool:
        """Whether somebody asked for this training."""
        return self.path.is_dir()

    def create(self, request: RunRequest) -> None:
        """Make the folder with its request; if it exists, that one stays."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=self.path.parent))
        try:
            write_durably(draft / "request.json", json.dumps(request.to_json(), indent=2))
            draft.rename(self.path)
        except OSError:
            shutil.rmtree(draft, ignore_errors=True)
            if not self.exists():
                raise
        sync_folder(self.path.parent)

    def request(self) -> RunRequest:
        """Return what to run."""
        return RunRequest.parse(self._read("request.json"))

    def mark_started(self, now: datetime) -> None:
        """Write down that the command is about to be started."""
        write_durably(self.path / "started", json.dumps({"at": format_time(now)}))

    def started_at(self) -> datetime | None:
        """Return when the command was about to be started; none: it never ran."""
        try:
            return parse_time(self._read("started")["at"])
        except FileNotFoundError:
            return None

    def record(self, end: RunEnd) -> None:
        """Write down how the training ended."""
        write_durably(self.path / "result.json", json.dumps(end.to_json(), indent=2))

    def end(self) -> RunEnd | None:
        """Return how the training ended; none: not yet."""
        try:
            return RunEnd.parse(self._read("result.json"))
        except FileNotFoundError:
            return None

    def has_begun(self) -> bool:
        """Whether nobody may start the command any more."""
        return self.started_at() is not None or self.end() is not None

    def take_supervision(self) -> int | None:
        """Lock the training for one supervisor; the lock lasts until every copy of the returned descriptor is closed.

        Returns:
            None when somebody else has it.

        """
        return _lock(self.path / "supervisor.lock", fcntl.LOCK_EX)

    def lock_for_command(self) -> int:
        """Lock `command.lock` and return the descriptor, which the command inherits."""
        descriptor = _lock(self.path / "command.lock", fcntl.LOCK_EX)
        if descriptor is None:
            raise BlockingIOError(f"{self.path}: a command runs already")
        return descriptor

    def is_supervised(self) -> bool:
        """Whether a supervisor lives."""
        return _is_locked(self.path / "supervisor.lock")

    def has_live_command(self) -> bool:
        """Whether the command lives."""
        return _is_locked(self.path / "command.lock")

    def command_group(self) -> int | None:
        """Return the command's process group; none: not written yet."""
        try:
            return int(self.pid_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _read(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        return content


def _lock(path: Path, kind: int) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _is_locked(path: Path) -> bool:
    # A shared lock, so that those who only ask do not take each other for the owner.
    descriptor = _lock(path, fcntl.LOCK_SH)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None
