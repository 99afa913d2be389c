"""A dead letter is JSON, whatever the event was, and fits where it must."""

import json
import math
from datetime import UTC, datetime

import pytest

from shared.json_text import compact, cut
from shared.ports import DeadLetter
from shared.training.dead_letters import letter_document, letter_text

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def letter(event: object, error: str = "model_id: is missing") -> DeadLetter:
    """Return a letter about *event*."""
    return DeadLetter(at=AT, cloud="aws", reason="rejected", error=error, event=event)


def test_the_event_stands_in_it_as_it_came() -> None:
    """The document has five fields, and the event is unchanged."""
    event = {"detail": {"model_id": "churn", "nested": [1, None, "ü"]}}
    assert letter_document(letter(event)) == {
        "at": "2026-11-21T03:00:00Z",
        "cloud": "aws",
        "reason": "rejected",
        "error": "model_id: is missing",
        "event": event,
    }
    assert json.loads(letter_text(letter(event), 262_144)) == letter_document(letter(event))


def nested(depth: int) -> object:
    """Return a list in a list in a list."""
    value: object = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (b'{"model_id": \xff', '{"model_id": \\xff'),
        ("no JSON {", "no JSON {"),
        (math.nan, "NaN"),
        ({"value": math.inf}, '{"value": Infinity}'),
        ({"at": AT}, '{"at": "datetime.datetime(2026, 11, 21, 3, 0, tzinfo=datetime.timezone.utc)"}'),
        ({1: 2, (3,): 4}, "{1: 2, (3,): 4}"),
        (None, None),
    ],
)
def test_an_event_that_is_not_json_stands_in_it_as_text(event: object, shown: object) -> None:
    """Bytes, numbers that JSON has not and foreign objects are shown."""
    assert letter_document(letter(event))["event"] == shown
    assert json.loads(letter_text(letter(event), 1024))["event"] == shown


def test_an_event_that_is_too_deep_for_json_is_kept() -> None:
    """Nesting beyond what Python writes does not lose the letter."""
    assert json.loads(letter_text(letter(nested(5_000)), 100_000))["error"] == "model_id: is missing"


@pytest.mark.parametrize(
    "event",
    [
        {"text": "x" * 10_000},
        {"text": '"\\\n' * 5_000},
        {"text": "\U0001f4c9" * 5_000},
        "é" * 5_000,
        list(range(3_000)),
        b"\x00" * 5_000,
    ],
)
@pytest.mark.parametrize("limit", [1024, 1025, 4096, 8191])
def test_a_long_event_is_cut_to_the_limit(event: object, limit: int) -> None:
    """An event that does not fit is cut to text, stays valid JSON, fills the room and has its full size noted."""
    text = letter_text(letter(event), limit)
    document = json.loads(text)
    whole = compact(letter_document(letter(event))["event"])
    # One character of the event's JSON is at most seven bytes in it.
    assert limit - 7 < len(text.encode()) <= limit
    assert document["truncated"] is True
    assert document["size"] == len(whole)
    assert whole.startswith(document["event"])
    assert document["error"] == "model_id: is missing"


@pytest.mark.parametrize("text", ["ü", "\U0001f4c9", "\u4e2d"])
def test_characters_are_not_escaped_where_that_keeps_the_event_whole(text: str) -> None:
    """As UTF-8 the event is shorter; what UTF-8 or SQS does not take is escaped all the same."""
    event = {"text": text * 1_000, "odd": "\ud800\uffff\x00"}
    limit = len(text.encode()) * 1_000 + 300
    written = letter_text(letter(event), limit)
    assert json.loads(written)["event"] == event
    assert len(written.encode()) <= limit < len(compact(event))
    assert not set("\ud800\uffff\x00") & set(written)


def test_a_cut_letter_fills_the_room() -> None:
    """Where every character is a byte, not one byte is wasted."""
    assert len(letter_text(letter({"text": "x" * 10_000}), 4096)) == 4096


@pytest.mark.parametrize("over", [0, 1])
def test_only_what_does_not_fit_is_cut(over: int) -> None:
    """A letter of exactly the limit stays whole; with one byte less of room it is cut."""
    size = len(letter_text(letter({"text": "x" * 2_000}), 262_144))
    document = json.loads(letter_text(letter({"text": "x" * 2_000}), size - over))
    assert document.get("truncated", False) is bool(over)


def test_a_long_error_leaves_room_for_the_event() -> None:
    """Both parts are cut when both are long."""
    document = json.loads(letter_text(letter("e" * 9_000, "x" * 9_000), 4096))
    assert document["error"].startswith("xxx")
    assert document["error"].endswith("xxx... (cut; 9000 characters)")
    assert document["event"].startswith('"eee')
    assert len(document["error"]) > 1000 < len(document["event"])


@pytest.mark.parametrize("text", ["plain", 'quo"tes', "é\U0001f4c9\n", "", "\ud800"])
def test_cutting_takes_as_much_as_fits(text: str) -> None:
    """For every size the result is the longest beginning that fits, and never longer than that."""
    for size in range(2, len(compact(text)) + 3):
        result = cut(text, size)
        assert text.startswith(result)
        assert len(compact(result)) <= size
        assert result == text or len(compact(text[: len(result) + 1])) > size
