"""`doctor` on this machine: everything there is found there, and each broken precondition has its own sentence."""

import os
import sqlite3
from pathlib import Path

import pytest

from functions.local.wiring import local_cloud
from tests.cli.given import diagnose, run
from tests.contracts.triggers import a_trigger

CONFIGURATION = """
[models."churn"]
[models."churn".target.local]
kind = "command"
command = ["python", "train.py"]
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a cloud in a folder of its own."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    return {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml"), "PATH": os.environ["PATH"]}


def test_a_machine_where_nothing_ran_yet_passes(variables: dict[str, str], tmp_path: Path) -> None:
    """What is made on first use is not missed, and nothing is made by looking."""
    found = diagnose("local", variables=variables)
    assert (found.code, found.failed) == (0, {})
    assert set(found.skipped) == {"GitHub token", "schedule"}
    assert [path.name for path in tmp_path.iterdir()] == ["retrain.toml"]


def test_a_machine_in_use_passes_and_keeps_what_it_has(variables: dict[str, str]) -> None:
    """Bus and ledger are tried by writes that change nothing."""
    cloud = local_cloud(variables)
    cloud.emitter.bus.publish([a_trigger()])
    found = diagnose("local", variables=variables)
    assert (found.code, found.failed) == (0, {})
    assert cloud.bus.size() == 1
    assert cloud.emitter.ledger.models(None, 10) == []
    cloud.bus.close()


def test_a_program_that_is_not_there(variables: dict[str, str], tmp_path: Path) -> None:
    """The program of a command is looked for where the command will run."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION.replace('"python"', '"./train"'))
    found = diagnose("local", variables=variables)
    assert found.failed == {
        "command of churn": f"models.\"churn\".target.local.command: './train' is no program that can be run from"
        f" {tmp_path}: install it, or correct the path"
    }
    assert found.code == 1


@pytest.mark.parametrize(
    ("variable", "name"),
    [("RETRAIN_BUS", "event bus"), ("RETRAIN_LEDGER", "ledger"), ("RETRAIN_DEAD_LETTERS", "dead letters")],
)
def test_a_place_that_cannot_be_made(variables: dict[str, str], tmp_path: Path, variable: str, name: str) -> None:
    """Where a file stands in the way of a folder, nothing can be written."""
    place = tmp_path / "retrain.toml" / "below" / "it"
    found = diagnose("local", variables=variables | {variable: str(place)})
    (detail,) = (found.failed[name],)
    assert "cannot be written to: " in detail
    assert str(tmp_path / "retrain.toml") in detail
    assert list(found.failed) == [name]


@pytest.mark.parametrize(("variable", "name"), [("RETRAIN_BUS", "event bus"), ("RETRAIN_LEDGER", "ledger")])
def test_a_file_that_somebody_holds(variables: dict[str, str], tmp_path: Path, variable: str, name: str) -> None:
    """A file that is no database is told."""
    path = tmp_path / "broken.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE ledger (something INTEGER)")
        database.execute("CREATE TABLE bus_events (something INTEGER)")
    database.close()
    found = diagnose("local", variables=variables | {variable: str(path)})
    assert list(found.failed) == [name]
    assert found.failed[name].startswith("SQLite (broken.db) could not")


def test_a_wrong_configuration(variables: dict[str, str], tmp_path: Path) -> None:
    """Without a configuration nobody knows where things are, and only that is told."""
    (tmp_path / "retrain.toml").write_text("[models")
    found = diagnose("local", variables=variables)
    assert list(found.failed) == ["configuration"]
    assert found.skipped["places"].startswith("not checked: the configuration, beside which they are, is not valid")


def test_a_file_that_is_missing(variables: dict[str, str], tmp_path: Path) -> None:
    """A configuration that cannot be read is told with its path."""
    (tmp_path / "retrain.toml").unlink()
    found = diagnose("local", variables=variables)
    assert "cannot be read" in found.failed["configuration"]
    assert str(tmp_path) in found.failed["configuration"]


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ("30 9 * * MON", ""),
        ("30 9 * *", "cron expression: 1 problem: '30 9 * *' has 4 fields, not 5: minute hour day month weekday"),
    ],
)
def test_a_schedule_that_is_given(variables: dict[str, str], schedule: str, sentence: str) -> None:
    """The schedule is read as the server reads it."""
    found = diagnose("local", "--schedule", schedule, variables=variables)
    assert found.failed.get("schedule", "") == sentence


def test_the_repository_itself_passes() -> None:
    """The configuration that the repository comes with trains on this machine."""
    answer = run("doctor", "--cloud", "local", variables={"PATH": os.environ["PATH"]})
    assert answer.code == 0
    assert "ok       command of demand: python can be run" in answer.out
