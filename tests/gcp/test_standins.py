"""The stand-in for Vertex AI keeps the service's promises about pipeline jobs."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulators.vertex import VertexStandIn
from emulators.vertex.jobs import FAILED, PENDING, RUNNING, SUCCEEDED
from tests.contracts.google_project import pipeline_specification
from tests.gcp.vertex_calls import PARENT, TEMPLATE, Caller, Json, a_job, runtime


@pytest.fixture
def vertex() -> Iterator[Caller]:
    """Return a stand-in whose jobs last until they are ended."""
    with VertexStandIn(templates={TEMPLATE: pipeline_specification()}) as running:
        yield Caller(running)


def test_a_job_waits_runs_and_succeeds(vertex: Caller) -> None:
    """The answer shows a pending job; it runs immediately, until it is ended, and then has an end time."""
    assert vertex.create()["state"] == PENDING
    running = vertex.get()
    assert (running["state"], "endTime" in running) == (RUNNING, False)
    vertex.vertex.end("retrain-1")
    assert vertex.get()["state"] == SUCCEEDED
    assert vertex.get()["endTime"] >= running["startTime"] >= running["createTime"]


def test_a_job_is_named_by_the_number_of_its_project(vertex: Caller) -> None:
    """Names contain the project's number rather than its id, and a job is found with either."""
    created = vertex.create()
    assert created["name"] == "projects/123456789012/locations/europe-west4/pipelineJobs/retrain-1"
    assert vertex.call("GET", created["name"])["name"] == vertex.get()["name"] == created["name"]


def test_an_id_is_used_by_one_job_only(vertex: Caller) -> None:
    """A second job of the same id is refused with ALREADY_EXISTS, even after the end of the first."""
    vertex.create()
    again = [vertex.create()]
    vertex.vertex.end("retrain-1", FAILED, "out of memory")
    again.append(vertex.create())
    for answer in again:
        assert answer["http"] == 409
        assert answer["error"]["status"] == "ALREADY_EXISTS"
        assert answer["error"]["message"] == "Pipeline job with the specified ID already exists."
    (job,) = vertex.vertex.jobs()
    assert (job.create_calls, job.state, job.error) == (3, FAILED, "out of memory")


def test_of_sixteen_simultaneous_requests_one_creates(vertex: Caller) -> None:
    """Of sixteen simultaneous requests for an id, exactly one creates the job."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: vertex.create()["http"], range(16)))
    assert sorted(answers) == [200] + [409] * 15


@pytest.mark.parametrize("job_id", ["Retrain", "1-retrain", "retrain_1", "x" * 129])
def test_an_invalid_id_is_refused(vertex: Caller, job_id: str) -> None:
    """The service's own rule: at most 128 lower-case letters, digits and dashes, beginning with a letter."""
    assert vertex.create(job_id)["error"]["status"] == "INVALID_ARGUMENT"


def test_a_job_without_an_id_gets_one(vertex: Caller) -> None:
    """If the service chooses the id, every request creates another job."""
    for _ in range(2):
        assert vertex.call("POST", f"{PARENT}/pipelineJobs", a_job())["http"] == 200
    assert len(vertex.vertex.jobs()) == len(vertex.call("GET", f"{PARENT}/pipelineJobs")["pipelineJobs"]) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"pipelineSpec": None}, "pipeline_spec"),
        ({"pipelineSpec": {"root": {}}}, "pipeline_spec lacks"),
        ({"templateUri": TEMPLATE}, "Only one of"),
        ({"runtimeConfig": {}}, "gcs_output_directory"),
        ({"runtimeConfig": runtime(gcsOutputDirectory="s3://acme")}, "gcs_output_directory"),
        ({"runtimeConfig": runtime(parameterValues={"image": "x"})}, "image"),
        ({"runtimeConfig": runtime(parameterValues={"epochs": "5"})}, "epochs"),
        ({"runtimeConfig": runtime(parameterValues={"epochs": 0.5})}, "epochs"),
        ({"runtimeConfig": runtime(parameterValues={"note": True})}, "note"),
        ({"runtimeConfig": runtime(parameters={"epochs": {"intValue": 5}})}, "parameter_values"),
        ({"labels": {"Model": "churn"}}, "label"),
        ({"labels": {"model": "x" * 65}}, "label"),
        ({"displayName": "x" * 129}, "display_name"),
        ({"enableCaching": False}, "enableCaching"),
    ],
)
def test_an_invalid_job_is_refused(vertex: Caller, changes: Json, named: str) -> None:
    """An invalid job is answered with INVALID_ARGUMENT and a message that names the problem, and is not created."""
    answer = vertex.create(**changes)
    assert (answer["http"], answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert named in answer["error"]["message"]
    assert vertex.vertex.jobs() == []


def test_a_parameter_without_a_default_must_be_given(vertex: Caller) -> None:
    """A pipeline that needs a value does not run without it."""
    specification = copy.deepcopy(pipeline_specification())
    specification["root"]["inputDefinitions"]["parameters"]["epochs"] = {"parameterType": "NUMBER_INTEGER"}
    answer = vertex.create(pipelineSpec=specification, runtimeConfig=runtime())
    assert (answer["http"], "epochs" in answer["error"]["message"]) == (400, True)


def test_an_invalid_body_is_refused(vertex: Caller) -> None:
    """A body that is not a JSON object is answered with 400."""
    for body in (b"{", b"[]"):
        assert vertex.call("POST", f"{PARENT}/pipelineJobs?pipelineJobId=x", body)["http"] == 400


def test_a_template_is_launched_by_its_address(vertex: Caller) -> None:
    """A template that exists runs, another one is not found."""
    assert vertex.create(pipelineSpec=None, templateUri=TEMPLATE)["http"] == 200
    answer = vertex.create("other", pipelineSpec=None, templateUri=f"{TEMPLATE}-2")
    assert (answer["http"], answer["error"]["status"]) == (404, "NOT_FOUND")


def test_a_job_that_was_not_created_is_not_found(vertex: Caller) -> None:
    """A wrong id or a wrong path is answered with 404."""
    assert vertex.get()["error"]["status"] == "NOT_FOUND"
    assert vertex.call("GET", f"{PARENT}/customJobs/retrain-1")["http"] == 404


@pytest.mark.parametrize(
    ("options", "reuses"), [({"enableCache": True}, True), ({"enableCache": False}, False), ({}, False)]
)
def test_caching_anywhere_is_seen(vertex: Caller, options: Json, *, reuses: bool) -> None:
    """A job says whether Vertex AI would reuse results of earlier runs for any of its tasks, also for an inner one."""
    specification = copy.deepcopy(pipeline_specification())
    tasks = specification["root"]["dag"].pop("tasks")
    tasks["train"]["cachingOptions"] = options
    specification["components"]["comp-inner"] = {"dag": {"tasks": tasks}}
    specification["root"]["dag"]["tasks"] = {"inner": {"cachingOptions": {}, "componentRef": {"name": "comp-inner"}}}
    vertex.create(pipelineSpec=specification)
    (job,) = vertex.vertex.jobs()
    assert job.would_reuse_steps is reuses
