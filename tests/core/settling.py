"""The conditions that hold in a world once every fault is over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from shared.decision import transitions
from shared.decision.attention import CHECK_AT_LEAST_EVERY
from shared.decision.state import ModelState
from shared.http import verbs
from shared.ports import RunResult
from tests.core.setting import MODELS, rules
from tests.core.witness import Witness
from tests.fakes.memory import IndexState

ROUNDS: Final = 6
DAY: Final = timedelta(days=1)


def settle(witness: Witness, *, refusing: bool = False) -> None:
    """Let every fault be over, deliver what is left and sweep; assert that everything gets to its end.

    Args:
        witness: of the world.
        refusing: whether the service refuses to train from then on.

    """
    world = witness.world
    for process in list(world.processes):
        witness.finish(process)
    world.service.refusing = refusing
    world.ledger.index_state = IndexState.CURRENT
    _repeat(witness, _deliver_all, lambda: any(not event.acknowledged for event in world.events))
    for model_id in MODELS:
        claim = world.state(model_id).training
        assert claim is None or claim.run_id, f"{model_id} stays claimed"
    witness.steering.settled()
    _repeat(witness, _end_all, lambda: any(world.state(model_id).training for model_id in MODELS))
    _repeat(witness, _wait, lambda: any(world.state(model_id).pending for model_id in MODELS))
    for model_id in MODELS:
        assert not transitions.can_advance(world.state(model_id), rules(world.setting, model_id), world.now), (
            f"{model_id} keeps a trigger that nothing holds back"
        )
    _repeat(witness, _release, lambda: any(_is_kept(world.state(model_id)) for model_id in MODELS))
    for (model_id, trigger_id), lines in witness.decisions.items():
        assert witness.is_tracked(model_id, trigger_id), f"a run of {trigger_id} is not in the history"
        if (model_id, trigger_id) in witness.overlapped:
            continue
        launched = lines[-1].decision == "launch"
        assert launched == bool(witness.runs_of(model_id, trigger_id)), f"{trigger_id}: {lines[-1]}"


def sweep(witness: Witness) -> None:
    """Sweep when no claim is fresh any more, by whatever clock it was made."""
    witness.advance(transitions.HAND_OVER_LEASE + witness.world.most_skew)
    assert witness.finish(witness.begun(witness.world.sweep())).error is None


def _repeat(witness: Witness, move: Callable[[Witness], None], undone: Callable[[], bool]) -> None:
    for _ in range(ROUNDS):
        move(witness)
        sweep(witness)
        if not undone():
            return
    raise AssertionError("something is left undone")


def _deliver_all(witness: Witness) -> None:
    for event in [event for event in witness.world.events if not event.acknowledged]:
        witness.finish(witness.begun(witness.world.deliver(event)))


def _wait(witness: Witness) -> None:
    """Let every pause between two attempts be over."""
    witness.advance(DAY)


def _release(witness: Witness) -> None:
    """End every pause, and let every cooldown, budget and delay be over."""
    for model_id in MODELS:
        assert witness.finish(witness.begun(witness.world.steer(verbs.resume, model_id))).error is None
    witness.advance(8 * DAY)
    sweep(witness)
    _end_all(witness)


def _is_kept(state: ModelState) -> bool:
    return state.kept is not None or state.training is not None


def _end_all(witness: Witness) -> None:
    for run in witness.world.service.running():
        witness.world.end(run, RunResult.SUCCEEDED, reports=0)
    witness.advance(CHECK_AT_LEAST_EVERY)
