"""A training that is cancelled ends as its service reports, and what waits behind it starts."""

from tests.contracts.clouds import Cloud
from tests.contracts.test_faults import trigger_event
from tests.contracts.triggers import state_of


def test_a_cancelled_training_is_reported_by_its_service_later(cloud: Cloud) -> None:
    """Until then the model is busy; then the result is `stopped`, and the queued training starts."""
    assert cloud.deliver(trigger_event(cloud, "t-1")).verdict == ("launch", "launched")
    assert cloud.deliver(trigger_event(cloud, "t-2")).verdict == ("queue", "queued")
    training = state_of(cloud.ledger).training
    assert training is not None
    assert training.run_id is not None
    assert cloud.trainings() == ["t-1"]  # A command that is stopped too early has not counted itself.
    cloud.launcher.cancel(training.run_id)
    assert state_of(cloud.ledger).training == training
    end = cloud.stopped("t-1")
    assert [cloud.deliver(end).verdict for _ in range(2)] == [("ended", "stopped")] * 2
    assert cloud.trainings() == ["t-1", "t-2"]
    assert [(run.trigger_id, run.result) for run in state_of(cloud.ledger).runs][-1] == ("t-1", "stopped")
