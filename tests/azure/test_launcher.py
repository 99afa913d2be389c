"""A training is a job of Azure Machine Learning, started once whatever gets lost."""

import dataclasses
import json
from collections.abc import Callable

import pytest

from emulators.arm import ArmStandIn, Component, FaultKind
from emulators.arm.standin import WORKSPACE
from emulators.loopback import Answer, LoopbackServer, Request
from functions.azure.clients import Clients
from functions.azure.job import TOKEN_TAG
from functions.azure.launcher import AzureMlLauncher
from shared.errors import TargetRefusedError, UnavailableError
from shared.trigger import run_name
from tests.azure.adapters import COMPONENT, ONCE, TARGET, noting
from tests.contracts.adapters import TRIGGER, Answering, request, trigger

NAME = run_name(TRIGGER.token)
IMMUTABLE = {
    "error": {
        "code": "UserError",
        "message": "A job with this name already exists.",
        "additionalInfo": [
            {
                "type": "InnerError",
                "info": {"value": {"code": "Immutable", "innerError": {"code": "JobPropertyImmutable"}}},
            }
        ],
    }
}

Respond = Callable[[Request], Answer]


def reply(status: int, body: object) -> Answer:
    """Return an answer with JSON."""
    return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def at(url: str, clients: Clients, **changes: str) -> AzureMlLauncher:
    """Return a launcher whose Resource Manager is at *url*, tried once."""
    target = dataclasses.replace(TARGET, **changes)
    return AzureMlLauncher(clients.resource_manager(url), target, url, persistence=ONCE)


def test_a_job_is_started(launcher: AzureMlLauncher, arm: ArmStandIn) -> None:
    """The job has the name that the token makes, our inputs and tags, and leads to its page."""
    run = launcher.start(request(parameters={"epochs": 8, "full": True}), again=False)
    (job,) = arm.jobs()
    assert (job.name, job.inputs, job.force_rerun) == (NAME, {"epochs": "8", "full": "true"}, True)
    assert job.tags[TOKEN_TAG] == TRIGGER.token
    assert run.run_id == f"{WORKSPACE}/jobs/{NAME}"
    assert run.url == f"https://ml.azure.com/runs/{NAME}?wsid={WORKSPACE}"
    assert not run.handed_over
    assert arm.all_calls() == {"PUT job": 1}


@pytest.mark.parametrize("again", [False, True])
def test_the_same_token_is_the_same_job(launcher: AzureMlLauncher, arm: ArmStandIn, *, again: bool) -> None:
    """A repeat is answered with the job that is there, in one call, and creates nothing if it knows of a first try."""
    first = launcher.start(request(), again=False)
    assert launcher.start(request(), again=again) == first
    assert len(arm.jobs()) == 1
    assert arm.all_calls() == ({"PUT job": 1, "GET job": 1} if again else {"PUT job": 2})


@pytest.mark.parametrize("status", [400, 409])
def test_a_changed_request_is_the_same_job(clients: Clients, status: int) -> None:
    """Where the configuration changed between two tries the first job counts, whatever the status that says so."""
    with ArmStandIn(components={COMPONENT: Component()}, taken=status) as arm:
        launcher = at(arm.url, clients)
        first = launcher.start(request(parameters={"epochs": 8}), again=False)
        assert launcher.start(request(parameters={"epochs": 9}), again=False) == first
        assert [job.inputs for job in arm.jobs()] == [{"epochs": "8"}]
        assert arm.all_calls() == {"PUT job": 2, "GET job": 1}


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("again", [False, True])
def test_a_job_of_somebody_else_is_not_ours(clients: Clients, status: int, *, again: bool) -> None:
    """A job with our name but without our tag is an error, and not taken for the training."""
    with ArmStandIn(components={COMPONENT: Component()}, taken=status) as arm:
        launcher = at(arm.url, clients)
        launcher.start(request(parameters={"epochs": 8}), again=False)
        (job,) = arm.jobs()
        job.properties["tags"].pop(TOKEN_TAG)
        with pytest.raises(TargetRefusedError, match=f"already has a job {NAME}, started by another trigger"):
            launcher.start(request(parameters={"epochs": 9}), again=again)


def test_an_answer_that_got_lost_is_one_job(launcher: AzureMlLauncher, arm: ArmStandIn, pauses: list[float]) -> None:
    """A start whose answer never came is repeated immediately, and finds its own job."""
    arm.add_fault(FaultKind.LOST_ANSWER)
    launcher.start(request(), again=False)
    (job,) = arm.jobs()
    assert job.puts == 2
    assert pauses == [0.1]


def test_the_first_call_may_meet_its_own_job(clients: Clients) -> None:
    """A repeated PUT may be refused as a change; the tag shows whether the job is ours."""
    asked: list[str] = []

    def respond(asking: Request) -> Answer:
        asked.append(asking.method)
        if asking.method == "PUT":
            return reply(400, IMMUTABLE)
        return reply(200, {"properties": {"tags": {TOKEN_TAG: TRIGGER.token}}})

    with LoopbackServer(respond) as server:
        run = at(server.url, clients).start(request(), again=False)
    assert run.run_id == f"{WORKSPACE}/jobs/{NAME}"
    assert run.url == f"https://ml.azure.com/runs/{NAME}?wsid={WORKSPACE}"
    assert asked == ["PUT", "GET"]


@pytest.mark.parametrize("found", [(404, {"error": {"code": "JobNotFound"}}), (500, {}), (200, [])])
def test_a_taken_name_that_cannot_be_looked_up_is_not_a_refusal(clients: Clients, found: tuple[int, object]) -> None:
    """Whether the job is ours is unknown then, so the trigger comes again."""

    def respond(asking: Request) -> Answer:
        return reply(400, IMMUTABLE) if asking.method == "PUT" else reply(*found)

    with LoopbackServer(respond) as server, pytest.raises(UnavailableError, match="look up the job"):
        at(server.url, clients).start(request(), again=False)


@pytest.mark.parametrize("services", [None, {}, {"Studio": None}, {"Studio": {"endpoint": 5}}, []])
def test_a_job_without_an_address_has_the_usual_one(clients: Clients, answering: Answering, services: object) -> None:
    """Without an address in the answer the usual address of a run is used."""
    url = answering(201, {"properties": {"services": services}})
    run = at(url, clients).start(request(), again=False)
    assert run.url == f"https://ml.azure.com/runs/{NAME}?wsid={WORKSPACE}"


def test_a_workspace_may_be_written_with_or_without_slashes(arm: ArmStandIn, clients: Clients) -> None:
    """The resource id counts, not the slashes around it."""
    for number, workspace in enumerate((WORKSPACE.strip("/"), f"{WORKSPACE}/")):
        launcher = AzureMlLauncher(
            clients.resource_manager(arm.url),
            dataclasses.replace(TARGET, workspace=workspace),
            f"{arm.url}/",
            persistence=noting([]),
        )
        assert launcher.start(request(trigger(number)), again=False).run_id.startswith(f"{WORKSPACE}/jobs/")
