"""Requests to Vertex AI, and the meaning of its answers."""

from pathlib import Path
from typing import Any

import pytest

from emulators.loopback import Answer
from functions.gcp.launcher import VertexLauncher, label, labels
from functions.gcp.sessions import Session
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import Run, RunResult, RunStatus
from shared.trigger import run_name
from shared.wire.reading import time
from tests.contracts.adapters import TRIGGER, request, trigger
from tests.gcp.conftest import Serving
from tests.gcp.pipeline import target, written
from tests.gcp.services import refused, said

JOB = run_name(TRIGGER.token)
JOBS = "/v1/projects/acme/locations/europe-west4/pipelineJobs"
NAME = f"projects/677687165274/locations/europe-west4/pipelineJobs/{JOB}"
STARTED = {"name": NAME, "state": "PIPELINE_STATE_PENDING", "labels": {"retrain-token": TRIGGER.token[:63]}}
EXISTS = refused(409, "ALREADY_EXISTS", "Pipeline job with the specified ID already exists.")
CONSOLE = f"https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/{JOB}?project=acme"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a compiled pipeline."""
    return written(tmp_path)


def test_a_job_has_our_id_and_says_why_it_runs(session: Session, serving: Serving, folder: Path) -> None:
    """One call creates the job with the pipeline, the checked parameters, labels and its service account."""
    url, service = serving(said(STARTED))
    launcher = VertexLauncher(session, target(service_account="t@acme.iam.gserviceaccount.com"), folder, f"{url}/")
    run = launcher.start(request(parameters={"model_id": "churn", "epochs": "3"}), again=False)
    assert run == Run(run_id=NAME, url=CONSOLE)
    assert service.calls == [f"POST {JOBS}?pipelineJobId={JOB}"]
    content = service.content()
    assert content.pop("pipelineSpec")["pipelineInfo"] == {"name": "churn-training"}
    assert content == {
        "displayName": "t-1",
        "labels": {
            "retrain-model": "churn",
            "retrain-trigger": "t-1",
            "retrain-origin": "drift",
            "retrain-severity": "high",
            "retrain-token": TRIGGER.token[:63],
        },
        "runtimeConfig": {
            "gcsOutputDirectory": "gs://acme-pipelines/x",
            "parameterValues": {"model_id": "churn", "epochs": 3},
        },
        "serviceAccount": "t@acme.iam.gserviceaccount.com",
    }


def test_a_template_is_named_and_not_read(session: Session, serving: Serving, tmp_path: Path) -> None:
    """Only Vertex AI knows its parameters; for an empty one its default counts."""
    url, service = serving(said(STARTED))
    address = "https://europe-west4-kfp.pkg.dev/acme/pipelines/churn/v1"
    VertexLauncher(session, target(address), tmp_path, url).start(
        request(parameters={"epochs": 3, "until": "", "off": False}), again=False
    )
    content = service.content()
    assert content["templateUri"] == address
    assert content["runtimeConfig"]["parameterValues"] == {"epochs": 3, "off": False}
    assert {"pipelineSpec", "serviceAccount"} & content.keys() == set()


@pytest.mark.parametrize(
    ("pipeline", "parameters", "error"),
    [
        ("pipelines/churn.json", {"model_id": "x", "image": "evil"}, "parameters.image: the pipeline has no such"),
        ("pipelines/churn.json", {}, "parameters.model_id: is missing"),
        ("pipelines/churn.json", {"model_id": "x", "epochs": "many"}, "parameters.epochs: the pipeline wants an"),
        ("missing.json", {}, "missing.json: cannot be read"),
        ("../churn.json", {}, "../churn.json: is outside"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused_without_a_call(
    session: Session, serving: Serving, folder: Path, pipeline: str, parameters: dict[str, Any], error: str
) -> None:
    """The bundle's specification shows what would be refused."""
    url, service = serving(said(STARTED))
    with pytest.raises(TargetRefusedError) as raised:
        VertexLauncher(session, target(pipeline), folder, url).start(request(parameters=parameters), again=False)
    assert str(raised.value).startswith(error)
    assert service.requests == []


@pytest.mark.parametrize("answer", [{}, {"name": "odd"}, {"name": 5}])
def test_an_answer_without_a_name_is_a_run_all_the_same(
    session: Session, serving: Serving, folder: Path, answer: object
) -> None:
    """The id is ours: if the service returns no full name, it follows from the target."""
    url, _ = serving(said(answer))
    run = VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)
    assert run.run_id == f"projects/acme/locations/europe-west4/pipelineJobs/{JOB}"


@pytest.mark.parametrize(
    ("job", "status"),
    [
        ({"state": "PIPELINE_STATE_RUNNING", "endTime": "2026-11-21T04:00:00Z"}, RunStatus(result=RunResult.RUNNING)),
        ({}, RunStatus(result=RunResult.RUNNING)),
        (
            {"state": "PIPELINE_STATE_SUCCEEDED", "endTime": "2026-11-21T04:00:00.123456789Z"},
            RunStatus(result=RunResult.SUCCEEDED, ended_at=time("2026-11-21T04:00:00.123456Z")),
        ),
        (
            {"state": "PIPELINE_STATE_CANCELLED", "updateTime": "2026-11-21T04:00:00Z"},
            RunStatus(result=RunResult.STOPPED, ended_at=time("2026-11-21T04:00:00Z")),
        ),
        ({"state": "PIPELINE_STATE_FAILED"}, RunStatus(result=RunResult.FAILED)),
    ],
)  # fmt: skip
def test_a_status_has_a_result_and_a_time(
    session: Session, serving: Serving, folder: Path, job: dict[str, str], status: RunStatus
) -> None:
    """The time of the end comes first, then that of the last change, then none."""
    url, service = serving(said(job))
    assert VertexLauncher(session, target(), folder, url).status(NAME) == status
    assert service.calls == [f"GET /v1/{NAME}"]


def test_a_404_of_a_proxy_does_not_free_a_model(session: Session, serving: Serving, folder: Path) -> None:
    """A 404 that does not come from Google says nothing about the run."""
    url, _ = serving(Answer(status=404, body=b"<html>"))
    with pytest.raises(UnavailableError):
        VertexLauncher(session, target(), folder, url).status(NAME)


@pytest.mark.parametrize("run_id", ["", "x", f"{NAME}/..", f"../{NAME}", f"{NAME}\n", NAME.replace("europe", "a.b/")])
def test_an_id_that_is_not_a_job_name_causes_no_call(
    session: Session, serving: Serving, folder: Path, run_id: str
) -> None:
    """A run's id cannot lead to another resource of Vertex AI or to another host."""
    url, service = serving(said({}))
    assert VertexLauncher(session, target(), folder, url).status(run_id).result is RunResult.STOPPED
    assert service.requests == []


def test_labels_are_valid_for_google() -> None:
    """A label has up to 63 lower-case letters, digits, - and _; a changed text gets a hash to stay distinct."""
    wide = labels(trigger(model_id="Ünï/Cödé", trigger_id="schedule:x:2026-11-21T03:00:00Z"), TRIGGER.token)
    assert wide["retrain-model"].startswith("n-c-d-")
    assert wide["retrain-trigger"].startswith("schedule-x-2026-11-21t03-00-00z-")
    long = label("x" * 64)
    assert (len(long), label("x" * 63)) == (63, "x" * 63)
    assert label("Churn") != label("churn") != label("churn ")
    assert label("\U0001f4c9") != label("\U0001f4c8")
