"""How the executions of the stand-in come to an end by themselves: after a time, or with a command."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping

from emulators.sagemaker.executions import Execution, Pipeline


class Endings:
    """Waits for the end of each execution that has one of its own.

    Args:
        finish: called with ARN, status and failure reason when an execution is over.
    """

    def __init__(self, finish: Callable[[str, str, str | None], None]) -> None:
        self._finish = finish
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False

    def begin(self, execution: Execution, pipeline: Pipeline) -> None:
        """Begin to wait for an execution's end, if its pipeline brings one about."""
        if pipeline.command or pipeline.duration is not None:
            stop = self._stop_signal(execution.arn)
            self._in_background(lambda: self._wait(execution, pipeline, stop))

    def stop(self, arn: str) -> None:
        """End an execution that was asked to stop."""
        with self._lock:
            waiting = arn in self._stops
        if waiting:
            self._stop_signal(arn).set()
        else:
            self._in_background(lambda: self._finish(arn, "Stopped", None))

    def close(self) -> None:
        """End the commands that still run, and report nothing any more."""
        with self._lock:
            self._closed = True
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.set()
        for thread in threads:
            thread.join()

    def _stop_signal(self, arn: str) -> threading.Event:
        with self._lock:
            return self._stops.setdefault(arn, threading.Event())

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _wait(self, execution: Execution, pipeline: Pipeline, stop: threading.Event) -> None:
        reason = None
        if pipeline.command:
            reason = _run(pipeline.command, execution.parameters, stop)
        else:
            stop.wait(pipeline.duration)
        if not self._closed:
            self._finish(execution.arn, "Failed" if reason else "Succeeded", reason)


def _run(command: tuple[str, ...], parameters: Mapping[str, str], stop: threading.Event) -> str | None:
    """Run a command to its end, or until *stop* is set; return why it failed, or None."""
    given = {f"RETRAIN_PARAM_{name.upper().replace('-', '_')}": value for name, value in parameters.items()}
    try:
        with subprocess.Popen(command, env={**os.environ, **given}) as process:
            while process.poll() is None:
                if stop.wait(0.05):
                    _terminate(process)
    except OSError as error:
        return f"The command did not start: {error}"
    return f"The command ended with exit code {process.returncode}." if process.returncode else None


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
