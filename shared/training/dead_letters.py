"""Dead letters: giving up an event, and the JSON form of a letter, the same on every cloud."""

import json
import logging
import reprlib

from shared.decision.record import links
from shared.fields import format_time
from shared.json_text import compact, compact_utf8, cut
from shared.ports import DeadLetter
from shared.training.parts import ReceiverParts
from shared.trigger import RetrainTrigger

log = logging.getLogger("retrain")


def give_up(receiver: ReceiverParts, error: str, event: object) -> None:
    """Store *event* as a dead letter, unless the platform dead-letters it.

    Raises:
        UnavailableError: the dead letters are unavailable.

    """
    if receiver.dead_letters is not None:
        letter = DeadLetter(at=receiver.clock(), cloud=receiver.cloud, reason="rejected", error=error, event=event)
        receiver.dead_letters.put(letter)


def give_up_trigger(receiver: ReceiverParts, error: str, trigger: RetrainTrigger, event: object) -> None:
    """Store a *trigger* that the training service refused as a dead letter.

    Args:
        receiver: the parts.
        error: the refusal.
        trigger: the trigger.
        event: its event; None if the trigger was kept, and its event acknowledged. The platform cannot dead-letter
            that one: without dead letters of our own, the log line has what is needed to send it again.

    Raises:
        UnavailableError: the dead letters are unavailable.

    """
    fields = trigger.to_fields()
    if receiver.dead_letters is None and event is None:
        # Evidence may hold signed addresses, which do not belong in a log.
        known = fields | {"evidence": list(links(trigger.evidence)), "token": trigger.token, "error": error}
        log.error("retrain.letter_not_stored", extra=known)
    give_up(receiver, error, fields if event is None else event)


def letter_document(letter: DeadLetter) -> dict[str, object]:
    """Return *letter* as a JSON object: `at`, `cloud`, `reason`, `error` and `event`, the event as it came.

    An event that is not valid JSON (bytes, NaN) is written as a string.
    """
    return {
        "at": format_time(letter.at),
        "cloud": letter.cloud,
        "reason": letter.reason,
        "error": letter.error,
        "event": _plain(letter.event),
    }


def letter_text(letter: DeadLetter, limit: int) -> str:
    """Return *letter* as JSON of at most *limit* bytes in UTF-8.

    If it does not fit, `event` is a string with the beginning of the event's JSON, and `"truncated": true` and `size`,
    the length of that JSON in bytes, are added; an error that was cut, too, ends by saying so.

    Args:
        letter: the dead letter.
        limit: the limit of the destination in bytes, at least 1024.

    """
    document = letter_document(letter)
    whole = compact(document)
    if len(whole) <= limit:
        return whole
    shorter = compact_utf8(document)
    if len(shorter.encode()) <= limit:
        return shorter
    event = compact(document["event"])
    short = document | {"error": _cut_error(letter.error, limit), "event": "", "truncated": True, "size": len(event)}
    room = limit - len(compact(short)) + len(compact(""))
    return compact(short | {"event": cut(event, room)})


def _cut_error(error: str, limit: int) -> str:
    """Return *error*, which may quote a field of the event, cut to at most half of the space."""
    if len(compact(error)) <= limit // 2:
        return error
    mark = f"... (cut; {len(error)} characters)"
    return cut(error, limit // 2 - len(mark)) + mark


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
        # Nested too deeply for JSON; reprlib limits the depth.
        return reprlib.repr(event)
