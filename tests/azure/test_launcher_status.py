"""The status of a job in Azure ML."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from emulators.arm import ArmStandIn, FaultKind
from emulators.arm.standin import WORKSPACE
from functions.azure.clients import Clients
from functions.azure.launcher import AzureMlLauncher
from shared.errors import UnavailableError
from shared.ports import RunResult, RunStatus
from shared.trigger import run_name
from tests.azure.adapters import ONCE, TARGET
from tests.contracts.adapters import TRIGGER, Answering, request

NAME = run_name(TRIGGER.token)


def at(url: str, clients: Clients, **changes: str) -> AzureMlLauncher:
    """Return a launcher whose Resource Manager is at *url*, tried once."""
    target = dataclasses.replace(TARGET, **changes)
    return AzureMlLauncher(clients.resource_manager(url), target, url, persistence=ONCE)


def test_a_run_goes_on_until_it_ends(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """While it runs it has no end; afterwards it has a result and the time of its last change, in UTC."""
    run = launcher.start(request(), again=False)
    assert launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)
    before = datetime.now(UTC)
    arm.end(NAME, "Failed")
    status = launcher.status(run.run_id)
    assert status.result is RunResult.FAILED
    assert status.ended_at is not None
    assert before <= status.ended_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "run_id", [NAME, f"{WORKSPACE}/jobs/{NAME}", f"{WORKSPACE.upper()}/jobs/{NAME}".replace("/SUB", "/sub")]
)
def test_an_unknown_run_has_stopped(launcher: AzureMlLauncher, run_id: str) -> None:
    """A job that the workspace does not have cannot run."""
    assert launcher.status(run_id) == RunStatus(result=RunResult.STOPPED)


@pytest.mark.parametrize(
    "run_id", ["", "..", "../retrain", "a/b", "retrain?x=", "/subscriptions/s/jobs/", "ä", "x" * 256]
)
def test_the_status_of_an_invalid_job_id_is_not_queried(
    launcher: AzureMlLauncher, arm: ArmStandIn, run_id: str
) -> None:
    """Such a request could mean something else, as the list of all jobs."""
    assert launcher.status(run_id) == RunStatus(result=RunResult.STOPPED)
    assert arm.all_calls() == {}


def test_the_workspace_of_a_run_is_remembered(arm: ArmStandIn, launcher: AzureMlLauncher, clients: Clients) -> None:
    """A run's status is requested where it was started, although the configuration names another workspace by now."""
    run = launcher.start(request(), again=False)
    moved = at(arm.url, clients, workspace=f"{WORKSPACE}-2")
    assert moved.status(run.run_id) == RunStatus(result=RunResult.RUNNING)


@pytest.mark.parametrize(
    "body", [{}, {"properties": None}, {"properties": {"status": None}}, {"properties": {"status": "Odd"}}]
)
def test_a_status_that_is_not_known_runs(clients: Clients, answering: Answering, body: Any) -> None:
    """Only a final status frees a model."""
    assert at(answering(200, body), clients).status(NAME) == RunStatus(result=RunResult.RUNNING)


@pytest.mark.parametrize("data", [None, {}, {"lastModifiedAt": "yesterday"}, {"lastModifiedAt": 5}])
def test_an_end_without_a_time_has_none(clients: Clients, answering: Answering, data: object) -> None:
    """Without a time of the last change in the answer, none is invented."""
    url = answering(200, {"properties": {"status": "Completed"}, "systemData": data})
    assert at(url, clients).status(NAME) == RunStatus(result=RunResult.SUCCEEDED)


def test_a_service_that_is_away_is_not_a_run_that_stopped(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """Only the service itself can say that it does not know a run."""
    arm.add_fault(FaultKind.FORBIDDEN, operation="GET job")
    with pytest.raises(UnavailableError, match=f"look up the job {NAME}"):
        launcher.status(NAME)


@pytest.mark.parametrize("fault", [FaultKind.THROTTLE, FaultKind.FORBIDDEN, FaultKind.REFUSE])
def test_a_job_that_runs_on_is_cancelled_later(launcher: AzureMlLauncher, arm: ArmStandIn, fault: FaultKind) -> None:
    """While the service does not cancel it, it runs; the request may then be repeated."""
    run = launcher.start(request(), again=False)
    arm.add_fault(fault, operation="cancel job", times=9)
    with pytest.raises(UnavailableError, match=f"cancel the job .*{NAME}"):
        launcher.cancel(run.run_id)
    assert launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)


def test_a_job_that_is_over_or_being_cancelled_is_left_alone(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """However the service refuses to cancel such a job, nothing is left to do."""
    run = launcher.start(request(), again=False)
    launcher.cancel(run.run_id)
    arm.add_fault(FaultKind.REFUSE, operation="cancel job")
    launcher.cancel(run.run_id)
    assert arm.all_calls() == {"PUT job": 1, "cancel job": 2, "GET job": 1}
