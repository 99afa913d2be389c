"""The process that supervises one training to its end: `python -m functions.local.supervisor RUN_FOLDER [LOCK]`.

It outlives the server, holds the lock of the run folder and never starts a command twice.
"""

import logging
import os
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from functions.local.command import Command
from functions.local.exit_record import ExitRecord
from functions.local.record_end import record_end, record_orphan_end
from functions.local.run_folder import RunFolder
from shared.ports import Clock, RunResult

# How late a supervisor notices that its training was cancelled, in seconds.
LOOK_EVERY: Final = 0.5

log = logging.getLogger("retrain")


class Signals:
    """Wakes the supervisor when its command ends and when it gets a signal to stop.

    Attributes:
        stopped: whether it got a signal to stop.

    """

    def __init__(self) -> None:
        """Install the signal handlers of this process."""
        self.stopped = False
        self._read_end, write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most so many *seconds*."""
        if select.select([self._read_end], [], [], seconds)[0]:
            os.read(self._read_end, 1024)

    def _stop(self, *_: object) -> None:
        self.stopped = True


def supervise(folder: RunFolder, environment: Mapping[str, str], clock: Clock) -> None:
    """Run the command of *folder* to its end; only the holder of the supervision lock may call this.

    Raises:
        OSError: the folder cannot be written to.

    """
    if folder.has_begun() or folder.is_cancelled():
        record_orphan_end(folder, clock)
        return
    signals = Signals()
    request = folder.request()
    folder.mark_started(clock())
    try:
        command = Command(request, folder, environment)
    except OSError as error:
        log.warning("the command cannot be started: %s", error)
        why = f"the command cannot be started: {error}"
        record_end(folder, ExitRecord(result=RunResult.FAILED, exit_code=None, ended_at=clock(), error=why), clock)
        return
    record_end(folder, _follow(command, signals, folder, clock), clock)


def _follow(command: Command, signals: Signals, folder: RunFolder, clock: Clock) -> ExitRecord:
    limit = time.monotonic() + folder.request().max_run
    code = command.exit_code()
    stopped = signals.stopped or folder.is_cancelled()
    while code is None and not stopped and (left := limit - time.monotonic()) > 0:
        signals.wait(min(left, LOOK_EVERY))
        code, stopped = command.exit_code(), signals.stopped or folder.is_cancelled()
    if code is not None:
        # Processes that the command left running must not train beside the next run.
        command.end()
        result = RunResult.SUCCEEDED if code == 0 else RunResult.FAILED
        return ExitRecord(result=result, exit_code=code, ended_at=clock())
    result = RunResult.STOPPED if stopped else RunResult.FAILED
    return ExitRecord(result=result, exit_code=command.end(), ended_at=clock(), timed_out=not stopped)


def main(arguments: Sequence[str]) -> int:
    """Supervise the run folder in *arguments*; a second argument is the descriptor of the inherited lock."""
    folder = RunFolder(Path(arguments[0]))
    lock = int(arguments[1]) if len(arguments) > 1 else folder.take_supervision()
    if lock is None:
        return 0
    supervise(folder, os.environ, lambda: datetime.now(UTC))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
