"""Giving an event up, and the JSON form of a dead letter, the same on every cloud."""

import json
import reprlib

from shared.fields import format_time
from shared.json_text import compact, cut
from shared.parts import ReceiverParts
from shared.ports import DeadLetter


def give_up(receiver: ReceiverParts, error: str, event: object) -> None:
    """Put *event* to the dead letters, where there are any on our side.

    Raises:
        UnavailableError: the dead letters are away.

    """
    if receiver.dead_letters is not None:
        letter = DeadLetter(at=receiver.clock(), cloud=receiver.cloud, reason="rejected", error=error, event=event)
        receiver.dead_letters.put(letter)


def letter_document(letter: DeadLetter) -> dict[str, object]:
    """Return *letter* as a JSON object: `at`, `cloud`, `reason`, `error` and `event`, the event as it came.

    An event that is no JSON (bytes, a number that is none) stands there as text.
    """
    return {
        "at": format_time(letter.at),
        "cloud": letter.cloud,
        "reason": letter.reason,
        "error": letter.error,
        "event": _plain(letter.event),
    }


def letter_text(letter: DeadLetter, limit: int) -> str:
    """Return *letter* as JSON of at most *limit* bytes.

    If it does not fit, the beginning of the event's JSON stands in `event` as text, beside `"truncated": true` and
    the `size` of the whole, in bytes.

    Args:
        letter: what to write.
        limit: what the destination takes, at least 1024.

    """
    document = letter_document(letter)
    whole = compact(document)
    if len(whole) <= limit:
        return whole
    event = compact(document["event"])
    # An error may quote a field of the event: it gets no more than half of the room.
    short = document | {"error": cut(letter.error, limit // 2), "event": "", "truncated": True, "size": len(event)}
    room = limit - len(compact(short)) + len(compact(""))
    return compact(short | {"event": cut(event, room)})


def _plain(event: object) -> object:
    if isinstance(event, bytes | bytearray):
        return event.decode("utf-8", "backslashreplace")
    try:
        compact(event)
    except (TypeError, ValueError, RecursionError):
        return _described(event)
    return event


def _described(event: object) -> str:
    try:
        return json.dumps(event, default=repr)
    except (TypeError, ValueError, RecursionError):
        # Its depth is limited, as what Python can write is.
        return reprlib.repr(event)
