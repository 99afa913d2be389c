"""Events to be ignored, and the detection of trigger events in unknown envelopes."""

from collections.abc import Iterator, Mapping

from shared.errors import UnreadableEventError
from shared.wire.incoming import Foreign
from shared.wire.reading import text


def foreign(what: str, source: str, kind: str, *contents: object) -> Foreign:
    """Return an event to be ignored.

    Args:
        what: a short description for the log.
        source: the prefix of the sources of trigger events.
        kind: the prefix of the types of trigger events.
        contents: the parts of the event that were not read as its source or type.

    Raises:
        UnreadableEventError: both prefixes occur in *contents*, so it is probably a trigger event in an unknown
            envelope.

    """
    wanted = {source, kind}
    for content in _texts(*contents):
        wanted -= {prefix for prefix in wanted if prefix in content}
        if not wanted:
            raise UnreadableEventError(
                f"the event contains {source!r} and {kind!r}, but has none of the forms of such an event; "
                f"it looks like {what}"
            )
    return Foreign(what=what)


def without(fields: Mapping[str, object], *names: str) -> Mapping[str, object]:
    """Return *fields* without *names* if each of these has a text; else all: an incomplete envelope names no sender."""
    is_complete = all(text(fields.get(name)) for name in names)
    return {name: value for name, value in fields.items() if not is_complete or name not in names}


def _texts(*contents: object) -> Iterator[str]:
    """Yield every string in *contents* at any depth, including names of fields."""
    waiting = list(contents)
    while waiting:
        content = waiting.pop()
        if isinstance(content, str):
            yield content
        elif isinstance(content, bytes):
            yield content.decode("utf-8", "replace")
        elif isinstance(content, Mapping):
            waiting += [*content.keys(), *content.values()]
        elif isinstance(content, list | tuple):
            waiting += content
