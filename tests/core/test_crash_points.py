"""Every call of every path through the core, met by every fault: what was begun gets to its end exactly once."""

from collections.abc import Iterator
from typing import Final

import pytest

from shared.errors import RetrainError
from tests.core.aftermath import expected
from tests.core.paths import A_WHILE, ENDS, FOLLOWED, TRAININGS, Begin, Path, ended, followed, launch, new_witness
from tests.core.settling import settle
from tests.core.test_index import complete_index
from tests.core.witness import Witness
from tests.fakes.faults import Crash, Fault

TOKENS: Final = {"tokens": True, "handed over": False}

CASES: Final = [
    pytest.param(path, tokens, id=f"{path.__name__}-{name}")
    for path in TRAININGS
    for name, tokens in TOKENS.items()
    if tokens or path not in ENDS
]

# `make test` breaks every call off after it took effect, `make test-deep` in all other ways.
FAULTS: Final = [
    fault if fault is Fault.CRASH_AFTER else pytest.param(fault, marks=pytest.mark.deep) for fault in Fault
]


def broken_off(path: Path, *, tokens: bool, fault: Fault) -> Iterator[tuple[Witness, Begin]]:
    """Go along *path* again and again, in a new world each time, until *fault* has met every call of it once."""
    number, process = 0, None
    while process is None or process.faults:
        witness = new_witness(path, tokens=tokens)
        begin = path(witness)
        process = witness.begun(begin())
        while process.stops_before and len(process.calls) < number:
            witness.go(process)
        if process.stops_before:
            witness.go(process, fault)
            witness.finish(process)
            yield witness, begin
        number += 1
    assert number > 1, "nothing was tried"


def repeat(witness: Witness, begin: Begin) -> None:
    """Do once more what was broken off, until it succeeds."""
    process = witness.finish(witness.begun(begin()))
    assert not isinstance(process.error, Crash)
    if isinstance(process.error, RetrainError) and process.error.retryable:
        witness.advance(A_WHILE)
        witness.finish(witness.begun(begin()))


def check_outcome(witness: Witness, path: Path) -> None:
    """Assert that after everything is over the right trainings ran, each once where the service knows tokens."""
    settle(witness, refusing=witness.world.service.refusing)
    started = [run.request.trigger.trigger_id for run in witness.world.service.runs.values()]
    assert set(started) == TRAININGS[path]
    if witness.world.setting.honours_tokens:
        assert len(started) == len(set(started))
    if path in FOLLOWED:
        followed = {key for key, _ in witness.aftermath.doers if key[0] == "run-1"}
        assert followed == {("run-1", action) for action in expected(witness.world.setting, "succeeded")}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("path", "tokens"), CASES)
def test_repeat_immediately(path: Path, tokens: bool, fault: Fault) -> None:  # noqa: FBT001 - a parameter
    """Whatever call a fault meets: an immediate repeat comes to the same end as without the fault."""
    for witness, begin in broken_off(path, tokens=tokens, fault=fault):
        repeat(witness, begin)
        check_outcome(witness, path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("path", "tokens"), CASES)
def test_repeat_late(path: Path, tokens: bool, fault: Fault) -> None:  # noqa: FBT001 - a parameter
    """Whatever call a fault meets: a repeat after the claim was abandoned comes to the same end."""
    for witness, begin in broken_off(path, tokens=tokens, fault=fault):
        witness.advance(A_WHILE)
        repeat(witness, begin)
        check_outcome(witness, path)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("path", "tokens"), CASES)
def test_sweep_instead(path: Path, tokens: bool, fault: Fault) -> None:  # noqa: FBT001 - a parameter
    """Whatever call a fault meets: a sweep starts every training that was decided, before anything is repeated."""
    for witness, begin in broken_off(path, tokens=tokens, fault=fault):
        witness.advance(A_WHILE)
        assert witness.finish(witness.begun(witness.world.sweep())).error is None
        state = witness.world.state("churn")
        assert state.training is None or state.training.run_id
        assert not state.pending
        for (_, trigger_id), lines in witness.decisions.items():
            runs = [run for run in witness.world.service.runs.values() if run.request.trigger.trigger_id == trigger_id]
            assert bool(runs) == (lines[-1].decision == "launch")
        repeat(witness, begin)
        check_outcome(witness, path)


def test_cost_of_a_launch() -> None:
    """A launch costs four calls: one reading, one writing for the claim, the start, one writing to confirm it."""
    witness = new_witness(launch, tokens=True)
    assert witness.finish(witness.begun(launch(witness)())).calls == ["load", "save", "start", "save"]


def test_cost_of_a_duplicate() -> None:
    """A duplicate costs one reading."""
    witness = new_witness(launch, tokens=True)
    begin = launch(witness)
    witness.finish(witness.begun(begin()))
    assert witness.finish(witness.begun(begin())).calls == ["load"]


def test_cost_of_an_end() -> None:
    """An end that nothing follows costs four calls once the index is complete; each action its call and one writing."""
    calls = {}
    for path in (ended, followed):
        witness = new_witness(path, tokens=True)
        complete_index(witness.world.ledger)
        calls[path] = witness.finish(witness.begun(path(witness)())).calls
    start = ["start", "save"]
    assert calls[ended] == ["model_of_run", "load", "save", *start, "load"]
    # The first action finds that the start of the queued trigger has written since.
    actions = ["dispatch", "save", "load", "save", "send", "save", "send", "save"]
    assert calls[followed] == ["model_of_run", "load", "save", *start, *actions, "load"]


def test_many_deliveries_in_a_row() -> None:
    """An event that is delivered 51 times trains once."""
    witness = new_witness(launch, tokens=True)
    begin = launch(witness)
    for _ in range(51):
        witness.finish(witness.begun(begin()))
    assert len(witness.world.service.runs) == 1


@pytest.mark.parametrize("tokens", TOKENS.values(), ids=TOKENS)
def test_many_concurrent_deliveries(tokens: bool) -> None:  # noqa: FBT001 - a parameter
    """An event that is delivered 51 times concurrently, each delivery one step behind the other, trains once."""
    witness = new_witness(launch, tokens=tokens)
    begin = launch(witness)
    processes = [witness.begun(begin()) for _ in range(51)]
    while witness.world.processes:
        for process in processes:
            if process.stops_before:
                witness.go(process)
    settle(witness)
    assert len(witness.world.service.runs) == 1
