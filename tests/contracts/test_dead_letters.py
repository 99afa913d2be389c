"""Dead letters keep events that could not be acted on, for a person to read and to resend."""

import json
from datetime import UTC, datetime

import pytest

from shared.errors import UnavailableError
from shared.ports import DeadLetter
from tests.contracts.ports import Ports

AT = datetime(2026, 11, 21, 3, 0, 0, 250_000, tzinfo=UTC)
ERROR = "severity: must be one of low, medium, high, not 'höchst'"


def a_letter(event: object, error: str = ERROR) -> DeadLetter:
    """Return a letter about *event*."""
    return DeadLetter(at=AT, cloud="aws", reason="rejected", error=error, event=event)


def kept(ports: Ports, event: object, error: str = ERROR) -> dict[str, object]:
    """Put one letter and return the JSON object that is there then."""
    ports.dead_letters.put(a_letter(event, error))
    (text,) = ports.letters()
    document = json.loads(text)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    "event",
    [
        {"source": "ml3_platform", "detail": {"reason": "ü\U0001f4c9\x00\ud800", "nested": [1, None, 0.5, True]}},
        ["no", "object"],
        "no JSON {",
        "",
        None,
        7,
    ],
    ids=["event", "list", "text", "empty", "null", "number"],
)
def test_a_letter_holds_the_event_as_it_came(ports: Ports, event: object) -> None:
    """A letter has exactly five keys, on every cloud the same, and the event is what came."""
    assert kept(ports, event) == {
        "at": "2026-11-21T03:00:00.250000Z",
        "cloud": "aws",
        "reason": "rejected",
        "error": ERROR,
        "event": event,
    }


def test_an_event_that_is_not_json_is_kept_as_text(ports: Ports) -> None:
    """Bytes that are not valid text are kept as text."""
    assert kept(ports, b"\xff{")["event"] == "\\xff{"


@pytest.mark.parametrize("character", ["x", '"', "ü", "\U0001f4c9"])
def test_an_event_of_a_megabyte_is_kept(ports: Ports, character: str) -> None:
    """A letter about an event of 1 MB is valid JSON: with the whole event, or its beginning, a mark and its size."""
    event = {"detail": {"reason": character * (1_000_000 // len(json.dumps(character)[1:-1]))}}
    whole = json.dumps(event, separators=(",", ":"))
    document = kept(ports, event)
    assert (document["reason"], document["error"]) == ("rejected", ERROR)
    if document["event"] == event:
        assert document.keys() == {"at", "cloud", "reason", "error", "event"}
        return
    assert document.keys() == {"at", "cloud", "reason", "error", "event", "truncated", "size"}
    assert (document["truncated"], document["size"]) == (True, len(whole))
    assert whole.startswith(str(document["event"]))
    assert len(str(document["event"])) > 40_000


def test_an_error_that_quotes_the_event_leaves_room_for_it(ports: Ports) -> None:
    """However long the error, both it and the event are there."""
    document = kept(ports, {"detail": "x" * 500_000}, "reason: " + "y" * 500_000)
    assert str(document["error"]).startswith("reason: yyy")
    assert "xxx" in str(document["event"])


def test_equal_letters_are_all_kept(ports: Ports) -> None:
    """Three letters of one moment are three letters: none replaces another."""
    for number in range(3):
        ports.dead_letters.put(a_letter({"number": number}))
    events = [json.loads(text)["event"]["number"] for text in ports.letters()]
    assert sorted(events) == [0, 1, 2]


def test_a_place_that_is_away_says_so(ports: Ports) -> None:
    """A letter that could not be kept is an error, for its event must not be acknowledged."""
    with ports.dead_letters_away(), pytest.raises(UnavailableError, match=r"; try again$"):
        ports.dead_letters.put(a_letter({}))
    assert ports.letters() == []
    ports.dead_letters.put(a_letter({}))
    assert len(ports.letters()) == 1
