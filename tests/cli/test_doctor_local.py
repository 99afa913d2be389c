"""`doctor` on this machine: a complete set-up passes, and each broken precondition has its own message."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from functions.local.wiring import local_cloud
from functions.machine import now
from shared.ports import DeadLetter
from tests.cli.running import diagnose, run
from tests.contracts.triggers import a_trigger

CONFIGURATION = """
[models."churn"]
[models."churn".target.local]
kind = "command"
command = ["python", "train.py"]
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a local cloud in a temporary folder."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    return {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": os.environ["PATH"]}


def test_an_unused_machine_passes(variables: dict[str, str], tmp_path: Path) -> None:
    """Files that are created on first use are not required, and the checks create none."""
    found = diagnose("local", variables=variables)
    assert (found.code, found.failed) == (0, {})
    assert set(found.skipped) == {"GitHub token", "schedule"}
    assert [path.name for path in tmp_path.iterdir()] == ["retrain.toml"]


def test_a_machine_in_use_passes_unchanged(variables: dict[str, str]) -> None:
    """Bus and ledger are tested with writes that change nothing."""
    cloud = local_cloud(variables)
    cloud.emitter.bus.publish([a_trigger()])
    found = diagnose("local", variables=variables)
    assert (found.code, found.failed) == (0, {})
    assert cloud.bus.size() == 1
    assert cloud.emitter.ledger.models(None, 10) == []
    cloud.bus.close()


def test_old_letters_are_a_warning(variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again they may train twice, as ids are forgotten; the exit code stays 0."""
    letters = local_cloud(variables).receiver.dead_letters
    assert letters is not None
    for days in (1, 15, 40):
        at = now() - timedelta(days=days)
        letters.put(DeadLetter(at=at, cloud="local", reason="rejected", error="no", event=None))
    # The letters are those beside the configuration in the current folder, as for a user who sets no variable.
    monkeypatch.chdir(tmp_path)
    answer = run("doctor", variables={"PATH": os.environ["PATH"]})
    (line,) = [line for line in answer.out.splitlines() if line.startswith("warning")]
    assert line.count("rejected/") == 2
    assert "older than 14 days" in line
    assert (answer.code, answer.out.splitlines()[-1].endswith(", 1 with a warning")) == (0, True)


def test_parameters_of_one_variable(variables: dict[str, str], tmp_path: Path) -> None:
    """Two parameters with one variable would fail every training, so they are reported before the first."""
    (tmp_path / "retrain.toml").write_text(f"{CONFIGURATION}[models.churn.parameters]\nb-c = 1\nb_c = 2\n")
    found = diagnose("local", variables=variables)
    (problem,) = found.failed.values()
    assert problem == (
        "models.\"churn\".target.local.command: two parameters would be RETRAIN_PARAM_B_C, one of them 'b_c'; rename it"
    )


def test_a_missing_program(variables: dict[str, str], tmp_path: Path) -> None:
    """The program of a command is searched in the folder where the command runs."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION.replace('"python"', '"./train"'))
    found = diagnose("local", variables=variables)
    assert found.failed == {
        "command of churn": f"models.\"churn\".target.local.command: './train' is not a program that can be run from"
        f" {tmp_path}; install it, or correct the path"
    }
    assert found.code == 1


@pytest.mark.parametrize(
    ("variable", "name"),
    [("RETRAIN_BUS", "event bus"), ("RETRAIN_LEDGER", "ledger"), ("RETRAIN_DEAD_LETTERS", "dead letters")],
)
def test_a_path_that_cannot_be_created(variables: dict[str, str], tmp_path: Path, variable: str, name: str) -> None:
    """A file in the place of a folder is reported."""
    place = tmp_path / "retrain.toml" / "below" / "it"
    found = diagnose("local", variables=variables | {variable: str(place)})
    (detail,) = (found.failed[name],)
    assert "cannot be written to: " in detail
    assert str(tmp_path / "retrain.toml") in detail
    assert list(found.failed) == [name]


@pytest.mark.parametrize(("variable", "name"), [("RETRAIN_BUS", "event bus"), ("RETRAIN_LEDGER", "ledger")])
def test_a_file_that_is_not_a_database_of_ours(
    variables: dict[str, str], tmp_path: Path, variable: str, name: str
) -> None:
    """A database with other tables is reported."""
    path = tmp_path / "broken.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE ledger (something INTEGER)")
        database.execute("CREATE TABLE bus_events (something INTEGER)")
    database.close()
    found = diagnose("local", variables=variables | {variable: str(path)})
    assert list(found.failed) == [name]
    assert found.failed[name].startswith("SQLite (broken.db) could not")


def test_an_invalid_configuration(variables: dict[str, str], tmp_path: Path) -> None:
    """Without a valid configuration the paths are unknown, and only the configuration fails."""
    (tmp_path / "retrain.toml").write_text("[models")
    found = diagnose("local", variables=variables)
    assert list(found.failed) == ["configuration"]
    assert found.skipped["places"].startswith("not checked: they are beside the configuration, which is not valid")


def test_a_missing_configuration(variables: dict[str, str], tmp_path: Path) -> None:
    """A configuration that cannot be read is reported with its path."""
    (tmp_path / "retrain.toml").unlink()
    found = diagnose("local", variables=variables)
    assert "`retrain init` creates one" in found.failed["configuration"]
    assert str(tmp_path) in found.failed["configuration"]


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("30 9 * * MON", ""),
        ("30 9 * *", "cron expression: 1 problem: '30 9 * *' has 4 fields, not 5: minute hour day month weekday"),
    ],
)
def test_a_given_schedule(variables: dict[str, str], schedule: str, message: str) -> None:
    """The schedule is parsed as the server parses it."""
    found = diagnose("local", "--schedule", schedule, variables=variables)
    assert found.failed.get("schedule", "") == message


def test_the_first_files_pass(tmp_path: Path) -> None:
    """What `retrain init` writes passes on this machine."""
    assert run("init", str(tmp_path)).code == 0
    configuration = str(tmp_path / "retrain.toml")
    answer = run("doctor", "--cloud", "local", variables={"RETRAIN_CONFIG": configuration, "PATH": os.environ["PATH"]})
    assert answer.code == 0
    assert "ok       command of braking: python can be run" in answer.out
