"""`retrain check` lists every mistake, one a line, with its place."""

import json
from pathlib import Path

import pytest

from tests.cli.running import run

VALID = '[models.a.target.local]\nkind = "command"\ncommand = ["true"]\n'


def check(path: Path, text: str, *options: str) -> tuple[int, list[str]]:
    """Return the exit code and the lines of `check` for a configuration with this text."""
    path.write_text(text)
    answer = run("check", "--config", str(path), *options, variables={})
    return answer.code, [*answer.out.splitlines(), *answer.err.splitlines()]


def test_a_valid_configuration(tmp_path: Path) -> None:
    """A valid file is confirmed with its models, and the exit code is 0."""
    assert check(tmp_path / "retrain.toml", VALID) == (0, ["retrain.toml is valid: 1 model (a)"])


def test_every_mistake_is_a_line(tmp_path: Path) -> None:
    """Each mistake has a line with its place, also where the name of a model has a colon."""
    code, lines = check(tmp_path / "retrain.toml", '[models."a: b"]\ncooldown = 1\n[models.c]\n')
    assert code == 1
    places = ['models."a: b".cooldown', 'models."a: b".target', 'models."c".target']
    assert [line for place in places for line in lines if line.startswith(f"{place}: ")] == sorted(lines)


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = = 2\n", "line 2: "), ('a = "x', "line 1: "), ("[models\n", "line 1: ")]
)
def test_a_file_that_is_not_toml(tmp_path: Path, text: str, line: str) -> None:
    """For a file that is not valid TOML the place is the line."""
    code, (problem,) = check(tmp_path / "retrain.toml", text)
    assert (code, problem[: len(line)]) == (1, line)


def test_json(tmp_path: Path) -> None:
    """The JSON output has place and problem of each mistake."""
    (tmp_path / "retrain.toml").write_text('[models."a: b"]\n')
    answer = run("check", "--json", "--config", str(tmp_path / "retrain.toml"), variables={})
    (problem,) = json.loads(answer.out)["problems"]
    assert (answer.code, answer.err, problem["place"]) == (1, "", 'models."a: b".target')


def test_a_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration in the current folder the message names `retrain init`."""
    monkeypatch.chdir(tmp_path)
    answer = run("check", variables={})
    assert answer.code == 1
    assert answer.err == f"{tmp_path / 'retrain.toml'}: there is no such file; `retrain init` creates one\n"


def test_a_bundle_that_cannot_be_built(tmp_path: Path) -> None:
    """With `--cloud` the check also needs a target there, and the specifications of its pipelines."""
    code, lines = check(tmp_path / "retrain.toml", VALID, "--cloud", "gcp")
    assert (code, lines) == (1, ["models: no model has a target.gcp; add one to the models that train there"])
    target = '[models.a.target.gcp]\nkind = "vertex"\npipeline = "a.json"\nproject = "acme"\nlocation = "x"\nroot = "gs://a"\n'
    code, (line,) = check(tmp_path / "retrain.toml", VALID + target, "--cloud", "gcp")
    assert code == 1
    assert line.startswith('models."a".target.gcp.pipeline: ')
    assert check(tmp_path / "retrain.toml", VALID + target)[0] == 0
