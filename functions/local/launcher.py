"""Starts trainings as processes on this machine."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from functions.local.exit_record import ExitRecord
from functions.local.process_group import GRACE_SECONDS
from functions.local.record_end import record_orphan_end
from functions.local.run_folder import RunFolder
from functions.local.run_request import prepare
from shared.config.targets import CommandTarget
from shared.errors import UnavailableError
from shared.ports import Clock, LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import RUN_PREFIX, run_name

# A supervisor starts in a tenth of a second; a machine that takes this long is overloaded.
START_TIME_LIMIT: Final = 15.0

_OURS: Final = re.compile(RUN_PREFIX + "[0-9a-f]{40}")
# `-P`: nothing of the folder that it is started in, or of its own folder, can hide a module that it imports.
_SUPERVISOR: Final = ("-P", str(Path(__file__).resolve().parent / "start_supervisor.py"))


class CommandLauncher:
    """Starts a command under a supervisor that outlives this process; see `shared.ports.Launcher`.

    The idempotency token names the run folder, whose locks and marker files ensure that the command runs once. A lost
    event of its end does no harm: `status` reads the folder.
    """

    def __init__(
        self,
        target: CommandTarget,
        *,
        folder: Path,
        runs: Path,
        bus: Path | None,
        environment: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """Run the command of *target*.

        Args:
            target: the configured command.
            folder: the configuration's folder, where the command runs.
            runs: where the run folders are; created if missing.
            bus: the file of the event bus that gets an event when a training ends; none: no event is sent.
            environment: what the command inherits; its `PATH` is used to find the program.
            clock: returns the time, UTC.

        """
        self._target = target
        self._folder = folder.resolve()
        self._runs = runs.resolve()
        self._bus = None if bus is None else bus.resolve()
        self._environment = dict(environment)
        self._clock = clock

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - the run folder knows it
        """Start the command, unless it was started before; when this returns the start is recorded in the run folder.

        Raises:
            TargetRefusedError: the program is missing, or the parameters do not fit into an environment.
            UnavailableError: the disk or the machine fails; the training may run.

        """
        folder = RunFolder(self._runs / run_name(request.token))
        path = self._environment.get("PATH")
        try:
            if not folder.exists():
                run = prepare(request, self._target, folder=self._folder, runs=self._runs, bus=self._bus, path=path)
                folder.create(run)
            self._begin(folder)
            self._supervised(folder, self._record_orphan_end)
        except OSError as error:
            raise UnavailableError("This machine", "start a training", str(error)) from error
        return Run(run_id=folder.path.name, url=folder.output.as_uri())

    def status(self, run_id: str) -> RunStatus:
        """Return the status of the run; one that lost its supervisor is recorded as failed.

        Raises:
            UnavailableError: the disk fails.

        """
        folder = RunFolder(self._runs / run_id)
        if not _OURS.fullmatch(run_id) or not folder.exists():
            return RunStatus(result=RunResult.STOPPED)
        try:
            self._begin(folder)
            record = self._exit_record(folder)
        except OSError as error:
            raise UnavailableError("This machine", "get the status of a training", str(error)) from error
        if record is None:
            return RunStatus(result=RunResult.RUNNING)
        return RunStatus(result=record.outcome, ended_at=record.ended_at, error=record.error)

    def cancel(self, run_id: str) -> None:
        """Stop a training; see the port. Its supervisor ends the processes, which have some seconds to clean up.

        Raises:
            UnavailableError: the disk fails.

        """
        folder = RunFolder(self._runs / run_id)
        if not _OURS.fullmatch(run_id) or not folder.exists():
            return
        try:
            if folder.result() is None:
                folder.mark_cancelled(self._clock())
                # Without a supervisor, this process does its work.
                self._supervised(folder, self._record_orphan_end)
        except OSError as error:
            raise UnavailableError("This machine", "cancel a training", str(error)) from error

    def _begin(self, folder: RunFolder) -> None:
        """Wait until the command was started, by this process or another one."""
        limit = time.monotonic() + START_TIME_LIMIT
        spawned = False
        while not folder.has_begun():
            if spawned and not folder.is_supervised() and not folder.has_begun():
                raise UnavailableError("This machine", "start a training", f"see {folder.output}")
            spawned = spawned or self._supervised(folder, self._spawn)
            if time.monotonic() > limit:
                raise UnavailableError("This machine", "start a training", f"not started after {START_TIME_LIMIT:g} s")
            time.sleep(0.005)

    def _exit_record(self, folder: RunFolder) -> ExitRecord | None:
        """Return how a training that was started ended; none while it runs."""
        limit = time.monotonic() + GRACE_SECONDS + 1
        while (record := folder.result()) is None:
            if self._supervised(folder, self._record_orphan_end):
                continue
            if not self._is_being_ended(folder) or time.monotonic() > limit:
                return None
            time.sleep(0.02)
        return record

    def _is_being_ended(self, folder: RunFolder) -> bool:
        """Whether the training has reached `max_run`: it is about to end then, so that a short wait is worthwhile."""
        started_at = folder.started_at()
        return started_at is not None and (self._clock() - started_at).total_seconds() >= folder.request().max_run

    def _supervised(self, folder: RunFolder, work: Callable[[RunFolder, int], object]) -> bool:
        """Do *work* while holding the supervision lock; False, and nothing is done, if another process holds it."""
        lock = folder.take_supervision()
        if lock is None:
            return False
        try:
            work(folder, lock)
        finally:
            os.close(lock)
        return True

    def _record_orphan_end(self, folder: RunFolder, _lock: int) -> None:
        """Record the end of a training whose supervisor is dead."""
        record_orphan_end(folder, self._clock)

    def _spawn(self, folder: RunFolder, lock: int) -> None:
        """Start the supervisor, which inherits the lock, so that the lock is never free in between."""
        with folder.output.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, *_SUPERVISOR, str(folder.path), str(lock)],
                cwd=folder.path,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock,),
            )
        # A child whose exit code is never read stays in the process table.
        threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()
