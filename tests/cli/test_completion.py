"""`retrain completion` completes commands, options and models in a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from argcomplete.finders import CompletionFinder

from functions.cli.commands import COMMANDS
from functions.cli.completion import completable
from functions.cli.parser import build_parser
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


MODEL = '[models.{}.target.local]\nkind = "command"\ncommand = ["true"]\n'


@pytest.fixture
def folder(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which has two models and a pattern."""
    text = "".join(MODEL.format(name) for name in ("churn", "fraud", '"churn-*"'))
    (tmp_path / "retrain.toml").write_text(text)
    environment.chdir(tmp_path)
    return tmp_path


def completions(line: str) -> list[str]:
    """Return the completions of the last word of a command line."""
    finder = CompletionFinder(completable(build_parser(COMMANDS.values())))
    words: list[str] = []
    while (found := finder.rl_complete(line, len(words))) is not None:
        words.append(found.strip().rpartition(" ")[2])
    return words


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("che", {"check"}),
        ("emit --sev", {"--severity"}),
        ("emit --cloud a", {"aws", "azure"}),
        ("show ", {"churn", "fraud"}),
        ("pause fr", {"fraud"}),
        ("show x", set()),
    ],
)
def test_completion(line: str, expected: set[str]) -> None:
    """Commands, options, their values and the models of the folder complete a line; patterns are left out."""
    assert set(completions(line)) >= expected
    assert not [word for word in completions(line) if "*" in word]


def test_models_of_a_configuration_elsewhere(folder: Path, environment: pytest.MonkeyPatch) -> None:
    """RETRAIN_CONFIG names it; from one that is not valid nothing is completed."""
    (folder / "other.toml").write_text(MODEL.format("braking"))
    environment.setenv("RETRAIN_CONFIG", "other.toml")
    assert completions("show br") == ["braking"]
    (folder / "other.toml").write_text("[")
    assert completions("show br") == []


def test_a_shell_is_answered(folder: Path) -> None:
    """The program answers on the file that a shell names, and does nothing else."""
    answers = folder / "answers"
    line = "retrain show ch"
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
    subprocess.run([sys.executable, "-m", "functions.cli"], cwd=folder, env=variables, check=True, timeout=60)
    assert answers.read_text().split() == ["churn"]
