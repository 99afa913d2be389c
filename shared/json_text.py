"""JSON as text of bounded size, for the places that take no more than so many bytes."""

import json
from bisect import bisect_right


def compact(value: object) -> str:
    """Write *value* as JSON without spaces and in plain ASCII, so that characters are bytes.

    Raises:
        ValueError, TypeError: *value* is not JSON.

    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def cut(text: str, size: int) -> str:
    """Return the longest beginning of *text* that is at most *size* bytes as a JSON string, its quotes included."""
    lengths = range(len(text) + 1)
    return text[: max(bisect_right(lengths, size, key=lambda length: len(compact(text[:length]))) - 1, 0)]
