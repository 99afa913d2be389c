"""Runs the demo as `make demo` does."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = (
    "51 deliveries of one event: 1 training",
    "4 trainings in all",
    "a file's event delivered twice, and approved twice: 1 training",
    "its end set off 1 workflow, with the run and its result",
    "people were told of each once: it waits, it has succeeded",
)


def demo(cloud: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demo with nothing but *path*, or our own, to find programs on."""
    command = [sys.executable, "-m", "examples.demo", cloud]
    environment = {"PATH": path or os.environ["PATH"], "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def assert_it_came_true(done: subprocess.CompletedProcess[str]) -> None:
    """Assert that every claim was made, and was true."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert [claim for claim in CLAIMS if f"  yes  {claim}\n" not in done.stdout] == []
    assert "  NO   " not in done.stdout
