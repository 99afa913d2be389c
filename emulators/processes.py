"""Servers in processes of their own: a free port, waiting for the first answer, ending the process group, the log."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

# Seconds.
_START_TIME_LIMIT: Final = 60.0


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and everything that it has started, and wait for its end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int, path: str = "/") -> bool:
    """Whether an HTTP server on a port of this machine answers, with any status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int, log: Path, path: str = "/") -> None:
    """Wait for the first answer of a server that was just started.

    Raises:
        RuntimeError: it ended, or did not answer within a minute; the message has the end of its *log*.

    """
    deadline = time.monotonic() + _START_TIME_LIMIT
    while not answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


class LogFolder:
    """A temporary folder with a log file in it; its text can still be read after `close`.

    Attributes:
        path: the folder.
        log: the file that processes write to.

    """

    def __init__(self, prefix: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=prefix)
        self.path = Path(self._folder.name)
        self.log = self.path / "log"
        self.log.touch()
        self._kept = ""

    def text(self) -> str:
        """Return everything that was logged so far, in the order of writing."""
        return self.log.read_text(errors="replace") if self.log.is_file() else self._kept

    def close(self) -> None:
        """Remove the folder."""
        self._kept = self.text()
        self._folder.cleanup()
