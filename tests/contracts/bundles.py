"""The bundles that would be uploaded: `dist/<cloud>`, made when it is missing or older than its sources."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built_bundle(cloud: str) -> Path:
    """Return the folder of a cloud's bundle, built for the interpreter that runs the tests.

    Raises:
        RuntimeError: it cannot be built; the output of `make` is in the message.

    """
    # A `make` that started the tests hands its own settings down.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", f"build-{cloud}", f"PYTHON={sys.executable}"]
    with (ROOT / "Makefile").open() as lock:
        # Several workers of one test run must not build into one folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = subprocess.run(command, cwd=ROOT, env=inherited, check=False, capture_output=True, text=True)
    if built.returncode:
        raise RuntimeError(f"{' '.join(command)}: {built.stderr[-2000:]}")
    return ROOT / "dist" / cloud
