"""Dead letters as files."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from functions.local.dead_letters import FolderDeadLetters
from shared.errors import UnavailableError
from shared.ports import DeadLetter
from tests.local.given import NOON


def a_letter(event: object, seconds: float = 0) -> DeadLetter:
    """Return a letter to keep."""
    at = NOON + timedelta(seconds=seconds)
    return DeadLetter(at=at, cloud="local", reason="rejected", error="severity: must be high", event=event)


def test_a_letter_is_a_json_file(tmp_path: Path) -> None:
    """A letter is one JSON file with exactly the five fields, the event as it came."""
    FolderDeadLetters(tmp_path / "a" / "letters", lambda: "id-1").put(a_letter({"a": ["ä", "\ud800"]}))
    (path,) = (tmp_path / "a" / "letters").iterdir()
    assert path.name == "20261121T120000.000000Z-id-1.json"
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "at": "2026-11-21T12:00:00Z",
        "cloud": "local",
        "reason": "rejected",
        "error": "severity: must be high",
        "event": {"a": ["ä", "\ud800"]},
    }


def test_letters_of_one_moment(tmp_path: Path) -> None:
    """Letters of one moment do not replace each other, and names sort by time."""
    ids = iter(["b", "a", "c"])
    letters = FolderDeadLetters(tmp_path, lambda: next(ids))
    for number, seconds in enumerate((0, 0, 0.5)):
        letters.put(a_letter(number, seconds))
    assert [json.loads(path.read_text())["event"] for path in sorted(tmp_path.iterdir())] == [1, 0, 2]


def test_an_event_that_is_not_json(tmp_path: Path) -> None:
    """Bytes that are not valid JSON are kept as text."""
    FolderDeadLetters(tmp_path, lambda: "id").put(a_letter(b"\xff{"))
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text())["event"] == "\\xff{"


def test_a_folder_that_is_away(tmp_path: Path) -> None:
    """A folder that cannot be written to is reported, and no half-written file is left behind."""
    (tmp_path / "letters").write_text("a file")
    with pytest.raises(UnavailableError, match=r"The dead-letter folder could not keep a letter: .*; try again"):
        FolderDeadLetters(tmp_path / "letters", lambda: "id").put(a_letter({}))
    with pytest.raises(UnavailableError):
        FolderDeadLetters(tmp_path, lambda: "no-folder/id").put(a_letter({}))
    (tmp_path / "20261121T120000.000000Z-id.json").mkdir()
    with pytest.raises(UnavailableError):
        FolderDeadLetters(tmp_path, lambda: "id").put(a_letter({}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["20261121T120000.000000Z-id.json", "letters"]
