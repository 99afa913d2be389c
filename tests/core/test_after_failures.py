"""GitHub and the channels may fail: follow-ups are done later or given up, and block nothing else."""

import dataclasses
import logging
from datetime import timedelta
from typing import Any

import pytest

from shared.decision.state import MAX_ATTEMPTS, MAX_PENDING
from shared.training.channels import channel_label
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, trigger_event
from tests.core.following import GITHUB, MAIL, SLACK, after, letters, over
from tests.core.samples import HOUR, MINUTE, SECOND, trigger
from tests.fakes.faults import Fault, Script


def test_github_may_be_away() -> None:
    """The end is acknowledged and the queued trigger starts; the next trigger tries again, not before a minute."""
    gate = Script({0: Fault.THROTTLED})
    deployment = Deployment(after(), outlet_gate=gate)
    deployment.receive(trigger_event())
    deployment.receive(trigger_event("t-2"))
    deployment.wait(HOUR)
    assert deployment.end(trigger(), "run-1").reason == "succeeded"
    assert len(deployment.service.runs) == 2
    assert [entry.actions for entry in deployment.state().pending] == [(GITHUB,)]
    assert deployment.repositories.dispatched == []
    deployment.wait(MINUTE - SECOND)
    deployment.receive(trigger_event("t-3"))
    assert deployment.repositories.dispatched == []
    deployment.wait(SECOND)
    deployment.receive(trigger_event("t-3"))
    assert [dispatch.token for dispatch in deployment.repositories.dispatched] == [trigger().token]
    assert (deployment.state().pending, len(deployment.channels.sent)) == ((), 2)


def test_a_repeat_of_the_end_tries_again() -> None:
    """Unfinished follow-ups are taken over by the earlier event, delivered once more."""
    deployment = Deployment(after(), outlet_gate=Script({0: Fault.LOST}))
    over(deployment)
    deployment.wait(MINUTE)
    deployment.end(trigger(), "run-1")
    assert [dispatch.token for dispatch in deployment.repositories.dispatched] == [trigger().token] * 2
    assert deployment.state().pending == ()


def test_what_is_refused_is_given_up() -> None:
    """It goes to the dead letters and is listed at its model; what else follows is done all the same."""
    deployment = Deployment(after(succeeded=f'["{GITHUB}", "github:acme/churn#second", "notify"]'))
    deployment.repositories.refusing = True
    deployment.channels.closed.add(SLACK)
    over(deployment, times=2)
    errors = [
        f"{GITHUB}: GitHub refuses the dispatch",
        "github:acme/churn#second: GitHub refuses the dispatch",
        f"notify:{channel_label(SLACK)}: The channel is closed",
    ]
    assert [line.detail for line in reversed(deployment.state().rejected)] == errors
    assert [letter["error"] for letter in letters(deployment)] == errors
    assert letters(deployment)[0] == {
        "reason": "rejected",
        "error": errors[0],
        "event": {
            "model_id": "churn",
            "run_id": "run-1",
            "action": GITHUB,
            "trigger_id": "t-1",
            "token": trigger().token,
            "result": "succeeded",
        },
    }
    assert [channel for channel, _ in deployment.channels.sent] == [MAIL]
    assert deployment.state().pending == ()
    assert deployment.reasons() == ["launched"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"dispatcher": None}, "this bundle has no GitHub client"),
        ({"repositories": ()}, "'acme/churn' is no longer in github.repositories"),
    ],
)
def test_nothing_else_is_ever_dispatched_to(change: dict[str, Any], error: str) -> None:
    """A dispatch that is not allowed or not possible is given up, and nothing is sent."""
    deployment = Deployment(after())
    if "repositories" in change:
        change = {"config": dataclasses.replace(deployment.receiver.config, **change)}
    deployment.receiver = dataclasses.replace(deployment.receiver, **change)
    over(deployment)
    assert [letter["error"] for letter in letters(deployment)] == [f"{GITHUB}: {error}"]
    assert deployment.repositories.dispatched == []


def test_a_channel_that_is_not_configured_any_more_is_given_up() -> None:
    """A notice that waited is not sent to another channel instead."""
    deployment = Deployment(after(succeeded='["notify"]'), outlet_gate=Script({0: Fault.THROTTLED}))
    over(deployment)
    config = dataclasses.replace(deployment.receiver.config, channels=(MAIL,))
    deployment.receiver = dataclasses.replace(deployment.receiver, config=config)
    deployment.wait(MINUTE)
    sweep(deployment.receiver)
    assert [channel for channel, _ in deployment.channels.sent] == [MAIL]
    (letter,) = letters(deployment)
    assert letter["error"] == f"notify:{channel_label(SLACK)}: the configuration no longer has this channel"


def test_ten_attempts_are_made_in_seventeen_hours() -> None:
    """The pauses double from one minute on; then it is given up with a dead letter, and never tried again."""
    script = Script(dict.fromkeys(range(100), Fault.THROTTLED))
    deployment = Deployment(after(succeeded=f'["{GITHUB}"]'), outlet_gate=script)
    over(deployment)
    attempts, began = [timedelta()], deployment.now
    while deployment.state().pending:
        deployment.wait(MINUTE)
        before = len(script.calls)
        sweep(deployment.receiver)
        attempts += [deployment.now - began] * (len(script.calls) - before)
    assert attempts == [MINUTE * (2**number - 1) for number in range(MAX_ATTEMPTS)]
    assert deployment.now - began == MINUTE * (2**MAX_ATTEMPTS - 1)
    assert [letter["error"] for letter in letters(deployment)] == [f"{GITHUB}: no success in 10 attempts"]


def test_the_dead_letters_may_be_away() -> None:
    """A refusal is recorded once it is a dead letter, and not before."""
    deployment = Deployment(after(), letter_gate=Script({0: Fault.THROTTLED}))
    deployment.repositories.refusing = True
    over(deployment)
    assert ([entry.actions for entry in deployment.state().pending], letters(deployment)) == ([(GITHUB,)], [])
    deployment.wait(HOUR)
    sweep(deployment.receiver)
    assert (deployment.state().pending, len(letters(deployment))) == ((), 1)


def test_an_error_that_nobody_expects_is_not_an_obstacle(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its type alone, as its text may hold an address, and tried again."""
    failing = [ValueError(f"cannot read {SLACK}")]

    def notifier(_channel: str) -> Any:
        raise failing.pop()

    deployment = Deployment(after(succeeded='["notify"]'))
    working = deployment.receiver
    one = dataclasses.replace(working.config, channels=(SLACK,))
    deployment.receiver = dataclasses.replace(working, notifier=notifier, config=one)
    with caplog.at_level(logging.INFO, logger="retrain"):
        over(deployment)
    (record,) = [record for record in caplog.records if record.message == "retrain.follow_up_failed"]
    assert vars(record)["error"] == "ValueError"
    assert vars(record)["action"] == f"notify:{channel_label(SLACK)}"
    assert "token-a" not in str([vars(record) for record in caplog.records])
    deployment.receiver = dataclasses.replace(working, config=one)
    deployment.wait(MINUTE)
    sweep(deployment.receiver)
    assert len(deployment.channels.sent) == 1


def test_the_oldest_make_room() -> None:
    """A model keeps so many ends with something left to do; one more gives up the oldest, with a dead letter."""
    script = Script(dict.fromkeys(range(100), Fault.THROTTLED))
    deployment = Deployment(after(succeeded=f'["{GITHUB}"]'), outlet_gate=script)
    for number in range(MAX_PENDING + 2):
        deployment.receive(trigger_event(f"t-{number}"))
        deployment.wait(SECOND)
        deployment.end(trigger(trigger_id=f"t-{number}"), f"run-{number + 1}")
    assert [entry.trigger_id for entry in deployment.state().pending] == [f"t-{n}" for n in range(2, MAX_PENDING + 2)]
    assert [letter["event"]["trigger_id"] for letter in letters(deployment)] == ["t-0", "t-1"]
    assert letters(deployment)[0]["error"] == f"{GITHUB}: too many trainings have pending follow-ups"


def test_a_slow_channel_leaves_the_rest_to_later() -> None:
    """A function must answer in time: work that exceeds the time is done by the next process that handles the model."""
    deployment = Deployment(after())
    dispatcher = deployment.receiver.dispatcher

    class Slow:
        """GitHub, when it is slow."""

        def dispatch(self, dispatch: Any) -> None:
            """Take *dispatch* after a while."""
            deployment.wait(20 * SECOND)
            assert dispatcher is not None
            dispatcher.dispatch(dispatch)

    deployment.receiver = dataclasses.replace(deployment.receiver, dispatcher=Slow())
    over(deployment)
    assert (len(deployment.repositories.dispatched), deployment.channels.sent) == (1, [])
    deployment.wait(MINUTE)
    sweep(deployment.receiver)
    assert (len(deployment.repositories.dispatched), len(deployment.channels.sent)) == (1, 2)
