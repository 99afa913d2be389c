"""The fault matrix on every cloud, and on the usual function; `make faults` writes docs/faults.md from its results."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

import pytest

from tests.contracts.clouds import Cloud
from tests.contracts.fault_scenarios import SCENARIOS, Scenario
from tests.contracts.naive_site import NaiveSite, naive
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import a_trigger, abandon_claim, state_of

pytestmark = pytest.mark.deep

# The usual function, and the same with an idempotency token, as a careful engineer writes it.
NAIVE: Final = {"naive": "aws_receive_untokened", "token": "aws_receive"}
# The numbers of the scenarios that go wrong with them; all others come out right.
WRONG: Final = {
    "naive": {0, 1, 2, 3, 5, 6, 10},
    "token": {3, 6, 10},
}


class CloudSite:
    """A cloud of the contract suite as a site of the fault matrix."""

    def __init__(self, cloud: Cloud) -> None:
        """Play on *cloud*."""
        self._cloud = cloud

    def event(self, trigger_id: str, event_id: str = "") -> object:
        """See the protocol."""
        if not event_id:
            return trigger_event(self._cloud, trigger_id)
        return self._cloud.event(a_trigger(trigger_id).to_fields(), id=event_id)

    def unreadable(self) -> object:
        """See the protocol."""
        return self._cloud.unreadable()

    def deliver(self, event: object) -> bool:
        """See the protocol."""
        return self._cloud.deliver(event).acknowledged

    def deliver_concurrently(self, events: Sequence[object]) -> list[bool]:
        """See the protocol."""
        return [delivery.acknowledged for delivery in self._cloud.deliver_concurrently(events)]

    def crash(self, event: object, *, started: bool) -> None:
        """See the protocol."""
        self._cloud.crash(event, started=started)

    def sweep(self) -> None:
        """See the protocol."""
        training = state_of(self._cloud.ledger).training
        if training is not None and training.run_id is None:
            abandon_claim(self._cloud.ledger, age=timedelta(minutes=10))
        for _ in range(2):
            assert self._cloud.sweep().acknowledged

    def trainings(self) -> list[str]:
        """See the protocol."""
        return self._cloud.trainings()

    def accounted(self) -> set[str]:
        """See the protocol."""
        return {decision.trigger_id for decision in state_of(self._cloud.ledger).decisions}

    def letters(self) -> int:
        """See the protocol."""
        return len(self._cloud.letters())

    def throttled(self) -> AbstractContextManager[None]:
        """See the protocol."""
        return self._cloud.training_away()

    def ledger_away(self) -> AbstractContextManager[None]:
        """See the protocol."""
        return self._cloud.ledger_away()

    def end(self, trigger_id: str) -> object:
        """See the protocol."""
        return self._cloud.end(trigger_id)


@pytest.fixture
def record(record_property: Callable[[str, object], None]) -> Callable[[str, Scenario, int, int, int, int], None]:
    """Return what keeps a result in the report of the run."""

    def recorded(site: str, scenario: Scenario, trainings: int, acknowledged: int, lost: int, letters: int) -> None:
        found = f"{site}|{SCENARIOS.index(scenario)}|{trainings}|{acknowledged}|{lost}|{letters}"
        record_property("fault", found)

    return recorded


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_a_cloud_starts_what_is_right_and_loses_nothing(
    cloud: Cloud, scenario: Scenario, record: Callable[[str, Scenario, int, int, int, int], None]
) -> None:
    """Under each fault there are as many trainings as are right, and every other trigger can be looked up."""
    site = CloudSite(cloud)
    acknowledged, sent = scenario.play(site)
    trainings = site.trainings()
    lost = len(sent - set(trainings) - site.accounted())
    letters = site.letters()
    record(cloud.name, scenario, len(trainings), acknowledged, lost, letters)
    assert (len(trainings), lost) == (scenario.right, 0)
    assert letters == (0 if sent else 1)


@pytest.fixture(params=NAIVE)
def usual(request: pytest.FixtureRequest) -> Iterator[tuple[str, NaiveSite]]:
    """Return the name of a usual function, and the function over an empty SageMaker."""
    with naive(NAIVE[request.param]) as site:
        yield request.param, site


@pytest.mark.parametrize(
    "scenario", [each for each in SCENARIOS if not each.needs_ledger], ids=lambda each: each.name.replace(" ", "-")
)
def test_the_usual_function_starts_too_many_or_loses_some(
    usual: tuple[str, NaiveSite], scenario: Scenario, record: Callable[[str, Scenario, int, int, int, int], None]
) -> None:
    """The usual function trains once more under the faults that are listed, or loses the trigger."""
    name, site = usual
    acknowledged, sent = scenario.play(site)
    trainings = len(site.trainings())
    lost = max(len(sent) - trainings, 0) if sent else int(site.letters() == 0)
    record(name, scenario, trainings, acknowledged, lost, 0)
    assert (trainings != scenario.right or lost > 0) == (SCENARIOS.index(scenario) in WRONG[name])
