"""Ends a process and everything that it started."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

# How long a training may clean up between SIGTERM and SIGKILL.
GRACE_SECONDS: Final = 5.0

_POLL_SECONDS: Final = 0.03
_PROCESSES: Final = Path("/proc")


def end_group(group: int, reap: Callable[[], object]) -> None:
    """Send SIGTERM to every process of *group*, and SIGKILL to those that are left after `GRACE_SECONDS`.

    Args:
        group: the process group.
        reap: called repeatedly to read the exit code of a child of this process that ended; until then it counts as
            alive.

    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _signal(group, number):
            return
        limit = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < limit:
            reap()
            if not _lives(group):
                return
            time.sleep(_POLL_SECONDS)


def _signal(group: int, number: int) -> bool:
    """Send a signal; False if no process is left to receive it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _lives(group: int) -> bool:
    if not _signal(group, 0):
        return False
    if not _PROCESSES.is_dir():
        return True
    # An orphan that ended accepts signals until init reads its exit code, which may never happen in a container.
    return any(_is_living_member(process, group) for process in _PROCESSES.glob("[0-9]*"))


def _is_living_member(process: Path, group: int) -> bool:
    try:
        text = (process / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The program's name, in parentheses, may contain anything; state, parent and process group follow it (proc(5)).
    state, _, member_of = text.rpartition(")")[2].split()[:3]
    return int(member_of) == group and state not in "ZX"
