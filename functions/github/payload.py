"""The `client_payload` of a dispatch, within GitHub's limits."""

from collections.abc import Mapping
from typing import Final

from shared.errors import TargetRefusedError
from shared.json_text import compact, cut

# REST documentation, "Create a repository dispatch event": the names at the top level, the length of the event type.
# The payload must be smaller than 64 KB; ours is ASCII, so that a character is a byte.
MOST_NAMES: Final = 10
LONGEST_PAYLOAD: Final = 65_535
LONGEST_EVENT_TYPE: Final = 100

# A workflow can do without these, which inform people. All others, parameters above all, are sent whole or not at all.
_INFORMING: Final = frozenset({"evidence", "reason", "requested_by"})


def fitted(payload: Mapping[str, object]) -> dict[str, object]:
    """Return *payload* within GitHub's limits; values that only inform people are cut if necessary, the largest first.

    Raises:
        TargetRefusedError: it is still too long, or has too many names.

    """
    if len(payload) > MOST_NAMES:
        raise TargetRefusedError(f"client_payload: GitHub accepts at most {MOST_NAMES} names, not {len(payload)}")
    smaller = dict(payload)
    sizes = {name: len(compact(value)) for name, value in payload.items()}
    for name in sorted(_INFORMING & payload.keys(), key=lambda name: sizes[name], reverse=True):
        over = len(compact(smaller)) - LONGEST_PAYLOAD
        if over <= 0:
            break
        value = smaller[name]
        smaller[name] = cut(value, max(sizes[name] - over, 2)) if isinstance(value, str) else {"omitted": "too long"}
    length = len(compact(smaller))
    if length > LONGEST_PAYLOAD:
        name = max(sizes, key=lambda name: 0 if name in _INFORMING else sizes[name])
        raise TargetRefusedError(
            f"{name}: GitHub accepts a client_payload of at most {LONGEST_PAYLOAD} characters, not {length}"
        )
    return smaller
