"""Recording the end of a training: in its run folder and as an event on the bus."""

import dataclasses
import logging
import secrets
import time
from pathlib import Path
from typing import Final

from functions.local.exit_record import ExitRecord
from functions.local.failure import failure
from functions.local.process_group import end_group
from functions.local.run_folder import RunFolder
from shared.errors import UnavailableError
from shared.ports import Clock, RunResult

# How long a command may take from its start to writing its process group: a fork, nothing else.
START_TIME_LIMIT: Final = 1.0

log = logging.getLogger("retrain")


def record_end(folder: RunFolder, record: ExitRecord, clock: Clock) -> None:
    """Write *record* into the folder and publish the end; only the holder of the supervision lock may call this.

    Raises:
        OSError: the record could not be written.

    """
    request = folder.request()
    record = dataclasses.replace(record, error=record.error or failure(folder, record))
    folder.write_result(record)
    if request.bus is None:
        return
    # Imported late: a supervisor must start its command quickly, and these imports are a third of its start-up time.
    from functions.local.bus import SqliteBus
    from functions.local.events import ended_event

    bus = SqliteBus(Path(request.bus), clock, lambda: secrets.token_hex(16))
    try:
        bus.put(ended_event(request, record))
    except UnavailableError as error:
        # Only time is lost: a status query reads the run folder.
        log.warning("run.end_not_published", extra={"run_id": request.run_id, "error": str(error)})
    finally:
        bus.close()


def record_orphan_end(folder: RunFolder, clock: Clock) -> None:
    """Record the end of a training whose supervisor died, after ending its command if that still runs.

    It counts as stopped if it was cancelled, else as failed.

    Only the holder of the supervision lock may call this. A training whose end is already recorded is left unchanged.

    Raises:
        OSError: the record could not be written.

    """
    if folder.result() is not None:
        return
    limit = time.monotonic() + START_TIME_LIMIT
    while folder.has_live_command():
        group = folder.command_group()
        if group is not None:
            end_group(group, lambda: None)
            break
        if time.monotonic() > limit:
            log.warning("run.orphan_without_group", extra={"run_id": folder.path.name})
            break
        time.sleep(0.01)
    result = RunResult.STOPPED if folder.is_cancelled() else RunResult.FAILED
    record_end(folder, ExitRecord(result=result, exit_code=None, ended_at=clock()), clock)
