"""The stand-in for Vertex AI fails as ordered, and its jobs end on demand or by themselves."""

import sys
from collections.abc import Iterator

import pytest

from emulators.vertex import FaultKind, VertexStandIn
from emulators.vertex.jobs import CANCELLED, FAILED, RUNNING, SUCCEEDED
from emulators.vertex.log_entries import sink_message
from tests.contracts.training_folder import until
from tests.gcp.vertex_calls import PARENT, Caller, Json


@pytest.fixture
def vertex() -> Iterator[Caller]:
    """Return a stand-in whose jobs last until they are ended."""
    with VertexStandIn() as running:
        yield Caller(running)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.THROTTLE, 429),
        (FaultKind.INTERNAL, 500),
        (FaultKind.UNAVAILABLE, 503),
        (FaultKind.FORBIDDEN, 403),
        (FaultKind.REFUSE, 400),
        (FaultKind.MAY_NOT_ACT, 400),
    ],
)
def test_a_fault_is_answered_as_often_as_ordered(vertex: Caller, kind: FaultKind, status: int) -> None:
    """An ordered error hits as many requests as ordered, and nothing is done for them."""
    vertex.vertex.add_fault(kind, times=2)
    assert [vertex.create()["http"] for _ in range(3)] == [status, status, 200]
    assert vertex.vertex.calls("pipelineJobs.create") == 3


@pytest.mark.parametrize(("kind", "jobs"), [(FaultKind.HANG, 0), (FaultKind.LOST_ANSWER, 1)])
def test_a_connection_closes_without_an_answer(vertex: Caller, kind: FaultKind, jobs: int) -> None:
    """A request that hangs has done nothing; one whose answer was lost has created the job."""
    vertex.vertex.add_fault(kind)
    with pytest.raises(ConnectionError):
        vertex.create()
    assert len(vertex.vertex.jobs()) == jobs


def test_a_fault_hits_the_operation_that_it_names(vertex: Caller) -> None:
    """A fault of `get` does not hit `create`; a fault of `*` hits any request; a removed one hits none."""
    vertex.vertex.add_fault(FaultKind.INTERNAL, operation="pipelineJobs.get")
    vertex.vertex.add_fault(FaultKind.THROTTLE, operation="*")
    assert [vertex.create()["http"], vertex.create()["http"], vertex.get()["http"]] == [429, 200, 500]
    vertex.vertex.add_fault(FaultKind.INTERNAL)
    vertex.vertex.faults.clear()
    assert vertex.create("other")["http"] == 200
    assert vertex.vertex.all_calls() == {"pipelineJobs.create": 3, "pipelineJobs.get": 1}


def test_each_change_is_logged() -> None:
    """A sink would export one message for the start and one for the end, each with the id and the state."""
    entries: list[Json] = []
    with VertexStandIn(on_log=entries.append) as running:
        Caller(running).create()
        running.end("retrain-1", FAILED, "out of memory")
    assert [entry["jsonPayload"]["state"] for entry in entries] == [RUNNING, FAILED]
    assert [entry["severity"] for entry in entries] == ["INFO", "ERROR"]
    labels = {"location": "europe-west4", "pipeline_job_id": "retrain-1", "resource_container": "123456789012"}
    assert entries[1]["resource"] == {"type": "aiplatform.googleapis.com/PipelineJob", "labels": labels}
    assert entries[1]["logName"] == "projects/acme/logs/aiplatform.googleapis.com%2Fpipeline_job_events"
    assert sink_message(entries[1])["attributes"] == {"logging.googleapis.com/timestamp": entries[1]["timestamp"]}


@pytest.mark.parametrize(
    ("program", "state"), [("assert os.environ['RETRAIN_PARAM_EPOCHS'] == '5'", SUCCEEDED), ("os._exit(3)", FAILED)]
)
def test_a_command_runs_for_a_job(program: str, state: str) -> None:
    """With a command a job ends by itself: the exit code decides how, and the parameters are in its environment."""
    command = [sys.executable, "-S", "-c", f"import os; {program}"]
    with VertexStandIn(command=lambda _job: command) as running:
        caller = Caller(running)
        caller.create()
        until(lambda: running.jobs()[0].ended)
        assert running.jobs()[0].state == state


@pytest.mark.parametrize("command", [(), ("sleep", "60")])
def test_a_job_is_cancelled(command: tuple[str, ...]) -> None:
    """A cancelled job ends as CANCELLED, and its command is ended."""
    with VertexStandIn(command=lambda _job: command) as running:
        caller = Caller(running)
        caller.create()
        caller.call("POST", f"{PARENT}/pipelineJobs/retrain-1:cancel", {})
        until(lambda: running.jobs()[0].ended)
        assert running.jobs()[0].state == CANCELLED


def test_an_ended_job_cannot_be_ended_again(vertex: Caller) -> None:
    """Ending a job that has ended, or in a state that is not final, is an error."""
    vertex.create()
    with pytest.raises(ValueError, match="not 'PIPELINE_STATE_RUNNING'"):
        vertex.vertex.end("retrain-1", RUNNING)
    vertex.vertex.end("retrain-1")
    with pytest.raises(LookupError, match="no unfinished job 'retrain-1'"):
        vertex.vertex.end("retrain-1")


def test_a_token_is_required_if_one_is_set() -> None:
    """A request without the token, or with a wrong one, is refused."""
    with VertexStandIn(token="secret") as running:
        caller = Caller(running)
        answers = [
            caller.call("GET", f"{PARENT}/pipelineJobs", headers=headers)["http"]
            for headers in ({}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer secret"})
        ]
    assert answers == [401, 401, 200]
