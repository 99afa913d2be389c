"""How the jobs of the stand-in come to an end by themselves: with a command."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulators.vertex.jobs import CANCELLED, FAILED, SUCCEEDED, Job

Finish = Callable[[str, str, str], None]


class Endings:
    """Runs the command of each job that has one."""

    def __init__(self, finish: Finish) -> None:
        """Call *finish* with the name, the state and the error of each job that is over."""
        self._finish = finish
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def begin(self, job: Job, command: Sequence[str]) -> None:
        """Run *command* for a job: its exit code decides between success and failure."""
        with self._lock:
            if self._closed:
                return
            stop = self._stops[job.name] = threading.Event()
            thread = threading.Thread(target=self._wait, args=(job, command, stop), daemon=True)
            self._threads.append(thread)
            thread.start()

    def cancel(self, name: str) -> bool:
        """End the command of a job, and return whether it has one."""
        with self._lock:
            stop = self._stops.get(name)
        if stop is not None:
            stop.set()
        return stop is not None

    def close(self) -> None:
        """End the commands that still run, and report nothing any more."""
        with self._lock:
            self._closed = True
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.set()
        for thread in threads:
            thread.join()

    def _wait(self, job: Job, command: Sequence[str], stop: threading.Event) -> None:
        error = _run(command, job.parameters, stop)
        if self._closed:
            return
        if stop.is_set():
            self._finish(job.name, CANCELLED, "")
        else:
            self._finish(job.name, FAILED if error else SUCCEEDED, error)


def _run(command: Sequence[str], parameters: Mapping[str, Any], stop: threading.Event) -> str:
    """Run a command to its end, or until *stop* is set; return why it failed, if it did."""
    given = {f"RETRAIN_PARAM_{name.upper()}": _text(value) for name, value in parameters.items()}
    try:
        with subprocess.Popen(command, env={**os.environ, **given}) as process:
            while process.poll() is None:
                if stop.wait(0.05):
                    process.kill()
    except OSError as error:
        return f"The command did not start: {error}"
    return f"The command ended with exit code {process.returncode}." if process.returncode else ""


def _text(value: object) -> str:
    # Every number in a Struct is a double, and KFP hands an integer on as an integer.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
