"""A browser without a screen: what a person would see of a page."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Messages of the console go to standard error.
    *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=10000", "--window-size=1200,1400"),
)
SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page as the browser has it.

    Attributes:
        dom: the document after all scripts.
        console: what the page said to the console.

    """

    dom: str
    console: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """Chromium, with a new profile each time.

    Attributes:
        program: the executable.
        folder: where profiles and pictures go.

    """

    program: str
    folder: Path

    def open(self, page: Path) -> Seen:
        """Open *page* and return what became of it."""
        done = self._run("--dump-dom", page.as_uri())
        said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return Seen(dom=done.stdout, console="\n".join(said))

    def picture(self, page: Path, name: str) -> Path:
        """Return a picture of *page*."""
        path = self.folder / f"{name}.png"
        self._run(f"--screenshot={path}", page.as_uri())
        return path

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        profile = self.folder / f"profile-{len(list(self.folder.iterdir()))}"
        command = [self.program, *_FLAGS, f"--user-data-dir={profile}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)


def browser(folder: Path) -> Browser:
    """Return the browser of this machine; without one the test is skipped, or failed where CI runs."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        reason = "pages are looked at with Chromium, which is not installed: apt-get install chromium"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    return Browser(program=program, folder=folder)
