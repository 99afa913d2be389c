"""People are notified of a training that waits for them until a notice arrives, or it does not wait any more."""

import pytest

from shared.training.follow_up import resume_follow_ups
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, trigger_event
from tests.core.following import MAIL, OUTLETS, SLACK, letters
from tests.core.samples import HOUR, MINUTE, SECOND, model_text
from tests.fakes.faults import Crash, Fault, Script


def waiting(script: dict[int, Fault] | None = None) -> Deployment:
    """Return a deployment whose trainings need an approval; *script* is what meets the calls to the channels."""
    return Deployment(model_text(settings="approval = true") + OUTLETS, outlet_gate=Script(script or {}))


def questions(deployment: Deployment) -> list[tuple[str, str]]:
    """Return the channels that requested an approval, and the triggers, oldest first."""
    sent = deployment.channels.sent
    return [(channel, notice.trigger_id) for channel, notice in sent if notice.event == "awaiting_approval"]


def test_a_channel_that_is_away_is_called_again() -> None:
    """Nothing is lost by a channel that does not answer: the sweep retries that channel, and only that."""
    deployment = waiting({0: Fault.THROTTLED})
    assert deployment.receive(trigger_event(reason="PSI 0.4")).reason == "awaiting_approval"
    assert questions(deployment) == [(MAIL, "t-1")]
    deployment.wait(MINUTE - SECOND)
    sweep(deployment.receiver)
    assert questions(deployment) == [(MAIL, "t-1")]
    deployment.wait(SECOND)
    for _ in range(2):
        sweep(deployment.receiver)
    assert questions(deployment) == [(MAIL, "t-1"), (SLACK, "t-1")]
    assert deployment.channels.sent[-1][1].reason == "PSI 0.4"
    assert deployment.state().pending == ()


def test_a_crash_before_the_question_loses_nothing() -> None:
    """The wait and the promised approval request are one write: the next process that handles the model sends it."""
    deployment = waiting({0: Fault.CRASH_BEFORE})
    with pytest.raises(Crash):
        deployment.receive(trigger_event())
    assert questions(deployment) == []
    deployment.wait(MINUTE)
    assert deployment.receive(trigger_event()).reason == "duplicate"
    assert questions(deployment) == [(SLACK, "t-1"), (MAIL, "t-1")]


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_no_approval_is_requested_after_the_answer(verb: str) -> None:
    """A late approval request is dropped once a person has decided."""
    deployment = waiting({0: Fault.THROTTLED})
    deployment.receive(trigger_event())
    assert deployment.call("POST", f"/models/churn/{verb}", {"trigger_id": "t-1"}).status == 200
    deployment.wait(24 * HOUR)
    sweep(deployment.receiver)
    assert questions(deployment) == [(MAIL, "t-1")]
    assert (deployment.state().pending, letters(deployment)) == ((), [])


def test_an_approval_is_not_requested_again_for_a_released_trigger() -> None:
    """A process that retries an approval request after the release, before the start, sends nothing."""
    deployment = waiting({0: Fault.THROTTLED})
    deployment.receive(trigger_event())
    deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"})
    deployment.wait(24 * HOUR)
    released = deployment.state()
    assert released.waiting is not None
    resume_follow_ups(deployment.receiver, "churn", released)
    assert questions(deployment) == [(MAIL, "t-1")]


def test_a_newer_trigger_is_the_only_request() -> None:
    """No approval is requested for the replaced trigger, however often the channels were away."""
    deployment = waiting(dict.fromkeys(range(8), Fault.THROTTLED))
    for number in range(4):
        deployment.receive(trigger_event(f"t-{number}"))
    assert [entry.trigger_id for entry in deployment.state().pending] == ["t-3"]
    deployment.wait(24 * HOUR)
    sweep(deployment.receiver)
    assert questions(deployment) == [(SLACK, "t-3"), (MAIL, "t-3")]


def test_a_channel_that_never_takes_it_is_given_up() -> None:
    """The question lies among the dead letters then, and the model lists it; the trigger waits on."""
    deployment = waiting()
    deployment.channels.closed.add(SLACK)
    deployment.receive(trigger_event())
    assert questions(deployment) == [(MAIL, "t-1")]
    assert [letter["error"].partition(": ")[2] for letter in letters(deployment)] == ["The channel is closed"]
    assert deployment.state().rejected[0].trigger_id == "t-1"
    assert deployment.state().waiting is not None


def test_what_is_not_reported_yet_can_be_looked_up() -> None:
    """`GET /models/{model_id}` shows what is left to do, without the addresses of the channels."""
    deployment = waiting({0: Fault.THROTTLED})
    deployment.receive(trigger_event())
    (entry,) = deployment.get("/models/churn")["follow_ups"]
    assert (entry["trigger_id"], entry["run_id"], entry["attempts"]) == ("t-1", None, 1)
    assert [action.rpartition("-")[0] for action in entry["actions"]] == ["notify:slack"]
    assert "token-a" not in str(entry)
