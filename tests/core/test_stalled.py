"""Processes that stand still at the worst moment, as far as their function's timeout lets them."""

import dataclasses
from datetime import timedelta
from typing import Final

import pytest

from shared.config.model import Policy
from shared.decision.attention import CHECK_EVERY
from shared.decision.transitions import HAND_OVER_LEASE
from shared.errors import LaunchInProgressError
from shared.ports import RunResult
from tests.core.processes import Process
from tests.core.samples import HOUR, SECOND
from tests.core.setting import Setting
from tests.core.settling import settle
from tests.core.witness import Witness
from tests.core.world import Event, World
from tests.fakes.faults import Fault

COOLDOWN: Final = Policy(cooldown=6 * HOUR)
# Where a launch stands before each of its calls.
BEFORE_CLAIMING: Final = 1
BEFORE_START: Final = 2
BEFORE_CONFIRMING: Final = 3


def new_witness(policy: Policy, *, tokens: bool = True) -> Witness:
    """Return the witness of an empty world."""
    return Witness(World(Setting(policy=policy, honours_tokens=tokens, shows_runs=tokens)))


def begin(witness: Witness, event: Event, steps: int) -> Process:
    """Deliver *event* and stand still after so many calls."""
    process = witness.begun(witness.world.deliver(event))
    for _ in range(steps):
        witness.go(process)
    return process


def reason_of(witness: Witness, trigger_id: str) -> str:
    """Request a training, and return the reason of the decision."""
    process = witness.begun(witness.world.deliver(witness.world.emit("churn", trigger_id=trigger_id)))
    witness.finish(process)
    return witness.decisions["churn", trigger_id][0].reason


def advance_to(witness: Witness, age: timedelta) -> None:
    """Let time pass until the first run started *age* ago."""
    run = next(iter(witness.world.service.runs.values()))
    witness.advance(run.started_at + age - witness.world.now)


def end_first(witness: Witness) -> None:
    """Let the first run end, and deliver the news."""
    witness.world.end(next(iter(witness.world.service.runs.values())), RunResult.SUCCEEDED)
    witness.finish(witness.begun(witness.world.deliver(witness.world.events[-1])))


def check_cooldown(witness: Witness) -> None:
    """Assert that the cooldown counts from no time before the real start of the first run."""
    advance_to(witness, COOLDOWN.cooldown - SECOND)
    assert reason_of(witness, "too early") == "cooldown"


def test_late_start() -> None:
    """The cooldown counts from the start, even if that came long after the claim."""
    witness = new_witness(COOLDOWN)
    process = begin(witness, witness.world.emit("churn"), BEFORE_START)
    witness.advance(59 * SECOND)
    witness.finish(process)
    end_first(witness)
    check_cooldown(witness)


def test_late_start_that_is_never_confirmed() -> None:
    """The cooldown counts from the start, even if only the end of the training reports it."""
    witness = new_witness(COOLDOWN)
    process = begin(witness, witness.world.emit("churn"), BEFORE_START)
    witness.advance(59 * SECOND)
    witness.go(process, Fault.CRASH_AFTER)
    end_first(witness)
    check_cooldown(witness)


def test_late_help_that_is_never_confirmed() -> None:
    """The cooldown counts from the start, even if who found the claim still fresh made it at the last moment."""
    witness = new_witness(COOLDOWN)
    event = witness.world.emit("churn")
    claimer = begin(witness, event, BEFORE_START)
    witness.go(claimer, Fault.CRASH_BEFORE)
    witness.advance(59 * SECOND)
    repeat = begin(witness, event, 1)
    witness.advance(59 * SECOND)
    witness.go(repeat, Fault.CRASH_AFTER)
    end_first(witness)
    check_cooldown(witness)


def test_end_of_a_long_training_that_was_never_confirmed() -> None:
    """The cooldown does not count from the end of a training, even if nothing else reports the training."""
    witness = new_witness(COOLDOWN)
    process = begin(witness, witness.world.emit("churn"), BEFORE_START)
    witness.go(process, Fault.CRASH_AFTER)
    advance_to(witness, 5 * HOUR)
    end_first(witness)
    advance_to(witness, COOLDOWN.cooldown + 2 * 60 * SECOND)
    assert reason_of(witness, "in time") == "launched"


def test_a_claim_counts_as_a_start() -> None:
    """The cooldown holds for the next trigger although the start is not confirmed yet."""
    witness = new_witness(COOLDOWN)
    process = begin(witness, witness.world.emit("churn"), BEFORE_START)
    assert reason_of(witness, "second") == "cooldown"
    witness.finish(process)
    end_first(witness)
    settle(witness)


def test_confirmed_after_the_end() -> None:
    """Who confirms a training that is over already leaves alone what was claimed since."""
    witness = new_witness(Policy())
    process = begin(witness, witness.world.emit("churn"), BEFORE_CONFIRMING)
    end_first(witness)
    second = begin(witness, witness.world.emit("churn", trigger_id="second"), BEFORE_START)
    witness.finish(process)
    claim = witness.world.state("churn").training
    assert claim is not None
    assert (claim.trigger.trigger_id, claim.run_id) == ("second", None)
    witness.finish(second)
    settle(witness)


@pytest.mark.parametrize("steps", [BEFORE_START, BEFORE_CONFIRMING])
def test_repeat_of_what_is_being_handed_over(steps: int) -> None:
    """A repeat is turned away as long as the first one may still hand the training over or confirm that it did."""
    witness = new_witness(Policy(), tokens=False)
    event = witness.world.emit("churn")
    process = begin(witness, event, steps)
    witness.advance(59 * SECOND)
    assert isinstance(witness.finish(begin(witness, event, 0)).error, LaunchInProgressError)
    assert not event.acknowledged
    witness.finish(process)
    assert len(witness.world.service.runs) == 1
    settle(witness)


def test_nothing_is_handed_over_late() -> None:
    """A hand-over that might still go on when the claim counts as abandoned is left to a repeat, which does it once."""
    witness = new_witness(Policy(), tokens=False)
    event = witness.world.emit("churn")
    process = begin(witness, event, BEFORE_CLAIMING)
    witness.advance(21 * SECOND)
    assert isinstance(witness.finish(process).error, LaunchInProgressError)
    assert not witness.world.service.runs
    witness.advance(HAND_OVER_LEASE)
    assert witness.finish(begin(witness, event, 0)).error is None
    assert len(witness.world.service.runs) == 1
    settle(witness)


def test_rejected_event_whose_record_is_written_twice() -> None:
    """A rejected event is listed once, even if the ledger's client had to retry."""
    witness = new_witness(Policy())
    process = begin(witness, witness.world.put({"wrong": "text"}), 2)
    assert process.stops_before == "save"
    witness.go(process, Fault.REPEATED)
    witness.finish(process)
    assert len(witness.world.state("churn").rejected) == 1


def test_confirming_beside_somebody_else() -> None:
    """Who confirms a start keeps what was decided meanwhile, between his claim and his writing."""
    witness = new_witness(Policy())
    process = begin(witness, witness.world.emit("churn"), BEFORE_CONFIRMING)
    assert process.stops_before == "save"
    assert reason_of(witness, "second") == "queued"
    witness.finish(process)
    state = witness.world.state("churn")
    assert state.training is not None
    assert state.training.run_id
    assert state.queued is not None
    settle(witness)


def test_confirmed_by_two_at_the_same_moment() -> None:
    """Both save equal states, which only the id of the save distinguishes: the start is announced once."""
    witness = Witness(World(Setting(notify_on=("launched",))))
    event = witness.world.emit("churn")
    slow = begin(witness, event, BEFORE_CONFIRMING)
    assert witness.finish(begin(witness, event, 0)).calls == ["load", "start", "save", "send", "send"]
    assert witness.finish(slow).calls[BEFORE_CONFIRMING:] == ["save", "load"]
    settle(witness)


def overlapping(witness: Witness) -> tuple[Process, Process]:
    """Return two processes that are about to start the same training; the service will refuse the first request."""
    event = witness.world.emit("churn", trigger_id="first")
    processes = begin(witness, event, BEFORE_START), begin(witness, event, 1)
    assert [process.stops_before for process in processes] == ["start", "start"]
    witness.world.service.refusing = True
    return processes


def test_started_after_it_was_refused() -> None:
    """The second process gets its training started after the first one has recorded a refusal: the run is tracked."""
    witness = Witness(World(Setting(notify_on=("launched", "rejected"))))
    refused, started = overlapping(witness)
    witness.finish(refused)
    witness.world.service.refusing = False
    witness.finish(started)
    state = witness.world.state("churn")
    assert state.training is not None
    assert (state.training.run_id, [run.run_id for run in state.runs]) == ("run-1", ["run-1"])
    assert [line.reason for line in reversed(state.decisions)] == ["launched", "rejected", "launched"]
    assert {notice.event for _, notice in witness.world.channels.sent} == {"launched", "rejected"}
    assert reason_of(witness, "second") == "queued"
    end_first(witness)
    settle(witness)


def test_started_after_another_took_its_place() -> None:
    """The trigger behind the refused one trains already: the second process has its run stopped, and lists it."""
    witness = new_witness(Policy())
    refused, started = overlapping(witness)
    assert reason_of(witness, "second") == "queued"
    witness.go(refused)
    witness.world.service.refusing = False
    witness.finish(refused)
    witness.finish(started)
    state = witness.world.state("churn")
    assert state.training is not None
    assert (state.training.run_id, witness.world.service.cancelled) == ("run-1", ["run-2"])
    assert [(run.run_id, run.result) for run in state.runs] == [("run-2", "gone"), ("run-1", None)]
    witness.world.end(witness.world.service.runs["run-2"], RunResult.STOPPED)
    witness.finish(witness.begun(witness.world.deliver(witness.world.events[-1])))
    assert witness.world.state("churn").runs[0].result == "stopped"
    settle(witness)


def test_approved_too_soon() -> None:
    """A trigger that a person releases during a cooldown, begun while it waited, is skipped."""
    witness = new_witness(dataclasses.replace(COOLDOWN, approval=True))
    assert reason_of(witness, "waiting") == "awaiting_approval"
    witness.world.deploy(COOLDOWN)
    assert reason_of(witness, "second") == "launched"
    end_first(witness)
    witness.finish(witness.begun(witness.world.judge("churn", "waiting", approved=True)))
    witness.finish(witness.begun(witness.world.deliver(witness.world.events[-1])))
    assert [line.reason for line in witness.decisions["churn", "waiting"]] == ["awaiting_approval", "cooldown"]
    settle(witness)


def test_overdue() -> None:
    """A training counts as gone when it is as long as `max_run`, and not before."""
    policy = Policy(max_run=2 * HOUR)
    witness = new_witness(policy)
    assert reason_of(witness, "first") == "launched"
    advance_to(witness, policy.max_run - CHECK_EVERY)
    assert reason_of(witness, "second") == "queued"
    advance_to(witness, policy.max_run)
    assert reason_of(witness, "third") == "queued"
    assert [line.reason for line in witness.decisions["churn", "second"]] == ["queued", "launched"]
