"""A launcher starts one training a token, whatever gets lost."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import RunResult, RunStatus
from tests.contracts.ports import Ports
from tests.contracts.triggers import WHY, a_request, a_trigger


def test_the_same_token_twice_is_one_run(ports: Ports) -> None:
    """A second start is answered with the first one's run."""
    first = ports.launcher.start(a_request(), again=False)
    assert ports.launcher.start(a_request(), again=False) == first
    assert ports.trainings() == ["t-1"]
    assert first.run_id
    assert not first.handed_over


def test_another_token_is_another_run(ports: Ports) -> None:
    """Two triggers of one model, and one id of two models, are three trainings."""
    requests = [a_request(a_trigger("t-1")), a_request(a_trigger("t-2")), a_request(a_trigger("t-1", model_id="any-x"))]
    runs = {ports.launcher.start(request, again=False).run_id for request in requests}
    assert len(runs) == 3
    assert ports.trainings() == ["t-1", "t-2", "t-1"]


def test_who_comes_again_finds_the_run(ports: Ports) -> None:
    """Even when the service knows the token no more, the run is found and not started twice."""
    request = a_request()
    first = ports.launcher.start(request, again=False)
    ports.forget_tokens()
    assert ports.launcher.start(request, again=True) == first
    assert ports.trainings() == ["t-1"]


def test_who_comes_again_although_nothing_runs_starts_it(ports: Ports) -> None:
    """Looking first does not keep a training from starting that has not been started."""
    ports.launcher.start(a_request(a_trigger("t-other")), again=False)
    ports.launcher.start(a_request(), again=True)
    assert ports.trainings() == ["t-other", "t-1"]


def test_an_answer_that_got_lost_is_one_run(ports: Ports) -> None:
    """A start whose answer never arrived is found by the retry, and its status queried like any other."""
    request = a_request()
    ports.lose_answer(request)
    run = ports.launcher.start(request, again=True)
    assert ports.trainings() == ["t-1"]
    assert ports.launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)


def test_a_run_goes_on_until_it_ends(ports: Ports) -> None:
    """While a training runs it has no end; afterwards it has a result and a time in UTC."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    run = ports.launcher.start(a_request(), again=False)
    assert ports.launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)
    ports.end("t-1")
    status = ports.launcher.status(run.run_id)
    assert status.result is RunResult.SUCCEEDED
    assert status.ended_at is not None
    assert status.ended_at.utcoffset() == timedelta()
    assert before < status.ended_at < datetime.now(UTC) + timedelta(seconds=1)


def test_a_failure_has_a_reason(ports: Ports) -> None:
    """The service's own reason of a failure is part of the status."""
    run = ports.launcher.start(a_request(), again=False)
    ports.end("t-1", well=False)
    status = ports.launcher.status(run.run_id)
    assert status.result is RunResult.FAILED
    assert WHY in status.error


def test_a_run_that_ended_is_not_started_again(ports: Ports) -> None:
    """A late repeat of a start is answered with the run that is over."""
    request = a_request()
    run = ports.launcher.start(request, again=False)
    ports.end("t-1")
    ports.forget_tokens()
    assert ports.launcher.start(request, again=True) == run
    assert ports.trainings() == ["t-1"]


def test_a_cancelled_run_is_stopped_by_its_service(ports: Ports) -> None:
    """The request may be repeated; the run stops a moment later, and other runs go on."""
    run = ports.launcher.start(a_request(), again=False)
    other = ports.launcher.start(a_request(a_trigger("t-2")), again=False)
    for _ in range(2):
        ports.launcher.cancel(run.run_id)
    ports.stopped("t-1")
    assert ports.launcher.status(run.run_id).result is RunResult.STOPPED
    assert ports.launcher.status(other.run_id) == RunStatus(result=RunResult.RUNNING)


def test_a_run_that_is_over_is_not_cancelled(ports: Ports) -> None:
    """The request succeeds and changes nothing: the run keeps its result."""
    run = ports.launcher.start(a_request(), again=False)
    ports.end("t-1")
    ports.launcher.cancel(run.run_id)
    assert ports.launcher.status(run.run_id).result is RunResult.SUCCEEDED


@pytest.mark.parametrize("run_id", ["retrain-" + "0" * 40, "no run", "../retrain", ""])
def test_a_run_that_the_service_does_not_know_needs_no_cancelling(ports: Ports, run_id: str) -> None:
    """An unknown run does not run."""
    ports.launcher.cancel(run_id)


@pytest.mark.parametrize("run_id", ["retrain-" + "0" * 40, "no run", "../retrain", ""])
def test_a_run_that_the_service_does_not_know_has_stopped(ports: Ports, run_id: str) -> None:
    """An unknown run is not running; nor is a text that was never the id of a run."""
    assert ports.launcher.status(run_id).result is RunResult.STOPPED


@pytest.mark.parametrize("again", [False, True])
def test_a_refusal_is_not_an_outage(ports: Ports, *, again: bool) -> None:
    """A service that will never run the request is told apart from one that is away, and nothing runs."""
    with pytest.raises(TargetRefusedError):
        ports.refused.start(a_request(), again=again)
    assert ports.trainings() == []


@pytest.mark.parametrize("again", [False, True])
def test_a_throttled_service_is_called_again_later(ports: Ports, *, again: bool) -> None:
    """While the service turns every start away it is unavailable; afterwards the same request starts one training."""
    with ports.training_away(), pytest.raises(UnavailableError, match=r"; try again$"):
        ports.launcher.start(a_request(), again=again)
    assert ports.trainings() == []
    ports.launcher.start(a_request(), again=True)
    assert ports.trainings() == ["t-1"]
