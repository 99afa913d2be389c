"""The allowed changes of a model's state from one save to the next."""

from collections.abc import Sequence
from typing import TypeVar

from shared.decision.seen import SIZE
from shared.decision.state import MAX_DECISIONS, MAX_REJECTED, MAX_RUNS, Decided, ModelState, Parked

T = TypeVar("T")


def added(before: Sequence[T], after: Sequence[T], most: int) -> Sequence[T]:
    """Return what is new in a history of at most so many items, newest first; nothing old may change or vanish."""
    for new in range(len(after) + 1):
        if after[new:] == before[: most - new]:
            return after[:new]
    raise AssertionError(f"history is rewritten from {before} to {after}")


def check_saved(before: ModelState, after: ModelState) -> None:
    """Assert that nothing gets lost between two states of one model."""
    lines = added(before.decisions, after.decisions, MAX_DECISIONS)
    added(before.rejected, after.rejected, MAX_REJECTED)
    added([run.run_id for run in before.runs], [run.run_id for run in after.runs], MAX_RUNS)
    _check_parked(before.queued, after.queued, lines)
    _check_parked(before.retry, after.retry, lines)
    _check_parked(before.waiting, after.waiting, lines)
    _check_training(before, after, lines)
    forgotten = _launches(before) - _launches(after)
    assert len(forgotten) <= sum(line.decision == "reject" for line in lines), "a launch is forgotten"


def _check_parked(before: Parked | None, after: Parked | None, lines: Sequence[Decided]) -> None:
    if before and (after is None or after.trigger != before.trigger):
        about = [line for line in lines if line.trigger_id == before.trigger.trigger_id]
        assert about, f"{before.trigger.trigger_id} does not wait any more, without a reason"


def _check_training(before: ModelState, after: ModelState, lines: Sequence[Decided]) -> None:
    old, new = before.training, after.training
    if old is None or (new and new.trigger == old.trigger):
        assert old is None or old.run_id is None or (new and new.run_id == old.run_id), "a run is forgotten"
        return
    if old.run_id:
        assert any(run.run_id == old.run_id and run.ended_at for run in after.runs), "a running training is dropped"
        return
    trigger_id = old.trigger.trigger_id
    refused = any(line.trigger_id == trigger_id and line.decision == "reject" for line in lines)
    # The one that was started behind it may have been refused already, but never in the same save.
    ran = any(run.trigger_id == trigger_id for run in after.runs[: len(after.runs) - len(before.runs) or None])
    assert refused or ran, f"the claim of {trigger_id} is dropped"


def _launches(state: ModelState) -> set[bytes]:
    """Return the digests of the launches that *state* remembers."""
    ids = state.seen.launched
    return {ids[place : place + SIZE] for place in range(0, len(ids), SIZE)}
