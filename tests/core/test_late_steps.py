"""Steps that come too late, after another trigger or run took the place of the one they are for, change nothing."""

import pytest

from shared.config.model import Policy
from shared.decision.pending import given_up
from shared.decision.policy import decide
from shared.decision.seen import SIZE, SeenIds, packed
from shared.decision.state import ModelState, Pending
from shared.decision.transitions import checked, confirmed, decided, reclaimed, refused
from shared.http.messages import read_query
from shared.ports import Run
from tests.core.samples import HOUR, NOW, trigger
from tests.core.setting import Setting, rules

TOKEN = trigger().token


@pytest.fixture
def claimed() -> ModelState:
    """Return the state of a model on which a trigger has a claim."""
    verdict = decide(ModelState(), trigger(), Policy(), NOW)
    return decided(ModelState(), trigger(), verdict, rules(Setting()), now=NOW, holder="h")


def test_a_claim_of_another_token_is_neither_taken_over_nor_removed(claimed: ModelState) -> None:
    """Even after its lease; the same steps with its own token change the state."""
    late = NOW + 24 * HOUR
    other = trigger(trigger_id="other").token
    assert reclaimed(claimed, other, now=late, holder="x") == claimed
    assert refused(claimed, other, "no", now=late) == claimed
    assert reclaimed(claimed, TOKEN, now=late, holder="x") != claimed
    assert refused(claimed, TOKEN, "no", now=late).training is None


def test_a_check_of_an_earlier_run_is_not_recorded(claimed: ModelState) -> None:
    """The time of the last check is that of the run that is there."""
    running = confirmed(claimed, TOKEN, Run(run_id="r-1"), now=NOW)
    assert checked(running, "r-0", now=NOW + HOUR) == running
    assert checked(ModelState(), "r-1", now=NOW + HOUR) == ModelState()
    assert checked(running, "r-1", now=NOW + HOUR) != running


def test_a_follow_up_that_is_done_is_not_given_up() -> None:
    """Nothing is listed as rejected for it."""
    entry = Pending(
        run_id="r-1",
        trigger_id="t-1",
        token=TOKEN,
        result="failed",
        ended_at=NOW,
        actions=("notify:ops",),
        holder="h",
        claimed_at=NOW,
    )
    assert given_up(ModelState(), entry, "notify:ops", "no", now=NOW) == ModelState()


def test_an_id_is_not_found_across_two_others() -> None:
    """The packed ids are found at their own places only."""
    ids = SeenIds().with_other("a").with_other("b")
    shifted = ids.others[1 : SIZE + 1]
    assert packed(shifted.hex()) in ids.others
    moved = SeenIds(others=b"\0" + SeenIds().with_other("a").others + b"\0" * (SIZE - 1))
    assert not moved.has("a")
    assert ids.has("a")


def test_values_of_a_repeated_parameter_are_joined() -> None:
    """As API Gateway joins them."""
    assert read_query("a=1&b=&a=2") == {"a": "1,2", "b": ""}
