"""The SQLite file under ledger, bus and schedule."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.database import Database
from shared.errors import UnavailableError

TABLE = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER CHECK (number > 0))"
INSERT = "INSERT INTO numbers VALUES (?)"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    """A database that waits half a second for other writers."""
    database = Database(file, TABLE, busy_time_limit=0.5)
    yield database
    database.close()


def numbers(database: Database) -> list[int]:
    """Return the numbers that are stored."""
    return [row[0] for row in database.execute("read", "SELECT number FROM numbers ORDER BY number")]


def test_commits_wait_for_the_disk(database: Database) -> None:
    """The file is in write-ahead mode, and a commit waits until the disk has it."""
    assert database.execute("read a setting", "PRAGMA journal_mode") == [("wal",)]
    assert database.execute("read a setting", "PRAGMA synchronous") == [(2,)]


def test_another_writer_is_waited_for(database: Database, file: Path) -> None:
    """A writer waits for another one."""
    assert numbers(database) == []
    blocker = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: blocker.execute("COMMIT")).start()
    database.execute("write", INSERT, [1])
    assert numbers(database) == [1]
    blocker.close()


def test_a_writer_that_never_ends(database: Database, file: Path) -> None:
    """Another writer that never ends makes writing unavailable after a while; reading goes on, and writing later."""
    database.execute("write", INSERT, [1])
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"SQLite \(retrain.sqlite\) could not write: .*locked; try again"):
        database.execute("write", INSERT, [2])
    assert 0.4 < time.monotonic() - began < 5
    with pytest.raises(UnavailableError, match="could not write many"):
        database.execute_many("write many", INSERT, [[2], [3]])
    assert numbers(database) == [1]
    blocker.close()
    database.execute_many("write many", INSERT, [[2], [3]])
    assert numbers(database) == [1, 2, 3]


def test_all_rows_or_none(database: Database, file: Path) -> None:
    """One wrong row takes the others along, and leaves no lock behind; the error is not dressed up as an absence."""
    with pytest.raises(sqlite3.IntegrityError):
        database.execute_many("write", INSERT, [[1], [-1]])
    other = Database(file, TABLE, busy_time_limit=0.5)
    other.execute("write", INSERT, [7])
    assert numbers(database) == numbers(other) == [7]
    other.close()


def test_a_closed_file_opens_again(database: Database) -> None:
    """A closed database opens again on its next use."""
    database.execute("write", INSERT, [1])
    database.close()
    database.close()
    assert numbers(database) == [1]


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A file that is not a database, or cannot be created, is unavailable, and the message says what to do."""
    damaged, folder, file = tmp_path / "damaged.db", tmp_path / "folder", tmp_path / "file"
    damaged.write_text("some text that is long enough")
    folder.mkdir()
    file.touch()
    for path, why in (
        (damaged, f"file is not a database (restore {damaged} from a backup; "),
        (folder, f"unable to open database file (make {folder} and its folder writable)"),
        (file / "x.db", f"File exists (make {file / 'x.db'} and its folder writable)"),
    ):
        with pytest.raises(UnavailableError) as caught:
            numbers(Database(path, TABLE))
        assert f"SQLite ({path.name}) could not read: {why}" in str(caught.value)


def test_a_full_disk(database: Database) -> None:
    """A write that finds no space is unavailable, names the file, and leaves what was stored."""
    database.execute("write", INSERT, [1])
    database.execute("limit the size", "PRAGMA max_page_count = 1")
    with pytest.raises(UnavailableError, match=r"full \(free space on the disk of .*retrain\.sqlite\); try again$"):
        database.execute_many("write", INSERT, [[number] for number in range(1, 5000)])
    assert numbers(database) == [1]


def test_a_mistake_in_a_statement(database: Database) -> None:
    """A wrong number of values is an error of the program, not of the file."""
    with pytest.raises(sqlite3.ProgrammingError):
        database.execute("write", INSERT, [1, 2])
