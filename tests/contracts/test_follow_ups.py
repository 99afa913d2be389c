"""Follow-ups of a training are done once for each end, however it is reported and whichever service is away."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from shared.fields import format_time
from tests.contracts.clouds import Cloud
from tests.contracts.configuration import COMPLETED, FAILED, REPOSITORY
from tests.contracts.messages import Delivery, Notice
from tests.contracts.on_azure import Azure
from tests.contracts.outlets import PASSWORD, TOKEN
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import WHY, a_trigger, abandon_follow_ups, state_of

MODEL: Final = "followed"

Tell = Callable[[Cloud, object], Sequence[Delivery]]


def _by_the_platform(cloud: Cloud, end: object) -> Sequence[Delivery]:
    cloud.put(end)
    cloud.drain()
    return ()


REPORTED: Final[Mapping[str, Tell]] = {
    "by the platform": _by_the_platform,
    "three times": lambda cloud, end: [cloud.deliver(end) for _ in range(3)],
    "three times together": lambda cloud, end: cloud.deliver_concurrently([end] * 3),
}


def begin(cloud: Cloud, *trigger_ids: str) -> None:
    """Request trainings: the first one runs, the second one waits behind it."""
    verdicts = [cloud.deliver(trigger_event(cloud, trigger_id, model_id=MODEL)).verdict for trigger_id in trigger_ids]
    assert verdicts == [("launch", "launched"), ("queue", "queued")][: len(verdicts)]


def dispatches(cloud: Cloud) -> list[tuple[str, str, Any]]:
    """Return the dispatches to GitHub: the repository, the type of the event, its payload."""
    return [(one.repository, one.event_type, one.payload) for one in cloud.followed_up()]


def expected(cloud: Cloud, trigger_id: str, result: str = "succeeded") -> tuple[str, str, Any]:
    """Return the dispatch to GitHub that the training of a trigger must lead to."""
    (run,) = [run for run in state_of(cloud.ledger, MODEL).runs if run.trigger_id == trigger_id]
    assert run.ended_at is not None
    payload = {
        "data": {"runId": run.run_id, "experimentName": cloud.experiment},
        "model_id": MODEL,
        "trigger_id": trigger_id,
        "token": a_trigger(trigger_id, model_id=MODEL).token,
        "result": result,
        "ended_at": format_time(run.ended_at),
        "url": run.url or "",
        "cloud": cloud.name,
    }
    return REPOSITORY, COMPLETED if result == "succeeded" else FAILED, payload


def notice(trigger_id: str, result: str = "succeeded") -> Notice:
    """Return the notice to people that the training of a trigger must lead to."""
    return Notice(title=f"The training of {MODEL} has {result}", trigger_id=trigger_id)


def is_settled(cloud: Cloud) -> bool:
    """Whether nothing is left to do, and nothing was given up."""
    state = state_of(cloud.ledger, MODEL)
    return (state.pending, state.rejected, cloud.letters()) == ((), (), [])


@pytest.mark.parametrize("report", REPORTED.values(), ids=REPORTED)
def test_each_end_is_dispatched_and_notified_once(cloud: Cloud, report: Tell) -> None:
    """A training runs, one waits; each ends, however often that is reported, GitHub and people are notified once."""
    begin(cloud, "t-1", "t-2")
    for trigger_id in ("t-1", "t-2"):
        assert all(delivery.acknowledged for delivery in report(cloud, cloud.end(trigger_id)))
        assert cloud.trainings() == ["t-1", "t-2"]
    assert dispatches(cloud) == [expected(cloud, "t-1"), expected(cloud, "t-2")]
    assert cloud.notices() == [notice("t-1"), notice("t-2")]
    assert is_settled(cloud)


def test_a_failed_training_has_its_own_follow_ups(cloud: Cloud) -> None:
    """`after.failed` counts then; the payload and the notice say how it ended, the history why."""
    begin(cloud, "t-1", "t-2")
    assert cloud.deliver(cloud.end("t-1", well=False)).verdict == ("ended", "failed")
    assert cloud.trainings() == ["t-1", "t-2"]
    (failed,) = [run for run in state_of(cloud.ledger, MODEL).runs if run.trigger_id == "t-1"]
    assert WHY in failed.error
    assert failed.trigger is not None
    assert (failed.trigger.origin, failed.attempt) == ("manual", 1)
    assert dispatches(cloud) == [expected(cloud, "t-1", "failed")]
    assert cloud.notices() == [notice("t-1", "failed")]


def test_an_end_that_is_reported_before_the_start_was_confirmed(cloud: Cloud) -> None:
    """Who started the training died before writing that down; its end is known all the same, and follows up once."""
    event = trigger_event(cloud, "t-1", model_id=MODEL)
    cloud.crash(event, started=True)
    assert cloud.deliver(trigger_event(cloud, "t-2", model_id=MODEL)).verdict == ("queue", "queued")
    end = cloud.end("t-1")
    assert [cloud.deliver(end).verdict for _ in range(2)] == [("ended", "succeeded")] * 2
    assert cloud.deliver(event).verdict == ("skip", "duplicate")
    assert cloud.trainings() == ["t-1", "t-2"]
    assert dispatches(cloud) == [expected(cloud, "t-1")]
    assert cloud.notices() == [notice("t-1")]


def test_an_end_that_nobody_reported_is_followed_by_the_sweep(cloud: Cloud) -> None:
    """The sweep finds it; a second sweep, and the event when it comes at last, add nothing."""
    begin(cloud, "t-1", "t-2")
    end = cloud.end("t-1")
    for _ in range(2):
        assert cloud.sweep().outcome == {"swept": [MODEL]}
    assert cloud.deliver(end).acknowledged
    assert cloud.trainings() == ["t-1", "t-2"]
    assert dispatches(cloud) == [expected(cloud, "t-1")]
    assert cloud.notices() == [notice("t-1")]
    assert is_settled(cloud)


def test_github_that_is_away_keeps_no_training_waiting(cloud: Cloud) -> None:
    """The queued training starts and people are notified; the sweep dispatches when its time has come, once."""
    begin(cloud, "t-1", "t-2")
    end = cloud.end("t-1")
    with cloud.github_away():
        assert cloud.deliver(end).verdict == ("ended", "succeeded")
    assert cloud.trainings() == ["t-1", "t-2"]
    assert (dispatches(cloud), cloud.notices()) == ([], [notice("t-1")])
    # So soon after the first attempt the process that made it may still be at work.
    assert cloud.sweep().acknowledged
    assert dispatches(cloud) == []
    abandon_follow_ups(cloud.ledger, MODEL)
    for _ in range(2):
        assert cloud.sweep().acknowledged
    assert dispatches(cloud) == [expected(cloud, "t-1")]
    assert cloud.notices() == [notice("t-1")]
    assert is_settled(cloud)


def test_a_channel_that_is_away_neither_fails_nor_repeats_a_launch(cloud: Cloud) -> None:
    """The event that starts the queued training is acknowledged immediately; the sweep notifies people later, once."""
    begin(cloud, "t-1", "t-2")
    end = cloud.end("t-1")
    with cloud.channel_away():
        for _ in range(2):
            assert cloud.deliver(end).verdict == ("ended", "succeeded")
    assert cloud.trainings() == ["t-1", "t-2"]
    assert (dispatches(cloud), cloud.notices()) == ([expected(cloud, "t-1")], [])
    abandon_follow_ups(cloud.ledger, MODEL)
    for _ in range(2):
        assert cloud.sweep().acknowledged
    assert cloud.trainings() == ["t-1", "t-2"]
    assert (dispatches(cloud), cloud.notices()) == ([expected(cloud, "t-1")], [notice("t-1")])
    assert is_settled(cloud)


def test_a_dispatch_whose_answer_got_lost_comes_again_as_the_same(cloud: Cloud) -> None:
    """GitHub has no idempotency key: an end may reach it twice, with the same token and in the same words."""
    begin(cloud, "t-1")
    with cloud.outlets.failing("dispatch", None, done=True):
        assert cloud.deliver(cloud.end("t-1")).verdict == ("ended", "succeeded")
    abandon_follow_ups(cloud.ledger, MODEL)
    assert cloud.sweep().acknowledged
    assert dispatches(cloud) == [expected(cloud, "t-1")] * 2
    assert cloud.notices() == [notice("t-1")]


def test_what_is_logged_holds_no_secrets(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    """When neither GitHub nor the channel can be reached the log says so, without the token or the address."""
    begin(cloud, "t-1")
    with caplog.at_level("DEBUG"), cloud.github_away(), cloud.channel_away():
        assert cloud.deliver(cloud.end("t-1")).acknowledged
    logged = cloud.logs() + str([vars(record) for record in caplog.records])
    assert logged.count("retrain.follow_up_failed") >= 2
    assert TOKEN not in logged
    assert PASSWORD not in logged


@pytest.mark.xdist_group("contracts-azure")
def test_both_events_of_one_end_follow_up_once(azure: Azure) -> None:
    """Azure ML reports a completed run by two types of events: one dispatch, one notice."""
    begin(azure, "t-1")
    for event in azure.ended("t-1"):
        assert azure.deliver(event).verdict == ("ended", "succeeded")
    assert dispatches(azure) == [expected(azure, "t-1")]
    assert azure.notices() == [notice("t-1")]
