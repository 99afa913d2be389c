"""Permanent refusals of Azure ML are distinguished from transient failures."""

import dataclasses

import pytest

from emulators.arm import ArmStandIn, FaultKind
from emulators.arm.standin import WORKSPACE
from functions.azure.clients import Clients
from functions.azure.launcher import AzureMlLauncher
from shared.errors import TargetRefusedError, UnavailableError
from shared.trigger import run_name
from tests.azure.adapters import ONCE, TARGET
from tests.contracts.adapters import TRIGGER, Answering, request, trigger

NAME = run_name(TRIGGER.token)


def at(url: str, clients: Clients, **changes: str) -> AzureMlLauncher:
    """Return a launcher whose Resource Manager is at *url*, tried once."""
    target = dataclasses.replace(TARGET, **changes)
    return AzureMlLauncher(clients.resource_manager(url), target, url, persistence=ONCE)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.INTERNAL, FaultKind.UNAVAILABLE])
def test_a_busy_service_is_called_again(launcher: AzureMlLauncher, arm: ArmStandIn, kind: FaultKind) -> None:
    """Throttled and failed starts are repeated; then the trigger must come again."""
    arm.add_fault(kind, times=2)
    launcher.start(request(), again=False)
    arm.add_fault(kind, times=3)
    with pytest.raises(
        UnavailableError, match=f"^Azure ML could not start the job {run_name(trigger(2).token)} in /sub"
    ):
        launcher.start(request(trigger(2)), again=False)
    assert arm.all_calls() == {"PUT job": 6}
    assert len(arm.jobs()) == 1


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.FORBIDDEN])
def test_a_missing_right_is_an_outage(launcher: AzureMlLauncher, arm: ArmStandIn, kind: FaultKind) -> None:
    """A role assignment takes minutes to be known everywhere: the same trigger starts its training then."""
    arm.add_fault(kind)
    with pytest.raises(UnavailableError, match=r"ExpiredAuthenticationToken|AuthorizationFailed"):
        launcher.start(request(), again=False)
    launcher.start(request(), again=True)
    assert len(arm.jobs()) == 1


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"component": f"{WORKSPACE}/components/gone/versions/1"}, "UserError: The component .* was not found"),
        ({"workspace": f"{WORKSPACE}-2"}, "ResourceNotFound"),
    ],
)
def test_what_is_not_there_is_a_refusal(
    arm: ArmStandIn, clients: Clients, changes: dict[str, str], reported: str
) -> None:
    """A component or a workspace that does not exist will not appear by trying again; nothing runs."""
    with pytest.raises(TargetRefusedError, match=f"^Azure ML refuses to start the job retrain-.*{reported}"):
        at(arm.url, clients, **changes).start(request(), again=False)
    assert arm.jobs() == []


def test_a_repeat_finds_its_job_although_it_would_be_refused_now(
    launcher: AzureMlLauncher, arm: ArmStandIn, clients: Clients
) -> None:
    """A refusal of the repeated start does not count as a refusal of the training that already runs."""
    first = launcher.start(request(), again=False)
    arm.add_fault(FaultKind.REFUSE, operation="PUT job")
    assert at(arm.url, clients).start(request(), again=True) == first
    arm.add_fault(FaultKind.UNAVAILABLE, operation="GET job")
    with pytest.raises(UnavailableError, match="look up the job"):
        at(arm.url, clients).start(request(trigger(2)), again=True)
    with pytest.raises(TargetRefusedError, match="UserError"):
        at(arm.url, clients).start(request(trigger(2)), again=True)


def test_a_refusal_names_the_reason_and_no_input(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """The message is the service's own; parameters may be confidential."""
    arm.add_fault(FaultKind.REFUSE)
    with pytest.raises(TargetRefusedError, match="UserError: The pipeline job cannot be run as it is") as raised:
        launcher.start(request(parameters={"password": "hunter2"}), again=False)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(("status", "code"), [(409, "Conflict"), (400, "QuotaExceeded"), (412, "PreconditionFailed")])
def test_conflicts_and_quotas_are_no_refusals(clients: Clients, answering: Answering, status: int, code: str) -> None:
    """Two first starts at the same time may collide, and an operator can raise a quota."""
    url = answering(status, {"error": {"code": code, "message": "as scripted"}})
    with pytest.raises(UnavailableError, match=code):
        at(url, clients).start(request(), again=False)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b"[]"), (200, b""), (302, b""), (204, b""), (200, b"null")]
)
def test_an_odd_answer_is_not_a_start(clients: Clients, answering: Answering, status: int, body: bytes) -> None:
    """An answer that is not a JSON object does not count as a start; no redirect is followed with our token."""
    with pytest.raises(UnavailableError):
        at(answering(status, body, Location="http://127.0.0.1:1/"), clients).start(request(), again=False)


def test_a_silent_service_is_given_up(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """Each try has its own timeout."""
    arm.add_fault(FaultKind.HANG, seconds=30, times=3)
    with pytest.raises(UnavailableError, match="TimeoutError"):
        launcher.start(request(), again=False)
    assert arm.all_calls() == {"PUT job": 3}
