"""JSON: reading text of any origin, and writing text of bounded size."""

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, ValuesView
from typing import Final

# Compiled when it is first used, which is seldom: this costs a cold start more than a whole module.
_NOT_IN_UTF8: Final = "[\ud800-\udfff\ufffe\uffff]"


def parse_json(content: str | bytes) -> object:
    """Read JSON.

    Raises:
        ValueError: *content* is not valid JSON or not UTF-8, is nested too deeply, or has a number of too many digits.

    """
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def opened(value: object) -> object:
    """Return the object or list that *value* contains as JSON, even if it was encoded several times.

    Anything else is returned unchanged.
    """
    content = value
    while isinstance(content, str | bytes):
        try:
            content = parse_json(content)
        except ValueError:
            return value
    return content if isinstance(content, Mapping | list) else value


def is_deeper(value: object, levels: int) -> bool:
    """Return whether objects and lists in *value* are nested deeper than *levels*; *value* itself is the first."""
    level = _containers([value])
    for _ in range(levels):
        if not level:
            return False
        level = _containers(item for inner in level for item in inner)
    return bool(level)


def _containers(values: Iterable[object]) -> list[Collection[object]]:
    """Return the objects among *values*, as the collections of their fields' values, and the lists."""
    inner = (value.values() if isinstance(value, Mapping) else value for value in values)
    return [value for value in inner if isinstance(value, list | tuple | ValuesView)]


def compact(value: object) -> str:
    """Write *value* as JSON without spaces and in plain ASCII, so that characters are bytes.

    Raises:
        ValueError, TypeError: *value* is not JSON.

    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def compact_utf8(value: object) -> str:
    """Write *value* as JSON without spaces, characters as they are: in UTF-8 shorter than what `compact` writes.

    Only what UTF-8 cannot hold, or SQS does not take, is escaped.

    Raises:
        ValueError, TypeError: *value* is not JSON.

    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text if text.isascii() else re.sub(_NOT_IN_UTF8, lambda found: f"\\u{ord(found[0]):04x}", text)


def cut(text: str, size: int) -> str:
    """Return the longest beginning of *text* that is at most *size* bytes as a JSON string, its quotes included."""
    lengths = range(len(text) + 1)
    return text[: max(bisect_right(lengths, size, key=lambda length: len(compact(text[:length]))) - 1, 0)]


def utf8_size(text: str) -> int:
    """Return the bytes of *text* inside a JSON string in UTF-8."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace")) - 2


def cut_utf8(text: str, size: int) -> str:
    """Return the longest beginning of *text* that is at most *size* bytes inside a JSON string in UTF-8."""
    if utf8_size(text) <= size:
        return text
    lengths = range(len(text) + 1)
    return text[: max(bisect_right(lengths, size, key=lambda length: utf8_size(text[:length])) - 1, 0)]
