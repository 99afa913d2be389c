"""A session at a terminal: commands on a pseudo-terminal, with placeholders for values that differ each time."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.cli.package import ROOT

# Values that differ between two sessions, and their placeholders.
_TIME: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?"
_PLACEHOLDERS: Final = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"retrain-[0-9a-f]{40}"), "RUN"),
    (re.compile(r"[0-9a-f]{64}"), "TOKEN"),
    (re.compile(r"succeeded after \d+s"), "succeeded after SECONDS"),
    (re.compile(r"\bseconds=[\d.e-]+"), "seconds=SECONDS"),
    (re.compile(_TIME), "TIME"),
    (re.compile(r"\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
)


def _padded(found: re.Match[str]) -> str:
    # As wide as the value, so that the columns of a table stay below each other.
    return "TIME".ljust(len(found[0]))


class Terminal:
    """One terminal in *folder*, 160 characters wide."""

    def __init__(self, folder: Path) -> None:
        """Begin with an empty screen."""
        self._folder = self._inside = folder
        self._text = ""

    def text(self) -> str:
        """Return all that was typed and printed, with placeholders."""
        shown = self._text.replace("\r\n", "\n").replace(str(self._folder), "FOLDER")
        # Every five minutes; the session may be anywhere in between.
        shown = re.sub(r"^\d\d:\d\d:\d\d schedules evaluated .*\n", "", shown, flags=re.MULTILINE)
        for pattern, placeholder in _PLACEHOLDERS:
            shown = pattern.sub(_padded if placeholder == "TIME" else placeholder, shown)
        return "\n".join(line.rstrip() for line in shown.splitlines()).rstrip("\n")

    def wait(self, text: str) -> None:
        """Wait until *text* is on the screen."""
        limit = time.monotonic() + 60
        while text not in self._text:
            assert time.monotonic() < limit, self._text
            time.sleep(0.05)

    def enter(self, name: str) -> None:
        """Change to the folder *name*."""
        self._text += f"$ cd {name}\n"
        self._inside = self._inside / name

    def run(self, *arguments: str) -> None:
        """Type `retrain` with *arguments* and wait for its end."""
        with self._started(arguments) as process:
            process.wait(60)

    @contextmanager
    def serving(self, *arguments: str, until: str) -> Iterator[None]:
        """Type it, wait for *until* to appear, and press Ctrl-C at the end."""
        with self._started(arguments) as process:
            self.wait(until)
            yield
            process.send_signal(signal.SIGINT)
            process.wait(60)

    @contextmanager
    def _started(self, arguments: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        ours, theirs = pty.openpty()
        names = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        variables = {name: os.environ[name] for name in names if name in os.environ}
        variables |= {
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "160",
            "TERM": "xterm",
            "PYTHONUNBUFFERED": "1",
            "LOGNAME": "ada",
        }
        command = [sys.executable, "-m", "functions.cli", *arguments]
        self._text += f"$ retrain {' '.join(arguments)}\n"
        process = subprocess.Popen(command, cwd=self._inside, env=variables, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        reader = threading.Thread(target=self._read, args=(ours,))
        reader.start()
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(ours)

    def _read(self, screen: int) -> None:
        while True:
            try:
                piece = os.read(screen, 4096)
            except OSError:
                return  # The last process has closed it.
            if not piece:
                return
            self._text += piece.decode("utf-8", "replace")
