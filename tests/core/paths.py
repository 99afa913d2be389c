"""The paths through the core, each led up to the point where one process does the rest."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from shared.config.follow_ups import FollowUps
from shared.config.model import Policy
from shared.ports import RunResult
from tests.core.processes import Process
from tests.core.setting import Setting
from tests.core.witness import Witness
from tests.core.world import World
from tests.fakes.faults import Fault

# Longer than any claim is fresh, or any service may know a token.
A_WHILE: Final = timedelta(minutes=10)

Begin = Callable[[], Process]
Path = Callable[[Witness], Begin]


def launch(witness: Witness) -> Begin:
    """Deliver a trigger to a free model."""
    event = witness.world.emit("churn", trigger_id="first")
    return lambda: witness.world.deliver(event)


def refused(witness: Witness) -> Begin:
    """Deliver a trigger that the service refuses."""
    witness.world.service.refusing = True
    return launch(witness)


def refused_before_another(witness: Witness) -> Begin:
    """Deliver a trigger that the service refuses, after which the one queued behind it is refused too."""
    begin = launch(witness)
    stalled = witness.begun(begin())
    steps(witness, stalled, 2)
    witness.finish(witness.begun(witness.world.deliver(witness.world.emit("churn", trigger_id="second"))))
    witness.world.service.refusing = True
    witness.go(stalled, Fault.CRASH_BEFORE)
    witness.advance(A_WHILE)
    return begin


def abandoned(witness: Witness) -> Begin:
    """Deliver a trigger to a model whose claim is abandoned, so that it must help first."""
    stalled = witness.begun(launch(witness)())
    steps(witness, stalled, 2)
    witness.go(stalled, Fault.CRASH_BEFORE)
    witness.advance(A_WHILE)
    event = witness.world.emit("churn", trigger_id="second")
    return lambda: witness.world.deliver(event)


def swept(witness: Witness) -> Begin:
    """Sweep a model whose claim is abandoned."""
    abandoned(witness)
    return witness.world.sweep


def approved(witness: Witness) -> Begin:
    """Approve a waiting trigger."""
    witness.finish(witness.begun(launch(witness)()))
    return lambda: witness.world.judge("churn", "first", approved=True)


def released(witness: Witness) -> Begin:
    """Deliver a trigger once more that was approved."""
    witness.finish(witness.begun(approved(witness)()))
    event = witness.world.events[-1]
    return lambda: witness.world.deliver(event)


def ended(witness: Witness) -> Begin:
    """Deliver the end of a training behind which another trigger is queued."""
    for begin in (launch(witness), lambda: witness.world.deliver(witness.world.emit("churn", trigger_id="second"))):
        witness.finish(witness.begun(begin()))
    return _end_of_first(witness)


def ended_early(witness: Witness) -> Begin:
    """Deliver the end of a training whose start was never confirmed, and behind which another trigger is queued."""
    stalled = witness.begun(launch(witness)())
    steps(witness, stalled, 2)
    witness.finish(witness.begun(witness.world.deliver(witness.world.emit("churn", trigger_id="second"))))
    witness.go(stalled, Fault.CRASH_AFTER)
    return _end_of_first(witness)


def followed(witness: Witness) -> Begin:
    """Deliver the end of a training that a workflow, two channels and another trigger wait for."""
    return ended(witness)


def taken_over(witness: Witness) -> Begin:
    """Deliver a trigger to a model with unfinished follow-ups of a training."""
    witness.finish(witness.begun(launch(witness)()))
    stalled = witness.begun(_end_of_first(witness)())
    while stalled.stops_before != "dispatch":
        witness.go(stalled)
    witness.go(stalled, Fault.CRASH_BEFORE)
    witness.advance(A_WHILE)
    event = witness.world.emit("churn", trigger_id="second")
    return lambda: witness.world.deliver(event)


def _end_of_first(witness: Witness) -> Begin:
    witness.world.end(witness.world.service.running()[0], RunResult.SUCCEEDED)
    event = witness.world.events[-1]
    return lambda: witness.world.deliver(event)


def steps(witness: Witness, process: Process, number: int) -> None:
    """Let *process* make so many calls."""
    for _ in range(number):
        witness.go(process)


# Each path with the trainings that it leads to, once everything is over.
TRAININGS: Final[dict[Path, set[str]]] = {
    launch: {"first"},
    refused: set(),
    refused_before_another: set(),
    abandoned: {"first", "second"},
    swept: {"first", "second"},
    approved: {"first"},
    released: {"first"},
    ended: {"first", "second"},
    ended_early: {"first", "second"},
    followed: {"first", "second"},
    taken_over: {"first", "second"},
}
# Where something follows the training of `first`.
FOLLOWED: Final = (followed, taken_over)
# A training that is handed over has no end of ours.
ENDS: Final = (ended, ended_early, *FOLLOWED)
AFTER: Final = FollowUps(succeeded=("github:acme/churn#done", "notify"))


def new_witness(path: Path, *, tokens: bool) -> Witness:
    """Return the witness of an empty world for *path*."""
    policy = Policy(approval=path in (approved, released))
    after = AFTER if path in FOLLOWED else FollowUps()
    return Witness(World(Setting(policy=policy, honours_tokens=tokens, shows_runs=tokens, after=after)))
