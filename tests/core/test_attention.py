"""From when on a model needs attention, for everything that a model may wait for."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from shared.config.model import Policy
from shared.decision.attention import FOR_PEOPLE, attention_at
from shared.decision.ending import End, ended
from shared.decision.pending import taken_over
from shared.decision.policy import decide
from shared.decision.state import ModelState
from shared.decision.steering import approved
from shared.decision.transitions import HAND_OVER_LEASE, checked, confirmed, decided
from shared.ports import Run
from tests.core.samples import HOUR, MINUTE, NOW, SECOND, trigger
from tests.core.setting import Setting, rules

MAX_RUN = 3 * HOUR
KEPT = Policy(cooldown=6 * HOUR, on_cooldown="queue")


def after(
    *triggers: str, policy: Policy | None = None, state: ModelState | None = None, tokens: bool = True
) -> ModelState:
    """Return *state*, initially empty, after *triggers* arrived now."""
    given = rules(Setting(policy=policy or Policy(max_run=MAX_RUN), honours_tokens=tokens))
    state = state or ModelState()
    for name in triggers:
        one = trigger(trigger_id=name)
        verdict = decide(state, one, given.policy, NOW)
        state = decided(state, one, verdict, given, now=NOW, holder="h")
    return state


def running(*later: str) -> ModelState:
    """Return the state of a model that has trained since now, with triggers that came *later*."""
    return after(*later, state=confirmed(after("a"), trigger(trigger_id="a").token, Run(run_id="r"), now=NOW))


def checked_at(moment: datetime) -> ModelState:
    """Return the state of a model that has trained since now, and whose status was requested at *moment*."""
    return checked(running(), "r", now=moment)


def following() -> ModelState:
    """Return the state of a model whose training has ended now, with one follow-up."""
    return ended(running(), End(run_id="r", result="failed", at=NOW, actions=("x",), holder="h"), now=NOW)


WAITING = after("a", policy=Policy(approval=True))
RELEASED = approved(WAITING, "a", "ada", now=NOW + HOUR)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(ModelState(), None, id="new"),
        pytest.param(after("a"), NOW + MINUTE, id="claimed"),
        pytest.param(after("a", tokens=False), NOW + HAND_OVER_LEASE, id="handed over"),
        pytest.param(running(), NOW + MINUTE, id="running"),
        pytest.param(running("b"), NOW, id="running, the next queued"),
        pytest.param(checked_at(NOW + 10 * MINUTE), NOW + 15 * MINUTE, id="queried after ten minutes"),
        pytest.param(checked_at(NOW + 2.5 * HOUR), NOW + MAX_RUN, id="queried before it is over"),
        pytest.param(after("b", policy=KEPT, state=dataclasses.replace(ModelState(), last_start=NOW)), NOW, id="kept"),
        pytest.param(WAITING, FOR_PEOPLE, id="waiting"),
        pytest.param(RELEASED, NOW + HOUR, id="released"),
        pytest.param(following(), NOW + MINUTE, id="follow-up"),
        pytest.param(
            taken_over(following(), now=NOW + HOUR, holder="i"), NOW + HOUR + 2 * MINUTE, id="follow-up, again"
        ),
        pytest.param(dataclasses.replace(following(), pending=()), None, id="idle"),
    ],
)
def test_a_model_needs_attention_from_the_first_of_its_reasons_on(state: ModelState, expected: datetime | None) -> None:
    """Nothing that waits is left without a time, and a model for which only an event can do anything has none."""
    assert attention_at(state, rules(Setting())) == expected


def test_a_status_is_requested_within_an_hour() -> None:
    """However long a training has taken and may take, its status is requested again after an hour at the latest."""
    unlimited = Policy(max_run=timedelta.max)
    state = confirmed(after("a", policy=unlimited), trigger(trigger_id="a").token, Run(run_id="r"), now=NOW)
    for moment in (NOW + SECOND, NOW + HOUR, NOW + 1000 * HOUR):
        at = attention_at(checked(state, "r", now=moment), rules(Setting(policy=unlimited)))
        assert at is not None
        assert MINUTE <= at - moment <= HOUR
