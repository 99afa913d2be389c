"""Runs what a stand-in for a training service has started, and reports how it ended."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A run that ends by itself, with its command or after a time; with neither, it never does.

    Attributes:
        name: identifies the run.
        parameters: passed to the command in `RETRAIN_PARAM_<NAME>`.
        command: run as a subprocess; its exit code decides between success and failure.
        duration: seconds after which the run succeeds, if there is no command.

    """

    name: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    duration: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended.

    Attributes:
        error: why it failed; empty if it did not.
        stopped: whether `Endings.stop` was called before.

    """

    error: str = ""
    stopped: bool = False


class Endings:
    """Waits for the end of each run, in a thread per run.

    Args:
        finish: called with the name of a run and its ending.
        grace: seconds between SIGTERM and SIGKILL for a command that is stopped.

    """

    def __init__(self, finish: Callable[[str, Ending], object], *, grace: float = 5) -> None:
        self._finish = finish
        self._grace = grace
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._running: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def begin(self, work: Work) -> None:
        """Start waiting for the end of a run, if it ends by itself."""
        if work.command or work.duration is not None:
            with self._lock:
                self._running.add(work.name)
            self._in_background(lambda: self._wait(work, self._stop_signal(work.name)))

    def ends_by_itself(self, name: str) -> bool:
        """Whether a run has a command or a duration."""
        with self._lock:
            return name in self._running

    def stop(self, name: str) -> None:
        """End a run, in the background."""
        self._stop_signal(name).set()
        if not self.ends_by_itself(name):
            self._in_background(lambda: self._report(name, Ending(stopped=True)))

    def close(self) -> None:
        """End the commands that still run; nothing is reported after this."""
        with self._lock:
            self._closed = True
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.set()
        for thread in threads:
            thread.join()

    def _stop_signal(self, name: str) -> threading.Event:
        with self._lock:
            return self._stops.setdefault(name, threading.Event())

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        with self._lock:
            if self._closed:
                return
            self._threads.append(thread)
            thread.start()

    def _wait(self, work: Work, stop: threading.Event) -> None:
        error = ""
        if work.command:
            error = self._run(work, stop)
        else:
            stop.wait(work.duration)
        self._report(work.name, Ending(error=error, stopped=stop.is_set()))

    def _report(self, name: str, ending: Ending) -> None:
        if not self._closed:
            self._finish(name, ending)

    def _run(self, work: Work, stop: threading.Event) -> str:
        """Run a command to its end, or until *stop* is set; return why it failed, empty if it did not."""
        given = {f"RETRAIN_PARAM_{name.upper().replace('-', '_')}": value for name, value in work.parameters.items()}
        try:
            with subprocess.Popen(work.command, env={**os.environ, **given}) as process:
                while process.poll() is None:
                    if stop.wait(0.05):
                        self._terminate(process)
        except OSError as error:
            return f"The command did not start: {error}"
        return f"The command ended with exit code {process.returncode}." if process.returncode else ""

    def _terminate(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        try:
            process.wait(timeout=self._grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
