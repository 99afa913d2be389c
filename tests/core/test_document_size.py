"""The document that a ledger keeps stays small, whatever a model has been through."""

import dataclasses

import pytest

from shared.config.follow_ups import MAX_ACTIONS, MAX_CHANNELS
from shared.decision import pending
from shared.decision.ending import End, ended
from shared.decision.policy import Verdict
from shared.decision.seen import MAX_LAUNCHES, MAX_OTHERS
from shared.decision.state import (
    MAX_DECISIONS,
    MAX_PENDING,
    MAX_REJECTED,
    MAX_RUNS,
    ModelState,
    Parked,
    PastRun,
    Training,
)
from shared.decision.transitions import decided
from shared.ledger.document import write_state
from tests.core.samples import NOW, trigger
from tests.core.setting import Setting, rules

# The smallest limit of the ledgers: DynamoDB takes 400 KB an item.
ITEM = 400 * 1024


def largest(text: str) -> ModelState:
    """Return a state in which everything is as long as the rules allow, written with the character *text*."""
    mapping = {"a": "x" * (16 * 1024 - len('{"a": ""}'))}
    requested = trigger(
        model_id=text * 256,
        trigger_id=text * 128,
        reason=text * 512,
        requested_by=text * 512,
        parameters=mapping,
        evidence=mapping,
    )
    skip = Verdict(decision="launch", reason="awaiting_approval", detail=text * 1000)
    line = decided(ModelState(), requested, skip, rules(Setting()), now=NOW, holder="").decisions[0]
    run = PastRun(run_id="r" * 300, trigger_id=text * 128, started_at=NOW, ended_at=NOW, url="u" * 500)
    parked = Parked(trigger=requested, since=NOW, approved_by=text * 512, approved_at=NOW)
    claim = Training(trigger=requested, claimed_at=NOW, first_claimed_at=NOW, holder="h" * 36, run_id="r" * 300)
    training = dataclasses.replace(claim, url="u" * 500)
    state = ModelState(
        queued=parked,
        waiting=parked,
        decisions=(line,) * MAX_DECISIONS,
        runs=(run,) * MAX_RUNS,
        rejected=(line,) * MAX_REJECTED,
    )
    for number in range(MAX_LAUNCHES + MAX_OTHERS):
        state = state.remembering(f"t-{number}", NOW, launched=number < MAX_LAUNCHES)
    for _ in range(MAX_PENDING):
        state = ended(dataclasses.replace(state, training=training), longest_end(text), now=NOW)
    channels = tuple(action for action in longest_end(text).actions if action.startswith("notify:"))
    asked_about = pending.approval_requested(state, parked, channels, now=NOW, holder="h" * 36)
    return dataclasses.replace(asked_about, training=training)


def longest_end(text: str) -> End:
    """Return an end after which as much is to be done as a configuration may say."""
    actions = [f"github:{'o' * 100}/{'r' * 100}#{text * 98}{number:02}" for number in range(MAX_ACTIONS)]
    actions += [f"notify:{'s' * 20}-{number:08}" for number in range(MAX_CHANNELS)]
    return End(run_id="r" * 300, result="succeeded", at=NOW, actions=tuple(actions), holder="h" * 36)


@pytest.mark.parametrize("text", ["x", "\u00e9", "\u6a21", "\U0001f600"])
def test_the_largest_state_fits_into_every_ledger(text: str) -> None:
    """Every field at its limit in any script stays below what the smallest item of a ledger holds."""
    assert len(write_state(largest(text)).encode()) < ITEM
