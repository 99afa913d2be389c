"""The demo on Google Cloud tells its whole story, or says in one sentence why it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.bundles import built_bundle
from tests.contracts.google_project import emulators_needed

ROOT = Path(__file__).resolve().parents[2]


def demo(path: str) -> subprocess.CompletedProcess[str]:
    """Run the demo with nothing but *path* to find programs on."""
    command = [sys.executable, "-m", "examples.demo", "gcp"]
    environment = {"PATH": path, "HOME": os.environ["HOME"], "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.xdist_group("contracts-gcp")
def test_the_story_comes_true() -> None:
    """From the documented event to three trainings, each once: every claim of the demo is true."""
    emulators_needed()
    built_bundle("gcp")
    done = demo(os.environ["PATH"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "51 deliveries of one event: 1 training" in done.stdout
    assert "NO " not in done.stdout


def test_a_machine_without_the_emulators_is_told_what_to_install() -> None:
    """Without Java, or the whole SDK, the demo says so in one sentence, and ends with exit code 2."""
    done = demo("/nonexistent")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("The Google ")
    assert "install" in done.stdout
