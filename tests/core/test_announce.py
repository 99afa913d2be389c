"""People are notified of everything they should act on, through every channel; a channel that fails blocks nothing."""

import dataclasses
import json
import logging
from typing import Any

import pytest

from shared.errors import InvalidTriggerError, UnavailableError
from shared.training.channels import channel_label
from tests.core.deployment import Deployment, event, trigger_event
from tests.core.samples import HOUR, SECOND, model_text, trigger
from tests.fakes.faults import Fault, Script
from tests.fakes.training import TrainingService

SLACK, MAIL = "slack://token-a/token-b", "mailto://ada:secret@example.com"
ALL = '["launched", "ended", "failed", "rejected", "awaiting_approval"]'


def notifying(settings: str = "", on: str = ALL, channels: tuple[str, ...] = (SLACK,)) -> str:
    """Return a configuration of `churn` whose news are sent through *channels*."""
    return model_text(settings=settings) + f"[notify]\nchannels = {json.dumps(channels)}\non = {on}\n"


def events(deployment: Deployment) -> list[tuple[str, str]]:
    """Return the notices and their triggers, oldest first."""
    return [(notice.event, notice.trigger_id) for _, notice in deployment.channels.sent]


def test_a_start_is_reported() -> None:
    """The notice names the run and says why; repeats of the trigger are not notified."""
    deployment = Deployment(notifying())
    for _ in range(3):
        deployment.receive(trigger_event(reason="PSI 0.4", evidence={"report_url": "https://example.com"}))
    ((channel, notice),) = deployment.channels.sent
    assert (channel, notice.event, notice.cloud, notice.run_id) == (SLACK, "launched", "local", "run-1")
    assert (notice.model_id, notice.trigger_id, notice.reason) == ("churn", "t-1", "PSI 0.4")
    assert (notice.at, notice.evidence) == (deployment.now, {"report_url": "https://example.com"})


@pytest.mark.parametrize("save", [1, 2])
def test_a_start_is_reported_once_although_a_client_repeats_a_save(save: int) -> None:
    """The response to the save of the claim, or of the start, is lost, and the second response is a conflict."""
    deployment = Deployment(notifying())
    ledger = deployment.ledger.through(Script({save: Fault.REPEATED}))
    deployment.receiver = dataclasses.replace(deployment.receiver, ledger=ledger)
    assert deployment.receive(trigger_event()).decision == "launch"
    assert events(deployment) == [("launched", "t-1")]
    assert [line.reason for _, line in deployment.observed] == ["launched"]


def test_a_training_that_is_handed_over_is_reported() -> None:
    """Its start is all that can be notified."""
    deployment = Deployment(notifying())
    deployment.service = TrainingService(deployment.clock, honours_tokens=False, shows_runs=False)
    deployment.receive(trigger_event())
    assert [(notice.event, notice.result) for _, notice in deployment.channels.sent] == [("launched", "handed_over")]


def test_a_queued_start_is_reported_after_the_end() -> None:
    """Each training is notified once, with its own trigger."""
    deployment = Deployment(notifying())
    deployment.receive(trigger_event())
    deployment.receive(trigger_event("t-2"))
    deployment.wait(HOUR)
    deployment.end(trigger(), "run-1")
    assert events(deployment) == [("launched", "t-1"), ("launched", "t-2"), ("ended", "t-1")]


def test_a_waiting_trigger_is_reported() -> None:
    """A person learns what waits, once; the replacement is notified too."""
    deployment = Deployment(notifying("approval = true", on='["awaiting_approval"]'))
    for name in ("t-1", "t-1", "t-2"):
        deployment.receive(trigger_event(name, reason="PSI 0.4"))
    assert events(deployment) == [("awaiting_approval", "t-1"), ("awaiting_approval", "t-2")]
    assert deployment.channels.sent[0][1].reason == "PSI 0.4"


def test_a_queued_trigger_that_has_to_wait_is_reported() -> None:
    """A trigger that was queued behind a training waits for a person when that ends."""
    deployment = Deployment(notifying("approval = true"))
    deployment.emit("t-1")
    deployment.call("POST", "/models/churn/approve", {"trigger_id": "t-1"})
    deployment.carry()
    deployment.emit("t-2")
    deployment.end(deployment.service.runs["run-1"].request.trigger, "run-1")
    assert events(deployment) == [
        *(("awaiting_approval", "t-1"), ("launched", "t-1")),
        *(("ended", "t-1"), ("awaiting_approval", "t-2")),
    ]


def test_a_refused_training_is_reported() -> None:
    """The notice says what the service said."""
    deployment = Deployment(notifying())
    deployment.service.refusing = True
    deployment.receive(trigger_event())
    ((_, notice),) = deployment.channels.sent
    assert (notice.event, notice.trigger_id, notice.reason) == (
        *("rejected", "t-1"),
        "The training service refuses to train",
    )


WRONG: list[tuple[object, str, str]] = [
    (event({"model_id": "churn", "trigger_id": "t-1", "severity": "huge"}), "churn", "severity: must be one of"),
    (event({"model_id": "absent", "trigger_id": "t-1"}), "", "model_id: the configuration has no model 'absent'"),
    ("{", "", "an event must be an object"),
]


@pytest.mark.parametrize(("delivered", "model_id", "reason"), WRONG, ids=[reason for *_, reason in WRONG])
def test_a_rejected_event_is_reported(delivered: object, model_id: str, reason: str) -> None:
    """Whether it is for a model or for none, people learn what is wrong with it."""
    deployment = Deployment(notifying())
    deployment.receive(delivered)
    ((_, notice),) = deployment.channels.sent
    assert (notice.event, notice.model_id) == ("rejected", model_id)
    assert notice.reason.startswith(reason)


def test_a_rejected_event_that_comes_again_is_not_announced_again() -> None:
    """Where the platform keeps the dead letters, it delivers a rejected event several times first."""
    deployment = Deployment(notifying(), dead_letters=False)
    for _ in range(3):
        deployment.wait(SECOND)
        with pytest.raises(InvalidTriggerError, match="huge"):
            deployment.receive(WRONG[0][0])
    assert events(deployment) == [("rejected", "t-1")]


def test_what_was_not_requested_is_not_reported() -> None:
    """Unless the file says otherwise, people learn of failures, rejections and what waits for them."""
    deployment = Deployment(notifying().partition("on = ")[0])
    assert deployment.receiver.config.notify_on == ("failed", "rejected", "awaiting_approval", "stale")
    deployment.receive(trigger_event())
    deployment.end(trigger(), "run-1")
    assert deployment.channels.sent == []


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST])
def test_a_channel_that_fails_is_in_nobodys_way(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """The training starts once, the other channel is notified, and the log names the channel without its secrets."""
    deployment = Deployment(notifying(channels=(SLACK, MAIL)), outlet_gate=Script({0: fault}))
    with caplog.at_level(logging.INFO, logger="retrain"):
        assert deployment.receive(trigger_event()).reason == "launched"
    assert deployment.receive(trigger_event()).reason == "duplicate"
    assert len(deployment.service.runs) == 1
    assert deployment.channels.sent[-1][0] == MAIL
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (record.message, vars(record)["channel"]) == ("retrain.notice_failed", channel_label(SLACK))
    assert not any(secret in str(vars(record)) for secret in ("token-a", "token-b"))


def test_slow_channels_do_not_use_up_the_time() -> None:
    """A function must answer in time: the channels behind those that took too long are left out."""
    deployment = Deployment(notifying(channels=(SLACK, MAIL)))
    notifier: Any = deployment.receiver.notifier

    def slow(channel: str) -> Any:
        deployment.wait(20 * SECOND)
        return notifier(channel)

    deployment.receiver = dataclasses.replace(deployment.receiver, notifier=slow)
    assert deployment.receive(trigger_event()).reason == "launched"
    assert [channel for channel, _ in deployment.channels.sent] == [SLACK]


def test_a_start_that_only_its_end_shows_is_not_announced() -> None:
    """The end comes before the start is confirmed: people learn of the end alone."""
    deployment = Deployment(notifying(), launcher_gate=Script({0: Fault.LOST}))
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event())
    deployment.end(trigger(), "run-1")
    assert events(deployment) == [("ended", "t-1")]


@pytest.mark.parametrize(
    ("channel", "scheme"),
    [
        ("slack://token-a/token-b", "slack"),
        ("arn:aws:sns:eu-west-3:123456789012:retraining", "arn"),
        ("token-without-a-scheme", "channel"),
        ("a-very-long-token-that-ends-with-a:colon", "channel"),
    ],
)
def test_a_channel_is_named_without_its_secrets(channel: str, scheme: str) -> None:
    """The label has the scheme and eight characters of a digest, so that two channels of a kind differ."""
    label = channel_label(channel)
    assert label.rpartition("-")[0] == scheme
    assert (len(label), label) == (len(scheme) + 9, channel_label(channel))
    assert label != channel_label(f"{channel}x")


@pytest.mark.parametrize("refusing", [False, True], ids=["handed over", "refused"])
def test_a_notice_is_sent_although_the_start_behind_it_fails(*, refusing: bool) -> None:
    """The outcome of one trigger is announced even when the queued trigger that follows it cannot be started yet."""
    script = Script({0: Fault.THROTTLED, 2: Fault.THROTTLED})
    deployment = Deployment(notifying(channels=(SLACK, MAIL)), launcher_gate=script)
    deployment.service = TrainingService(deployment.clock, shows_runs=False)
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event("t-1"))
    deployment.receive(trigger_event("t-2"))
    deployment.service.refusing = refusing
    with pytest.raises(UnavailableError):
        deployment.receive(trigger_event("t-1"))
    assert script.calls == ["start"] * 3
    expected = ("rejected" if refusing else "launched", "t-1")
    assert events(deployment) == [expected] * 2
