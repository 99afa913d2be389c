"""The `client_payload` of a dispatch, within what GitHub takes."""

from collections.abc import Mapping
from typing import Final

from shared.errors import TargetRefusedError
from shared.json_text import compact, cut

# REST documentation, "Create a repository dispatch event": the names at the top, the length of the event type. The
# payload is smaller than 64 KB; in ASCII, which ours is, bytes are characters.
MOST_NAMES: Final = 10
LONGEST_PAYLOAD: Final = 65_535
LONGEST_EVENT_TYPE: Final = 100

# What a workflow can do without: it informs people. All else, parameters above all, arrives whole or not at all.
_INFORMING: Final = frozenset({"evidence", "reason", "requested_by"})


def fitted(payload: Mapping[str, object]) -> dict[str, object]:
    """Return *payload* as GitHub takes it; what only informs people is cut, the largest first, where it is too long.

    Raises:
        TargetRefusedError: it is too long even so, or has too many names.

    """
    if len(payload) > MOST_NAMES:
        raise TargetRefusedError(f"client_payload: GitHub takes at most {MOST_NAMES} names, not {len(payload)}")
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
            f"{name}: GitHub takes a client_payload of at most {LONGEST_PAYLOAD} characters, not {length}"
        )
    return smaller
