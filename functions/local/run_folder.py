"""A run folder: everything that is known about one training, so that any process can continue after a crash.

request.json     the command to run; the folder appears together with it, atomically
supervisor.lock  locked while a supervisor, or a launcher that is about to start one, is alive
started          the command was started, or was about to be: it is never started again
command.lock     locked while the command is alive, whether its supervisor is alive or not
command.pid      the command's process group
output.log       the command's output
cancelled        the training is to be stopped; its supervisor looks for this file
result.json      how the command exited; final
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
from functions.local.exit_record import ExitRecord
from functions.local.run_request import RunRequest
from shared.fields import format_time, parse_time


class RunFolder:
    """The folder of one training; every method raises `OSError` if the disk fails."""

    def __init__(self, path: Path) -> None:
        """Refer to the folder at *path*, whether it exists or not."""
        self.path = path
        self.output = path / "output.log"
        self.pid_file = path / "command.pid"

    def exists(self) -> bool:
        """Whether this training was requested."""
        return self.path.is_dir()

    def create(self, request: RunRequest) -> None:
        """Create the folder with its request; an existing folder stays as it is."""
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
        """Return the command to run."""
        return RunRequest.parse(self._read("request.json"))

    def mark_started(self, now: datetime) -> None:
        """Record that the command is about to be started."""
        write_durably(self.path / "started", json.dumps({"at": format_time(now)}))

    def started_at(self) -> datetime | None:
        """Return when the command was about to be started; none if it never ran."""
        try:
            return parse_time(self._read("started")["at"])
        except FileNotFoundError:
            return None

    def mark_cancelled(self, now: datetime) -> None:
        """Record that the training is to be stopped."""
        write_durably(self.path / "cancelled", json.dumps({"at": format_time(now)}))

    def is_cancelled(self) -> bool:
        """Whether the training is to be stopped."""
        return (self.path / "cancelled").exists()

    def write_result(self, record: ExitRecord) -> None:
        """Record how the command exited."""
        write_durably(self.path / "result.json", json.dumps(record.to_json(), indent=2))

    def result(self) -> ExitRecord | None:
        """Return how the command exited; none if it has not."""
        try:
            return ExitRecord.parse(self._read("result.json"))
        except FileNotFoundError:
            return None

    def has_begun(self) -> bool:
        """Whether the command was started or its end is recorded, so that it must not be started."""
        return self.started_at() is not None or self.result() is not None

    def take_supervision(self) -> int | None:
        """Lock the training for one supervisor.

        Returns:
            The descriptor that holds the lock until all its copies are closed; none if another process holds it.

        """
        return _lock(self.path / "supervisor.lock", fcntl.LOCK_EX)

    def lock_for_command(self) -> int:
        """Lock `command.lock` and return the descriptor, which the command inherits."""
        descriptor = _lock(self.path / "command.lock", fcntl.LOCK_EX)
        if descriptor is None:
            raise BlockingIOError(f"{self.path}: a command is already running")
        return descriptor

    def is_supervised(self) -> bool:
        """Whether a supervisor is alive."""
        return _is_locked(self.path / "supervisor.lock")

    def has_live_command(self) -> bool:
        """Whether the command is alive."""
        return _is_locked(self.path / "command.lock")

    def command_group(self) -> int | None:
        """Return the command's process group; none if it is not written yet."""
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
    # A shared lock, so that two processes that only check do not take each other for the owner.
    descriptor = _lock(path, fcntl.LOCK_SH)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None
