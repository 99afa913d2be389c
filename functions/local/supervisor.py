"""The process that stays with one training until it ends: `python -m functions.local.supervisor RUN_FOLDER [LOCK]`.

It outlives the server, holds the run folder's lock, and never starts a command twice.
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

from functions.local.closing import close, close_orphan
from functions.local.command import Command
from functions.local.run_end import RunEnd
from functions.local.run_folder import RunFolder
from shared.ports import Clock, RunResult

# A longer wait than a day does not fit every select().
LONGEST_WAIT: Final = 86400.0

log = logging.getLogger("retrain")


class Bell:
    """Wakes the supervisor when its command ends, and when somebody asks it to stop.

    Attributes:
        asked: whether somebody asked it to stop.

    """

    def __init__(self) -> None:
        """Take over the signals of this process."""
        self.asked = False
        self._ear, mouth = os.pipe()
        os.set_blocking(self._ear, False)
        os.set_blocking(mouth, False)
        signal.set_wakeup_fd(mouth)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def wait(self, seconds: float) -> None:
        """Wait for a signal, at most so many *seconds*."""
        if select.select([self._ear], [], [], min(seconds, LONGEST_WAIT))[0]:
            os.read(self._ear, 1024)

    def _ask(self, *_: object) -> None:
        self.asked = True


def supervise(folder: RunFolder, environment: Mapping[str, str], clock: Clock) -> None:
    """Run the command of *folder* to its end; only for whoever has the folder's supervision.

    Raises:
        OSError: the folder cannot be written to.

    """
    if folder.has_begun():
        close_orphan(folder, clock)
        return
    bell = Bell()
    request = folder.request()
    folder.mark_started(clock())
    try:
        command = Command(request, folder, environment)
    except OSError as error:
        log.warning("the command cannot be started: %s", error)
        close(folder, RunEnd(result=RunResult.FAILED, exit_code=None, ended_at=clock()), clock)
        return
    close(folder, _follow(command, bell, request.max_run, clock), clock)


def _follow(command: Command, bell: Bell, max_run: float, clock: Clock) -> RunEnd:
    limit = time.monotonic() + max_run
    code = command.exit_code()
    while code is None and not bell.asked and (left := limit - time.monotonic()) > 0:
        bell.wait(left)
        code = command.exit_code()
    if code is not None:
        # What the command left behind must not go on training beside the next one.
        command.end()
        result = RunResult.SUCCEEDED if code == 0 else RunResult.FAILED
        return RunEnd(result=result, exit_code=code, ended_at=clock())
    result = RunResult.STOPPED if bell.asked else RunResult.FAILED
    return RunEnd(result=result, exit_code=command.end(), ended_at=clock(), timed_out=not bell.asked)


def main(arguments: Sequence[str]) -> int:
    """Supervise the run folder that *arguments* name; the lock is inherited where its descriptor follows."""
    folder = RunFolder(Path(arguments[0]))
    lock = int(arguments[1]) if len(arguments) > 1 else folder.take_supervision()
    if lock is None:
        return 0
    supervise(folder, os.environ, lambda: datetime.now(UTC))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
