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
    "its end started 1 workflow, with the run and its result",
    "people were notified once that it waits, and once that it has succeeded",
)


def demo(cloud: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demo; it looks for programs only on *path*, by default our own."""
    command = [sys.executable, "-m", "examples.demo", cloud]
    environment = {"PATH": path or os.environ["PATH"], "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


def assert_every_claim_is_true(done: subprocess.CompletedProcess[str]) -> None:
    """Assert that every claim was printed, and is true."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert [claim for claim in CLAIMS if f"  yes  {claim}\n" not in done.stdout] == []
    assert "  NO   " not in done.stdout
