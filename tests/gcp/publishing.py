"""Publishes many triggers in a process of its own: `python -m tests.gcp.publishing TOPIC COUNT`.

Prints how much memory that took beyond what one trigger takes, in KB.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from functions.gcp.bus import PubSubBus, publisher
from shared.trigger import RetrainTrigger

SENT_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
PADDING = "x" * 4_000


class Triggers(Sequence[RetrainTrigger]):
    """A sequence of triggers of 4 KB each that makes a trigger on access and keeps none."""

    def __init__(self, count: int) -> None:
        """Make none yet."""
        self._count = count

    def __len__(self) -> int:
        """Return their number."""
        return self._count

    def __iter__(self) -> Iterator[RetrainTrigger]:
        """Make them one after the other."""
        return (self[number] for number in range(self._count))

    @overload
    def __getitem__(self, place: int) -> RetrainTrigger: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[RetrainTrigger]: ...

    def __getitem__(self, place: int | slice) -> RetrainTrigger | Sequence[RetrainTrigger]:
        """Make one trigger, or a slice of them."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(self._count))]
        return RetrainTrigger(
            model_id=f"model-{place % 100}",
            trigger_id=f"t-{place}",
            origin="schedule",
            requested_at=SENT_AT,
            evidence={"padding": PADDING},
        )


def peak() -> int:
    """Return the peak memory of this process, in KB.

    Linux reports it here; that of getrusage includes the memory of the process that this one was forked from.
    """
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def main(topic: str, count: str) -> None:
    """Publish, and print the memory."""
    client = publisher()
    bus = PubSubBus(lambda: client, topic, "ml3_platform")
    bus.publish(Triggers(1))
    before = peak()
    bus.publish(Triggers(int(count)))
    sys.stdout.write(str(peak() - before))
    client.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
