"""The ledger in SQLite: one winner a version, among threads, processes and crashes."""

import sqlite3
import threading
from pathlib import Path

import pytest

from functions.local.bus import SqliteBus
from functions.local.ledger import SqliteLedger
from shared.errors import UnavailableError
from tests.local.given import HandClock, outputs, program

PROCESSES = 16
ROUNDS = 25


def test_a_model_that_was_never_written(ledger: SqliteLedger) -> None:
    """A model that was never written has no document and no version."""
    stored = ledger.load("churn")
    assert (stored.document, stored.version) == (None, None)


def test_save_and_load(ledger: SqliteLedger) -> None:
    """A document comes back as it was saved, whatever characters are in it and in the model's id."""
    assert ledger.save("mödel/ü 1'\"", '{"a": "ä\\u0000 ☃"}', None)
    assert ledger.load("mödel/ü 1'\"").document == '{"a": "ä\\u0000 ☃"}'


def test_stale_versions_lose(ledger: SqliteLedger) -> None:
    """Only the newest version may be replaced; a loser changes nothing."""
    assert ledger.save("churn", "one", None)
    assert not ledger.save("churn", "other", None)
    first = ledger.load("churn").version
    assert ledger.save("churn", "two", first)
    assert not ledger.save("churn", "other", first)
    assert ledger.load("churn").document == "two"


def test_the_same_text_is_a_new_version(ledger: SqliteLedger) -> None:
    """Saving the same document again makes the version before it stale."""
    ledger.save("churn", "same", None)
    first = ledger.load("churn").version
    assert ledger.save("churn", "same", first)
    assert not ledger.save("churn", "same", first)


def test_a_version_of_a_missing_model(ledger: SqliteLedger) -> None:
    """A version of a model that is not there wins nothing."""
    assert not ledger.save("churn", "one", 1)
    assert ledger.load("churn").document is None


def test_models_are_paged(ledger: SqliteLedger) -> None:
    """All models are listed once, page by page, in the order of their UTF-8 bytes."""
    names = ["b", "a", "ä", "churn-10", "churn-2", "\U0001f600", "\uffff"]
    for name in names:
        ledger.save(name, "{}", None)
    listed: list[str] = []
    while page := ledger.models(listed[-1] if listed else None, 2):
        assert len(page) <= 2
        listed += page
    assert listed == sorted(names, key=lambda name: name.encode())


def test_it_survives_a_new_start(file: Path) -> None:
    """Saved documents are there for the next process."""
    before, after = SqliteLedger(file), SqliteLedger(file)
    before.save("churn", "kept", None)
    before.close()
    assert after.load("churn").document == "kept"
    after.close()


def test_every_commit_waits_for_the_disk(ledger: SqliteLedger, file: Path) -> None:
    """The file is in write-ahead mode, which outlives its connections."""
    ledger.save("churn", "{}", None)
    with sqlite3.connect(file) as other:
        assert other.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    other.close()


def test_one_winner_a_round_among_threads(ledger: SqliteLedger) -> None:
    """Of many threads that save the same version one wins."""
    wins: list[bool] = []

    def write() -> None:
        wins.append(ledger.save("churn", "{}", None) is not None)

    threads = [threading.Thread(target=write) for _ in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * (PROCESSES - 1) + [True]


def test_one_winner_a_round_among_processes(file: Path) -> None:
    """Of 16 processes that save the same version one wins, in every round, from the first use of the file on."""
    wins = outputs([program("race", file, ROUNDS) for _ in range(PROCESSES)])
    assert sum(int(won) for won in wins) == ROUNDS
    ledger = SqliteLedger(file)
    assert ledger.load("churn").version == ROUNDS
    ledger.close()


def test_a_crash_loses_nothing_that_was_saved(file: Path) -> None:
    """After a kill -9 in the middle of writing the file has the last document that was taken, or the next one."""
    writer = program("save_for_ever", file)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) == 200:
            writer.kill()
            break
    # Lines that were read ahead come first; the last line may be incomplete.
    rest = writer.stdout.read().rpartition("\n")[0]
    taken = [200, *map(int, rest.split())]
    writer.communicate()
    ledger = SqliteLedger(file)
    assert ledger.load("churn").document in {str(taken[-1]), str(taken[-1] + 1)}
    assert ledger.save("churn", "after", ledger.load("churn").version)
    ledger.close()


def test_a_ledger_that_is_away(tmp_path: Path) -> None:
    """A file that cannot be opened is an unavailable ledger; the error names the action and the reason."""
    (tmp_path / "no-folder").write_text("a file")
    for path in (tmp_path / "no-folder" / "x.sqlite", tmp_path):
        ledger = SqliteLedger(path)
        with pytest.raises(UnavailableError, match=r"SQLite \(.*\) could not load a model: .+; try again"):
            ledger.load("churn")
        with pytest.raises(UnavailableError, match="could not save a model"):
            ledger.save("churn", "{}", None)
        with pytest.raises(UnavailableError, match="could not list models"):
            ledger.models(None, 1)


def test_it_shares_its_file_with_the_bus(ledger: SqliteLedger, bus: SqliteBus, clock: HandClock) -> None:
    """A ledger and a bus live in one file and see nothing of each other."""
    ledger.save("churn", "{}", None)
    bus.put({"a": clock.now.year})
    assert ledger.models(None, 10) == ["churn"]
    assert bus.size() == 1
