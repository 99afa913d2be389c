"""Trainings as processes of this machine."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from functions.local.closing import close_orphan
from functions.local.process_group import GRACE_SECONDS
from functions.local.run_end import RunEnd
from functions.local.run_folder import RunFolder
from functions.local.run_request import prepare
from shared.config.targets import CommandTarget
from shared.errors import UnavailableError
from shared.ports import Clock, LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import RUN_PREFIX, run_name

# A supervisor needs a tenth of a second; a machine that needs this long for it is out of breath.
BIRTH_SECONDS: Final = 15.0

_OURS: Final = re.compile(RUN_PREFIX + "[0-9a-f]{40}")
# `-P`: nothing of the folder that it is started in, or of its own folder, can hide a module that it imports.
_SUPERVISOR: Final = ("-P", str(Path(__file__).resolve().parent / "start_supervisor.py"))


class CommandLauncher:
    """Starts a command under a supervisor that outlives this process; see `shared.ports.Launcher`.

    The idempotency token names the run folder, whose locks and marks see to it that the command runs once. A lost
    event of the end is no harm: `status` reads the folder.
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
            target: the command.
            folder: the configuration's folder, where the command runs.
            runs: where the run folders are, made when missing.
            bus: the file of the event bus that is told when a training ends.
            environment: what the command inherits; its `PATH` is where the program is looked for.
            clock: tells the time.

        """
        self._target = target
        self._folder = folder.resolve()
        self._runs = runs.resolve()
        self._bus = None if bus is None else bus.resolve()
        self._environment = dict(environment)
        self._clock = clock

    @property
    def idempotent(self) -> bool:
        """Whether a second `start` with the same token is answered with the first one's run: it is."""
        return True

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - the run folder knows it
        """Start the command, unless it was started before; when this returns the run folder says "started".

        Raises:
            TargetRefusedError: the program is missing, or the parameters do not fit into an environment.
            UnavailableError: the disk or the machine does not play along; it may run.

        """
        folder = RunFolder(self._runs / run_name(request.token))
        path = self._environment.get("PATH")
        try:
            if not folder.exists():
                run = prepare(request, self._target, folder=self._folder, runs=self._runs, bus=self._bus, path=path)
                folder.create(run)
            self._begin(folder)
            self._supervised(folder, self._close)
        except OSError as error:
            raise UnavailableError("This machine", "start a training", str(error)) from error
        return Run(run_id=folder.path.name, url=folder.output.as_uri())

    def status(self, run_id: str) -> RunStatus:
        """Read how the run stands; one that lost its supervisor is closed as failed.

        Raises:
            UnavailableError: the disk does not play along.

        """
        folder = RunFolder(self._runs / run_id)
        if not _OURS.fullmatch(run_id) or not folder.exists():
            return RunStatus(result=RunResult.STOPPED)
        try:
            self._begin(folder)
            end = self._end_of(folder)
        except OSError as error:
            raise UnavailableError("This machine", "tell how a training stands", str(error)) from error
        if end is None:
            return RunStatus(result=RunResult.RUNNING)
        return RunStatus(result=end.result, ended_at=end.ended_at)

    def _begin(self, folder: RunFolder) -> None:
        """See to it that the command was started, by whomever."""
        limit = time.monotonic() + BIRTH_SECONDS
        spawned = False
        while not folder.has_begun():
            if spawned and not folder.is_supervised() and not folder.has_begun():
                raise UnavailableError("This machine", "start a training", f"see {folder.output}")
            spawned = spawned or self._supervised(folder, self._spawn)
            if time.monotonic() > limit:
                raise UnavailableError("This machine", "start a training", "it takes too long")
            time.sleep(0.005)

    def _end_of(self, folder: RunFolder) -> RunEnd | None:
        """Return how a training that was started ended; none: it runs."""
        limit = time.monotonic() + GRACE_SECONDS + 1
        while (end := folder.end()) is None:
            if self._supervised(folder, self._close):
                continue
            if not self._is_being_ended(folder) or time.monotonic() > limit:
                return None
            time.sleep(0.02)
        return end

    def _is_being_ended(self, folder: RunFolder) -> bool:
        """Whether the training ran for as long as it may: then "it runs" is about to be wrong, and worth a wait."""
        started_at = folder.started_at()
        return started_at is not None and (self._clock() - started_at).total_seconds() >= folder.request().max_run

    def _supervised(self, folder: RunFolder, work: Callable[[RunFolder, int], object]) -> bool:
        """Do *work* with the folder's supervision lock, unless somebody else has it; tells whether it was done."""
        lock = folder.take_supervision()
        if lock is None:
            return False
        try:
            work(folder, lock)
        finally:
            os.close(lock)
        return True

    def _close(self, folder: RunFolder, _lock: int) -> None:
        """Close a training that nobody supervises: its supervisor is dead."""
        close_orphan(folder, self._clock)

    def _spawn(self, folder: RunFolder, lock: int) -> None:
        """Start the supervisor, which inherits the lock: there is no moment at which nobody has it."""
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
        # Somebody has to take in the exit code of a child, else it stays in the table of processes.
        threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()
