"""The demo of the drift."""

import os
import subprocess
import sys

from tests.monitor.image import ROOT


def test_everything_that_the_demo_claims_comes_true() -> None:
    """From data that change to a model that fits them again, in processes of their own."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo.drift"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " NO " not in done.stdout
