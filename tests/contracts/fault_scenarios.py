"""The fault matrix: what goes wrong with the delivery of a trigger, and how many trainings are right."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from tests.contracts.ports import CONTENDERS

# The platform delivers an event until it is acknowledged; so many times are enough for each scenario.
MOST_DELIVERIES: Final = 5


class Site(Protocol):
    """A receiver as deployed, its training service, and the faults of both."""

    def event(self, trigger_id: str, event_id: str = "") -> object:
        """Return the native event with this trigger; the event has an id of its own."""

    def unreadable(self) -> object:
        """Return an event that cannot be read."""

    def deliver(self, event: object) -> bool:
        """Deliver *event* once, and return whether it was acknowledged."""

    def deliver_concurrently(self, events: Sequence[object]) -> list[bool]:
        """Deliver each event to a process of its own, at the same moment."""

    def crash(self, event: object, *, started: bool) -> None:
        """Deliver *event* to a process that is killed before, or right after, the training service starts it."""

    def sweep(self) -> None:
        """Let the schedule of the sweep come due twice, long after all that happened before."""

    def trainings(self) -> list[str]:
        """Return the triggers of all trainings that really started."""

    def accounted(self) -> set[str]:
        """Return the triggers without a training that a person can look up: decisions and dead letters."""

    def letters(self) -> int:
        """Return how many dead letters there are."""

    def throttled(self) -> AbstractContextManager[None]:
        """Let the training service turn every start away."""

    def ledger_away(self) -> AbstractContextManager[None]:
        """Let the ledger be unreachable."""

    def end(self, trigger_id: str) -> object:
        """End the training of a trigger, and return the event that reports it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault.

    Attributes:
        name: what happens, for the table.
        right: how many trainings are right.
        play: lets it happen, and returns how many events were acknowledged and which triggers were sent.
        needs_ledger: whether it is about the ledger, which the usual function does not have.

    """

    name: str
    right: int
    play: Callable[[Site], tuple[int, set[str]]]
    needs_ledger: bool = False


def until_acknowledged(site: Site, event: object) -> int:
    """Deliver *event* as the platform does, and return how many deliveries were acknowledged: one, or none."""
    return int(any(site.deliver(event) for _ in range(MOST_DELIVERIES)))


def _three_times(site: Site) -> tuple[int, set[str]]:
    return sum(site.deliver(site.event("t-1")) for _ in range(3)), {"t-1"}


def _sent_again(site: Site) -> tuple[int, set[str]]:
    return sum(site.deliver(site.event("t-1", event_id)) for event_id in ("e-1", "e-2")), {"t-1"}


def _at_once(site: Site) -> tuple[int, set[str]]:
    return sum(site.deliver_concurrently([site.event("t-1")] * CONTENDERS)), {"t-1"}


def _many_triggers(site: Site) -> tuple[int, set[str]]:
    ids = {f"t-{number}" for number in range(CONTENDERS)}
    return sum(site.deliver_concurrently([site.event(each) for each in sorted(ids)])), ids


def _killed_before(site: Site) -> tuple[int, set[str]]:
    site.crash(site.event("t-1"), started=False)
    return until_acknowledged(site, site.event("t-1")), {"t-1"}


def _killed_after(site: Site) -> tuple[int, set[str]]:
    site.crash(site.event("t-1"), started=True)
    return until_acknowledged(site, site.event("t-1")), {"t-1"}


def _never_again(site: Site) -> tuple[int, set[str]]:
    site.crash(site.event("t-1"), started=False)
    site.sweep()
    return 0, {"t-1"}


def _throttled(site: Site) -> tuple[int, set[str]]:
    event = site.event("t-1")
    with site.throttled():
        early = sum(site.deliver(event) for _ in range(2))
    return early + until_acknowledged(site, event), {"t-1"}


def _ledger_away(site: Site) -> tuple[int, set[str]]:
    event = site.event("t-1")
    with site.ledger_away():
        early = int(site.deliver(event))
    return early + until_acknowledged(site, event), {"t-1"}


def _end_is_lost(site: Site) -> tuple[int, set[str]]:
    acknowledged = sum(site.deliver(site.event(each)) for each in ("t-1", "t-2"))
    site.end("t-1")
    site.sweep()
    return acknowledged, {"t-1", "t-2"}


def _unreadable(site: Site) -> tuple[int, set[str]]:
    return int(site.deliver(site.unreadable())), set()


SCENARIOS: Final = (
    Scenario(name="an event is delivered three times", right=1, play=_three_times),
    Scenario(name="an emitter sends a trigger again, as a new event", right=1, play=_sent_again),
    Scenario(name="16 processes get the same event at the same moment", right=1, play=_at_once),
    Scenario(name="16 triggers of one model arrive at the same moment", right=1, play=_many_triggers),
    Scenario(name="the process is killed before the start; the event comes again", right=1, play=_killed_before),
    Scenario(name="the process is killed after the start; the event comes again", right=1, play=_killed_after),
    Scenario(name="the process is killed before the start; the event never comes again", right=1, play=_never_again),
    Scenario(name="the training service throttles twice", right=1, play=_throttled),
    Scenario(name="the ledger is unavailable once", right=1, play=_ledger_away, needs_ledger=True),
    Scenario(name="a training's end is never reported, and another trigger waits", right=2, play=_end_is_lost),
    Scenario(name="an event cannot be read", right=0, play=_unreadable),
)
