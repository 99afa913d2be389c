"""The end of a training: written into its folder, told to the bus."""

import logging
import secrets
import time
from pathlib import Path
from typing import Final

from functions.local.process_group import end_group
from functions.local.run_end import RunEnd
from functions.local.run_folder import RunFolder
from shared.errors import UnavailableError
from shared.ports import Clock, RunResult

# How long a command may take from its birth to writing down its process group: a fork, nothing else.
BIRTH_SECONDS: Final = 1.0

log = logging.getLogger("retrain")


def close(folder: RunFolder, end: RunEnd, clock: Clock) -> None:
    """Record *end* and tell it; only for whoever has the folder's supervision.

    Raises:
        OSError: it could not be recorded.

    """
    request = folder.request()
    folder.record(end)
    if request.bus is None:
        return
    # Only now: nothing may keep a supervisor from starting its command, and these take a third of its start.
    from functions.local.bus import SqliteBus
    from functions.local.events import ended_event

    bus = SqliteBus(Path(request.bus), clock, lambda: secrets.token_hex(16))
    try:
        bus.put(ended_event(request, end))
    except UnavailableError as error:
        # Nothing is lost but time: whoever asks after the run reads its folder.
        log.warning("run.end_not_told", extra={"run_id": request.run_id, "error": str(error)})
    finally:
        bus.close()


def close_orphan(folder: RunFolder, clock: Clock) -> None:
    """Close a training whose supervisor died: its command is ended if it still runs, and it has failed.

    Only for whoever has the folder's supervision; nothing happens to a training that was closed before.

    Raises:
        OSError: it could not be recorded.

    """
    if folder.end() is not None:
        return
    limit = time.monotonic() + BIRTH_SECONDS
    while folder.has_live_command():
        group = folder.command_group()
        if group is not None:
            end_group(group, lambda: None)
            break
        if time.monotonic() > limit:
            log.warning("run.orphan_without_group", extra={"run_id": folder.path.name})
            break
        time.sleep(0.01)
    close(folder, RunEnd(result=RunResult.FAILED, exit_code=None, ended_at=clock()), clock)
