"""The stand-in for Azure ML keeps the promises about the names of jobs, and reports their ends as the service does."""

import json
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from emulators.arm import ArmStandIn, Component, Identity
from tests.azure.calls import COMPONENT, call, job_url, put
from tests.contracts.training_folder import until

EVENTS = Path(__file__).resolve().parents[1] / "events" / "azure"


@pytest.fixture
def arm() -> Iterator[ArmStandIn]:
    """Return a workspace with one component, whose jobs last until they are ended."""
    with ArmStandIn(components={COMPONENT: Component(inputs=("epochs",))}) as stand_in:
        yield stand_in


def test_a_name_is_one_job(arm: ArmStandIn) -> None:
    """The first request creates the job; another one changes only its mutable properties, such as tags."""
    assert put(arm).status == 201
    again = put(arm, tags={"by": "other"}, displayName="new")
    assert (again.status, again.body["properties"]["tags"]) == (200, {"by": "other"})
    (job,) = arm.jobs()
    assert (job.puts, job.tags, job.force_rerun, job.inputs) == (2, {"by": "other"}, True, {"epochs": "8"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"inputs": {"epochs": {"jobInputType": "literal", "value": "9"}}}, " Inputs"),
        ({"settings": {}, "experimentName": "x"}, " ExperimentName,  Settings"),
    ],
)
def test_a_job_cannot_be_changed(arm: ArmStandIn, change: dict[str, Any], named: str) -> None:
    """The same name with another body is a user error, with the inner code and the message of the service."""
    put(arm)
    answer = put(arm, **change)
    error = answer.body["error"]
    assert (answer.status, error["code"]) == (400, "UserError")
    assert error["message"].startswith("A job with this name already exists. If you are trying to create a new job")
    assert f"the existing job's{named} cannot be changed" in error["message"]
    assert error["additionalInfo"][1] == {
        "type": "InnerError",
        "info": {"value": {"code": "Immutable", "innerError": {"code": "JobPropertyImmutable", "innerError": None}}},
    }
    assert arm.jobs()[0].inputs == {"epochs": "8"}


def test_names_are_case_sensitive_and_resource_ids_are_not(arm: ArmStandIn) -> None:
    """Two spellings of a name are two jobs; resource ids may be spelt in any case."""
    assert [put(arm, name).status for name in ("retrain-a", "retrain-A")] == [201, 201]
    answer = call("GET", job_url(arm, "retrain-a").replace("resourceGroups", "resourcegroups"))
    assert (answer.status, answer.body["name"]) == (200, "retrain-a")


def test_sixteen_simultaneous_requests_create_one_job(arm: ArmStandIn) -> None:
    """One of them creates the job, fifteen find it."""
    together = threading.Barrier(16)

    def start(_: int) -> int:
        together.wait()
        return put(arm).status

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(start, range(16))) == [200] * 15 + [201]
    assert [job.puts for job in arm.jobs()] == [16]


def test_a_job_ends_once_and_reports_it_as_the_service_does(arm: ArmStandIn) -> None:
    """The status changes, and the events have the keys of real ones."""
    put(arm)
    assert call("GET", job_url(arm)).body["properties"]["status"] == "Running"
    changed, completed = arm.end("retrain-1")
    assert arm.end("retrain-1", "Failed") == []
    assert call("GET", job_url(arm)).body["properties"]["status"] == "Completed"
    (real,) = json.loads((EVENTS / "gosdk-RunStatusChanged.json").read_text(encoding="utf-8"))
    assert changed.keys() == real.keys()
    assert changed["data"].keys() == real["data"].keys()
    assert (changed["data"]["runStatus"], changed["data"]["runTags"]) == ("Completed", {"by": "test"})
    (documented,) = json.loads((EVENTS / "docs-cloudevents-RunCompleted.json").read_text(encoding="utf-8"))
    assert completed["data"].keys() == documented["data"].keys()
    assert completed["eventType"] == documented["type"]
    assert changed["id"] != completed["id"]


@pytest.mark.parametrize(("code", "status"), [(0, "Completed"), (3, "Failed")])
def test_a_command_decides_how_a_job_ends(code: int, status: str) -> None:
    """The command gets the inputs in its environment, and its exit code is the result."""
    program = f"import os, sys; sys.exit({code} if os.environ['RETRAIN_PARAM_EPOCHS'] == '8' else 9)"
    events: list[Any] = []
    component = Component(command=(sys.executable, "-S", "-c", program))
    with ArmStandIn(components={COMPONENT: component}, on_event=events.append) as arm:
        put(arm)
        until(lambda: events)
        assert [job.status for job in arm.jobs()] == [status]
    assert events[0]["data"]["runStatus"] == status


def test_an_equal_job_runs_nothing_unless_it_is_forced(tmp_path: Path) -> None:
    """Without `force_rerun` the outputs of an equal earlier job are reused, and the training never happens."""
    ran = tmp_path / "ran"
    component = Component(command=("sh", "-c", f"echo x >> {ran}"))
    with ArmStandIn(components={COMPONENT: component}) as arm:
        for name, settings in (("first", {}), ("same", {}), ("forced", {"force_rerun": True})):
            put(arm, name, settings=settings)
            until(lambda: all(job.status == "Completed" for job in arm.jobs()))
    assert ran.read_text() == "x\n" * 2


def test_only_tokens_of_the_identity_for_resource_manager_count() -> None:
    """A token must come from the identity's endpoint, and be for the right resource."""
    with Identity() as identity, ArmStandIn(components={COMPONENT: Component()}, identity=identity) as arm:
        endpoint, secret = identity.variables["IDENTITY_ENDPOINT"], identity.variables["IDENTITY_HEADER"]

        def token(resource: str) -> str:
            answer = call("GET", f"{endpoint}?api-version=2019-08-01&resource={resource}", X_IDENTITY_HEADER=secret)
            return str(answer.body["access_token"])

        assert [put(arm, token=given).status for given in ("", "made-up")] == [401, 401]
        assert put(arm, token=token("https://eventgrid.azure.net")).status == 401
        assert put(arm, token=token("https://management.azure.com/")).status == 201
        assert call("GET", f"{endpoint}?api-version=2019-08-01&resource=x").status == 401
        assert call("GET", f"{endpoint}?resource=x", X_IDENTITY_HEADER=secret).status == 400
    assert identity.requested == ["https://eventgrid.azure.net", "https://management.azure.com"]
