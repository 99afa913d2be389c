"""The ids of the triggers decided for a model, packed; launches and other decisions have separate limits."""

import dataclasses
import hashlib
from typing import Final

from shared.frozen import dataclass

MAX_LAUNCHES: Final = 1000
# Other decisions must be known as long as a bus redelivers (SQS: 14 days). A limit by number does not need times.
MAX_OTHERS: Final = 2000
# With 3,000 stored ids, one in 10^11 new ids has the same 48 bits as one of them.
SIZE: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIds:
    """The decided ids, newest first: the first bytes of each digest, concatenated.

    The two kinds do not displace each other: a decision without a launch is remembered however often a model trains.

    Attributes:
        launched: the launches.
        others: the decisions without a launch.

    """

    launched: bytes = b""
    others: bytes = b""

    def has(self, trigger_id: str) -> bool:
        """Return whether *trigger_id* was decided."""
        digest = _digest(trigger_id)
        return _place(self.launched, digest) >= 0 or _place(self.others, digest) >= 0

    def with_launch(self, trigger_id: str) -> "SeenIds":
        """Return the ids with a launch added; the oldest launch is dropped if there are too many."""
        rest = self.without(trigger_id)
        return dataclasses.replace(rest, launched=(_digest(trigger_id) + rest.launched)[: MAX_LAUNCHES * SIZE])

    def with_other(self, trigger_id: str) -> "SeenIds":
        """Return the ids with a decision that launched nothing added; the oldest is dropped if there are too many."""
        rest = self.without(trigger_id)
        return dataclasses.replace(rest, others=(_digest(trigger_id) + rest.others)[: MAX_OTHERS * SIZE])

    def without(self, trigger_id: str) -> "SeenIds":
        """Return the ids without *trigger_id*, so that the trigger is decided again if it is resent."""
        digest = _digest(trigger_id)
        return SeenIds(launched=_removed(self.launched, digest), others=_removed(self.others, digest))


def packed(digest: str) -> bytes:
    """Return the packed form of a digest of at least twelve hex characters."""
    return bytes.fromhex(digest)[:SIZE]


def _digest(trigger_id: str) -> bytes:
    return hashlib.sha256(trigger_id.encode()).digest()[:SIZE]


def _place(ids: bytes, digest: bytes) -> int:
    """Return the index of *digest* in *ids*, -1 if it is missing; a match across two ids does not count."""
    place = ids.find(digest)
    while place >= 0 and place % SIZE:
        place = ids.find(digest, place + 1)
    return place


def _removed(ids: bytes, digest: bytes) -> bytes:
    place = _place(ids, digest)
    return ids if place < 0 else ids[:place] + ids[place + SIZE :]
