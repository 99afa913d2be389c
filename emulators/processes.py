"""Servers that run as processes of their own: a free port, waiting for the first answer, ending the whole group."""

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PATIENCE: Final = 60.0


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it has started, and wait for it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int, path: str = "/") -> bool:
    """Whether an HTTP server answers on a port of this machine, whatever it says."""
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
        RuntimeError: it ended, or does not answer for a minute; the end of its *log* is told.

    """
    deadline = time.monotonic() + _PATIENCE
    while not answers(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not answer: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)
