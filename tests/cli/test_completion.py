"""`retrain completion` completes commands, options and models in a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.package import ROOT
from tests.cli.running import run


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "complete "), ("zsh", "compdef"), ("fish", "complete --command")]
)
def test_the_code_for_a_shell(shell: str, words: str) -> None:
    """The code registers the completion of `retrain`."""
    code = run("completion", shell).out
    assert words in code
    assert "retrain" in code


@pytest.mark.parametrize(
    ("line", "expected"),
    [("retrain che", ["check"]), ("retrain emit --sev", ["--severity"]), ("retrain show ch", ["churn"])],
)
def test_completion(tmp_path: Path, line: str, expected: list[str]) -> None:
    """The program answers a shell with the matching commands, options and models."""
    model = '[models.{}.target.local]\nkind = "command"\ncommand = ["true"]\n'
    (tmp_path / "retrain.toml").write_text(model.format("churn") + model.format("fraud"))
    answers = tmp_path / "answers"
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answers),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
    }
    subprocess.run([sys.executable, "-m", "functions.cli"], cwd=tmp_path, env=variables, check=True, timeout=60)
    assert answers.read_text().split() == expected
