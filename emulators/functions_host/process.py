"""One instance of a function app: a worker process that is started, used, killed and replaced."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

WORKER: Final = Path(__file__).with_name("worker.py")


class FunctionError(Exception):
    """The app could not be indexed, or its process ended; the message has its error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """How one invocation ended.

    Attributes:
        function: its name.
        value: the answer of an HTTP function.
        error: type and message of the exception; empty if there was none.
        logs: the records that were logged meanwhile: level, category and message.

    """

    function: str
    value: Any = None
    error: str = ""
    logs: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a worker process is started.

    Attributes:
        python: the interpreter; its packages cannot be imported.
        bundle: the folder that is deployed.
        variables: the whole environment.
        log: the file that collects standard output and standard error.

    """

    python: str
    bundle: Path
    variables: Mapping[str, str]
    log: Path

    @property
    def command(self) -> list[str]:
        """The command: no site-packages, no influence of the environment, no bytecode."""
        return [self.python, "-I", "-S", "-B", str(WORKER)]


@dataclass(eq=False)
class _Running:
    """A process and the connection to it; once the process has ended, `ended` says how."""

    process: subprocess.Popen[bytes]
    connection: socket.socket
    index: Future[Mapping[str, Any]] = field(default_factory=Future)
    pending: dict[str, tuple[str, Future[Invocation]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: str = ""

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=_listen, args=(self,), daemon=True)
        self.listener.start()


class Instance:
    """Runs any number of invocations at the same time, in a process that lives until it crashes or is killed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._running: _Running | None = None
        self.starts = 0

    @property
    def in_flight(self) -> int:
        """How many invocations are running; -1 if no process runs."""
        running = self._running
        return len(running.pending) if running is not None and not running.ended else -1

    def functions(self, timeout: float) -> Mapping[str, Any]:
        """Return the functions of the app by name, once it is indexed; start it if it is not running.

        Raises:
            FunctionError: the app cannot be indexed.

        """
        with self._lock:
            if self._running is None or self._running.ended:
                self._end()
                self._running = self._start()
            index = self._running.index
        return index.result(timeout)

    def invoke(self, function: str, payload: object, timeout: float) -> Invocation:
        """Invoke a function and return how it ended; if its process ends meanwhile, that is an error as well.

        Raises:
            FunctionError: the app cannot be indexed.

        """
        self.functions(timeout)
        running = self._running
        assert running is not None
        outcome: Future[Invocation] = Future()
        number = str(next(self._numbers))
        message = json.dumps({"id": number, "function": function, "payload": payload}).encode() + b"\n"
        with running.lock:
            if running.ended:
                return Invocation(function=function, error=running.ended)
            running.pending[number] = function, outcome
            with contextlib.suppress(BrokenPipeError):
                running.connection.sendall(message)
        try:
            return outcome.result(timeout)
        except TimeoutError:
            # The host ends a process whose function exceeds `functionTimeout`.
            self.kill()
            return Invocation(function=function, error=f"FunctionTimeoutException: {timeout:g} s were exceeded")

    def kill(self) -> None:
        """End the process immediately, even in the middle of an invocation."""
        with self._lock:
            self._end()

    def _start(self) -> _Running:
        self.starts += 1
        ours, theirs = socket.socketpair()
        with theirs, self._plan.log.open("ab") as log:
            process = subprocess.Popen(
                [*self._plan.command, str(theirs.fileno()), str(self._plan.bundle)],
                cwd=self._plan.bundle,
                env=dict(self._plan.variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return _Running(process=process, connection=ours)

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.listener.join()


def _listen(running: _Running) -> None:
    with running.connection, running.connection.makefile("rb") as lines:
        with contextlib.suppress(ConnectionResetError):
            for line in lines:
                _receive(running, json.loads(line))
        code = running.process.wait()
        _fail(running, f"WorkerProcessExitException: the process ended with {code}")


def _receive(running: _Running, message: Mapping[str, Any]) -> None:
    if "id" not in message:
        if "functions" in message:
            running.index.set_result(message["functions"])
        else:
            running.index.set_exception(FunctionError(message["error"]))
        return
    with running.lock:
        function, outcome = running.pending.pop(message["id"])
    outcome.set_result(
        Invocation(function=function, value=message.get("value"), error=message.get("error", ""), logs=message["logs"])
    )


def _fail(running: _Running, error: str) -> None:
    with running.lock:
        running.ended = error
        pending, running.pending = list(running.pending.values()), {}
        if not running.index.done():
            running.index.set_exception(FunctionError(error))
    for function, outcome in pending:
        outcome.set_result(Invocation(function=function, error=error))
