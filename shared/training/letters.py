"""Stored dead letters: reading them, and the triggers that are sent again from them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from typing import Final, Literal, Protocol

from shared.config.model import Configuration
from shared.errors import InvalidTriggerError, PermanentError, UnknownModelError, UnreadableEventError
from shared.fields import format_time
from shared.frozen import dataclass
from shared.json_text import parse_json
from shared.training.admission import parse_trigger, triggers_of
from shared.trigger import RetrainTrigger
from shared.wire.incoming import Incoming, RunEnded, Signal, SweepRequest, TriggerEvent
from shared.wire.reading import text, time

Kind = Literal["rejected", "undelivered"]
REJECTED: Final[Kind] = "rejected"
UNDELIVERED: Final[Kind] = "undelivered"

Decode = Callable[[object, str], Incoming]
"""Decodes a native event, given the prefix of the sources of trigger events."""

_NOTHING_TO_SEND: Final[Mapping[type, str]] = {
    RunEnded: "it reports the end of a training, which the sweep records as well; delete it",
    SweepRequest: "it requests a sweep, which runs regularly as well; delete it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLetter:
    """One dead letter, as it is stored.

    Attributes:
        letter_id: its id, which begins with its kind: `rejected/...`.
        kind: whether it was rejected by the receiver, or could not be delivered to it.
        at: when it was given up; None if that is not known.
        reason: the reason code, `undelivered` for an event that could not be delivered.
        error: the error, for people.
        events: the events in it, as the receiver would get them; one, except on Azure.
        handle: identifies it for its box.

    """

    letter_id: str
    kind: Kind
    at: datetime | None
    reason: str
    error: str
    events: tuple[object, ...] = field(repr=False)
    handle: object = field(default=None, repr=False)

    def to_fields(self, model_id: str = "") -> dict[str, object]:
        """Return what the command shows of a letter; *model_id* is left out if it is not known."""
        shown: dict[str, object] = {"id": self.letter_id, "at": format_time(self.at) if self.at else None}
        shown["kind"] = self.kind
        if model_id:
            shown["model_id"] = model_id
        return shown | {"reason": self.reason, "error": self.error}


class LetterBox(Protocol):
    """A place of dead letters. Letters that were read may be hidden from other readers until `release`.

    Attributes:
        kinds: the kinds of letters in it, with which their ids begin.

    """

    kinds: tuple[Kind, ...]

    def read(self, only: str = "") -> Iterator[StoredLetter]:
        """Yield each letter once, in no particular order.

        Args:
            only: the id of the one letter that is needed; a box that cannot find letters by id yields others, too.

        Raises:
            UnavailableError: the place is unavailable, or the caller may not read there.

        """

    def delete(self, letter: StoredLetter) -> None:
        """Delete *letter*; one that is gone already is deleted.

        Raises:
            UnavailableError: as in `read`.

        """

    def release(self) -> None:
        """Make the letters that were read and not deleted visible again.

        Raises:
            UnavailableError: as in `read`.

        """


def rejected_letter(letter_id: str, content: str | bytes, handle: object = None) -> StoredLetter:
    """Return the letter in *content*, the document that `shared.training.dead_letters` writes.

    Anything else becomes a letter whose event is *content* itself.
    """
    try:
        document = parse_json(content)
    except ValueError:
        document = None
    if not isinstance(document, Mapping) or "event" not in document:
        whole = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        document = {"error": "this is not a dead letter of the receiver", "event": whole}
    reason = text(document.get("reason"))
    kind = UNDELIVERED if reason == "undeliverable" else REJECTED
    return StoredLetter(
        letter_id=f"{kind}/{letter_id}",
        kind=kind,
        at=time(document.get("at")),
        reason=reason,
        error=text(document.get("error")),
        events=(document["event"],),
        handle=handle,
    )


def triggers_in(
    letter: StoredLetter, decode: Decode, source: str, config: Configuration, cloud: str, now: datetime
) -> list[RetrainTrigger]:
    """Return the triggers to send for *letter*, each with the id that it had when the event was delivered.

    The receiver judges them anew; a trigger that it would refuse again is returned all the same.

    Args:
        letter: the letter.
        decode: the codec of the cloud's bus.
        source: the prefix of the sources of trigger events.
        config: the configuration, which names the models of signals.
        cloud: `aws`, `gcp`, `azure` or `local`.
        now: the time of a trigger whose event has none.

    Raises:
        PermanentError: it has no readable trigger; the text says why.

    """
    return [
        trigger for event in letter.events for trigger in _triggers_of_event(event, decode, source, config, cloud, now)
    ]


def model_of(letter: StoredLetter, decode: Decode, source: str) -> str:
    """Return the model that the first event of *letter* names; empty if it names none, or cannot be read."""
    for event in letter.events:
        fields = _plain_fields(event)
        if fields is None:
            try:
                incoming = decode(event, source)
            except PermanentError:
                continue
            fields = incoming.fields if isinstance(incoming, TriggerEvent) else {}
            if isinstance(incoming, RunEnded | SweepRequest):
                fields = {"model_id": incoming.model_id}
        if model_id := text(fields.get("model_id")):
            return model_id
    return ""


def _triggers_of_event(
    event: object, decode: Decode, source: str, config: Configuration, cloud: str, now: datetime
) -> list[RetrainTrigger]:
    fields = _plain_fields(event)
    incoming = TriggerEvent(fields=fields) if fields is not None else decode(event, source)
    if isinstance(incoming, TriggerEvent):
        try:
            return [parse_trigger(config, incoming, now)]
        except UnknownModelError:
            # The receiver may know the model: its configuration counts.
            return [parse_trigger(config, incoming, now, extras=False)]
    if isinstance(incoming, Signal):
        triggers = triggers_of(config, cloud, incoming, now)
        if not triggers:
            raise InvalidTriggerError("signals", f"no model of the configuration names {incoming.what}")
        return triggers
    raise UnreadableEventError(_NOTHING_TO_SEND.get(type(incoming), "it is not an event that requests a training"))


def _plain_fields(event: object) -> Mapping[str, object] | None:
    """Return *event* if it is the fields of a trigger alone: the letter of a kept trigger that was refused later."""
    is_plain = isinstance(event, Mapping) and event.keys() >= {"schema", "model_id", "trigger_id"}
    return event if is_plain and isinstance(event, Mapping) else None
