"""The trigger ids that a model has decided, packed: launches and other decisions have room of their own."""

import dataclasses
import hashlib
from datetime import datetime
from typing import Final

from shared.frozen import dataclass

MAX_LAUNCHES: Final = 1000
# Other decisions must be known as long as a bus redelivers (an SQS queue: 14 days). A bound in numbers needs no times.
MAX_OTHERS: Final = 2000
# So many of the newest launches are kept in the form that the version before this one reads, for a roll-back.
MAX_RECENT: Final = 200
# Of 3,000 remembered ids, one in 10^11 new ones has the same 48 bits.
SIZE: Final = 6
_RECENT_DIGITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLaunch:
    """One of the newest launches.

    Attributes:
        digest: the beginning of the id's SHA-256, 24 hex characters.
        at: when it was claimed.

    """

    digest: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIds:
    """The ids that were decided, newest first.

    Neither kind pushes out the other: a decision that launched nothing is remembered however often a model has trained.

    Attributes:
        recent: the newest launches.
        launched: the launches before them: the first bytes of each digest, one after the other.
        others: decisions that launched nothing, in the same form.

    """

    recent: tuple[RecentLaunch, ...] = ()
    launched: bytes = b""
    others: bytes = b""

    def has(self, trigger_id: str) -> bool:
        """Whether *trigger_id* was decided."""
        digest = _digest(trigger_id)
        known = digest.hex()
        return (
            any(launch.digest.startswith(known) for launch in self.recent)
            or _place(self.launched, digest) >= 0
            or _place(self.others, digest) >= 0
        )

    def with_launch(self, trigger_id: str, now: datetime) -> "SeenIds":
        """Return the ids with a launch; the oldest launch makes room for it."""
        rest = self.without(trigger_id)
        launch = RecentLaunch(digest=hashlib.sha256(trigger_id.encode()).hexdigest()[:_RECENT_DIGITS], at=now)
        return settled((launch, *rest.recent), rest.launched, rest.others)

    def with_other(self, trigger_id: str) -> "SeenIds":
        """Return the ids with a decision that launched nothing; the oldest of these makes room for it."""
        rest = self.without(trigger_id)
        return dataclasses.replace(rest, others=(_digest(trigger_id) + rest.others)[: MAX_OTHERS * SIZE])

    def without(self, trigger_id: str) -> "SeenIds":
        """Return the ids without *trigger_id*, which is judged anew then."""
        digest = _digest(trigger_id)
        known = digest.hex()
        return SeenIds(
            recent=tuple(launch for launch in self.recent if not launch.digest.startswith(known)),
            launched=_removed(self.launched, digest),
            others=_removed(self.others, digest),
        )


def settled(recent: tuple[RecentLaunch, ...], launched: bytes, others: bytes) -> SeenIds:
    """Return the ids in which launches beyond the newest are packed, and the oldest beyond the bounds are forgotten."""
    moved = b"".join(bytes.fromhex(launch.digest)[:SIZE] for launch in recent[MAX_RECENT:])
    return SeenIds(
        recent=recent[:MAX_RECENT],
        launched=(moved + launched)[: (MAX_LAUNCHES - MAX_RECENT) * SIZE],
        others=others[: MAX_OTHERS * SIZE],
    )


def packed(digest: str) -> bytes:
    """Return the packed form of a digest of at least twelve hex characters."""
    return bytes.fromhex(digest)[:SIZE]


def _digest(trigger_id: str) -> bytes:
    return hashlib.sha256(trigger_id.encode()).digest()[:SIZE]


def _place(ids: bytes, digest: bytes) -> int:
    """Return where *digest* begins among *ids*, -1 where it is missing; a hit across two ids is none."""
    place = ids.find(digest)
    while place >= 0 and place % SIZE:
        place = ids.find(digest, place + 1)
    return place


def _removed(ids: bytes, digest: bytes) -> bytes:
    place = _place(ids, digest)
    return ids if place < 0 else ids[:place] + ids[place + SIZE :]
