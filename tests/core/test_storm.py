"""Many triggers for one model at the same moment: what they cost together, in the time of a simulated ledger."""

import dataclasses
import heapq
import random

import pytest

from shared.backoff import CONTENTION
from shared.config.model import Policy
from shared.receive import receive, receive_batch
from shared.training.arrivals import Outcome
from tests.core.deployment import Deployment, decode, trigger_event
from tests.core.processes import Process
from tests.core.setting import Setting
from tests.core.world import World
from tests.core.world import decode as decode_world
from tests.fakes.faults import Gate

# Twice what a call to DynamoDB, Firestore or Table storage usually takes.
CALL_SECONDS = 0.02


def storm(triggers: int, seed: int) -> list[Process]:
    """Deliver so many triggers for one model within 50 ms, and let their processes run in simulated time to the end."""
    world, chance = World(Setting(policy=Policy())), random.Random(seed)  # noqa: S311 - a simulation that can be repeated

    def work(gate: Gate) -> object:
        contention = dataclasses.replace(
            CONTENTION, chance=chance.random, sleep=lambda seconds: gate(f"sleep {seconds}", lambda: None)
        )
        receiver = dataclasses.replace(world.receiver(gate), contention=contention)
        return receive(receiver, bodies.pop(), decode_world)

    bodies = [world.emit("churn").body for _ in range(triggers)]
    processes = [Process(f"delivery {number}", work, world.now) for number in range(triggers)]
    times = [(chance.random() * 0.05, number) for number in range(triggers)]
    heapq.heapify(times)
    while times:
        time, number = heapq.heappop(times)
        process = processes[number]
        process.go()
        # A call that was just begun is over after its time; then the next one begins.
        pause = process.calls[-1].removeprefix("sleep ") if process.calls[-1].startswith("sleep ") else None
        takes = float(pause) if pause else CALL_SECONDS * (1 + chance.random() / 2)
        if process.stops_before:
            heapq.heappush(times, (time + takes, number))
    return processes


@pytest.mark.parametrize("triggers", [10, 50, 200])
def test_a_storm_costs_few_calls_a_trigger(triggers: int) -> None:
    """Two hundred triggers at the same moment need at most twelve ledger calls each, and none of them fails."""
    processes = storm(triggers, seed=triggers)
    assert [process.error for process in processes] == [None] * triggers
    calls = [call for process in processes for call in process.calls if call in ("load", "save")]
    assert len(calls) <= 12 * triggers
    outcomes = [process.answer for process in processes if isinstance(process.answer, Outcome)]
    assert sorted(outcome.decision for outcome in outcomes) == ["launch"] + ["queue"] * (triggers - 1)


def test_a_batch_is_decided_in_one_load_and_one_save() -> None:
    """Triggers of one model that arrive together cost as much as one; each has its own decision, in their order."""
    deployment = Deployment()
    events = [trigger_event("t-1"), trigger_event("t-2"), trigger_event("t-1"), trigger_event("t-3")]
    results = receive_batch(deployment.receiver, events, decode)
    assert [result.reason if isinstance(result, Outcome) else result for result in results] == [
        *("launched", "queued", "duplicate", "queued"),
    ]
    # One save for all decisions, one for the confirmation of the start.
    assert len(deployment.ledger.history) == 2
    assert deployment.reasons() == ["launched", "queued", "superseded", "queued"]
    queued = deployment.state().queued
    assert queued is not None
    assert queued.trigger.trigger_id == "t-3"
