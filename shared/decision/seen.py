"""The ids of the triggers decided for a model, packed; launches and other decisions have separate limits."""

import dataclasses
import hashlib
from datetime import datetime
from typing import Final

from shared.frozen import dataclass

MAX_LAUNCHES: Final = 1000
# Other decisions must be known as long as a bus redelivers (SQS: 14 days). A limit by number does not need times.
MAX_OTHERS: Final = 2000
# This many of the newest launches are stored in the format of the previous version, to allow a rollback.
MAX_RECENT: Final = 200
# With 3,000 stored ids, one in 10^11 new ids has the same 48 bits as one of them.
SIZE: Final = 6
_RECENT_DIGITS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentLaunch:
    """One of the newest launches.

    Attributes:
        digest: the first 24 hex characters of the id's SHA-256.
        at: when it was claimed.

    """

    digest: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIds:
    """The decided ids, newest first.

    The two kinds do not displace each other: a decision without a launch is remembered however often a model trains.

    Attributes:
        recent: the newest launches.
        launched: the launches before them: the first bytes of each digest, concatenated.
        others: decisions without a launch, in the same format.

    """

    recent: tuple[RecentLaunch, ...] = ()
    launched: bytes = b""
    others: bytes = b""

    def has(self, trigger_id: str) -> bool:
        """Return whether *trigger_id* was decided."""
        digest = _digest(trigger_id)
        known = digest.hex()
        return (
            any(launch.digest.startswith(known) for launch in self.recent)
            or _place(self.launched, digest) >= 0
            or _place(self.others, digest) >= 0
        )

    def with_launch(self, trigger_id: str, now: datetime) -> "SeenIds":
        """Return the ids with a launch added; the oldest launch is dropped if there are too many."""
        rest = self.without(trigger_id)
        launch = RecentLaunch(digest=hashlib.sha256(trigger_id.encode()).hexdigest()[:_RECENT_DIGITS], at=now)
        return settled((launch, *rest.recent), rest.launched, rest.others)

    def with_other(self, trigger_id: str) -> "SeenIds":
        """Return the ids with a decision that launched nothing added; the oldest is dropped if there are too many."""
        rest = self.without(trigger_id)
        return dataclasses.replace(rest, others=(_digest(trigger_id) + rest.others)[: MAX_OTHERS * SIZE])

    def without(self, trigger_id: str) -> "SeenIds":
        """Return the ids without *trigger_id*, so that the trigger is decided again if it is resent."""
        digest = _digest(trigger_id)
        known = digest.hex()
        return SeenIds(
            recent=tuple(launch for launch in self.recent if not launch.digest.startswith(known)),
            launched=_removed(self.launched, digest),
            others=_removed(self.others, digest),
        )


def settled(recent: tuple[RecentLaunch, ...], launched: bytes, others: bytes) -> SeenIds:
    """Return the ids with all but the newest launches packed, and without those beyond the limits."""
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
    """Return the index of *digest* in *ids*, -1 if it is missing; a match across two ids does not count."""
    place = ids.find(digest)
    while place >= 0 and place % SIZE:
        place = ids.find(digest, place + 1)
    return place


def _removed(ids: bytes, digest: bytes) -> bytes:
    place = _place(ids, digest)
    return ids if place < 0 else ids[:place] + ids[place + SIZE :]
