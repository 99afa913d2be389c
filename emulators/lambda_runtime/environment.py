"""One execution environment of a function: a runtime process that is started, watched, killed and replaced."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulators.lambda_runtime.api import Invocation, LambdaError, RuntimeApi

# Lambda's own limit for the init phase of an on-demand function.
INIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlan:
    """How the process is started.

    Attributes:
        command: the command to run.
        bundle: the working directory, first on the module path.
        variables: the whole environment, except the address of the API.
        function_arn: the ARN in the handler's context.
        timeout: seconds that one invocation may take.
        log: the file that collects standard output and standard error.
    """

    command: Sequence[str]
    bundle: Path
    variables: Mapping[str, str]
    function_arn: str
    timeout: float
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    process: subprocess.Popen[bytes]
    api: RuntimeApi
    watcher: threading.Thread


class ExecutionEnvironment:
    """Handles one event at a time, in a process that serves until it crashes or is killed; then the next starts one."""

    def __init__(self, plan: ProcessPlan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self.starts = 0

    def warm(self) -> RuntimeApi:
        """Start the process if there is none, and wait until it is initialised.

        Raises:
            LambdaError: the process could not be initialised.
        """
        with self._lock:
            if self._running is None or self._running.api.failed:
                self._end()
                self._running = self._start()
            api = self._running.api
        limit = max(INIT_SECONDS, self._plan.timeout)
        try:
            api.ready.result(limit)
        except TimeoutError:
            self.kill()
            raise LambdaError("Sandbox.Timedout", f"Initialisation timed out after {limit:.2f} seconds") from None
        return api

    def invoke(self, event: object, request_id: str) -> object:
        """Return the result of the handler.

        Raises:
            LambdaError: the handler raised, could not be imported, timed out, or ended its process.
        """
        api = self.warm()
        deadline_ms = int((time.time() + self._plan.timeout) * 1000)
        outcome = api.submit(Invocation(request_id=request_id, event=event, deadline_ms=deadline_ms))
        try:
            return outcome.result(self._plan.timeout)
        except TimeoutError:
            self.kill()
            text = f"RequestId: {request_id} Error: Task timed out after {self._plan.timeout:.2f} seconds"
            raise LambdaError("Sandbox.Timedout", text) from None

    def kill(self) -> None:
        """End the process immediately, even in the middle of an invocation."""
        with self._lock:
            self._end()

    def _start(self) -> _Running:
        self.starts += 1
        api = RuntimeApi(self._plan.function_arn)
        with self._plan.log.open("ab") as log:
            process = subprocess.Popen(
                self._plan.command,
                cwd=self._plan.bundle,
                env={**self._plan.variables, "AWS_LAMBDA_RUNTIME_API": api.address},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A process group of its own, so that processes started by the handler end with it.
                start_new_session=True,
            )
        watcher = threading.Thread(target=_watch, args=(process, api), daemon=True)
        watcher.start()
        return _Running(process=process, api=api, watcher=watcher)

    def _end(self) -> None:
        if self._running is None:
            return
        # The process may have ended by itself; then the group has only the processes that it left behind, if any.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.process.pid, signal.SIGKILL)
        self._running.watcher.join()
        self._running.api.close()
        self._running = None


def _watch(process: subprocess.Popen[bytes], api: RuntimeApi) -> None:
    code = process.wait()
    how = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    api.fail(LambdaError("Runtime.ExitError", f"Runtime exited with error: {how}"))
