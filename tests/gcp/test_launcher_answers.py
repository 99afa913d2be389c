"""The meaning of Vertex AI's answers to a start: it runs, it will never run, or it is not known."""

from pathlib import Path
from typing import Any

import pytest

from emulators.loopback import Answer
from emulators.vertex import FaultKind, VertexStandIn
from functions.gcp.launcher import VertexLauncher
from functions.gcp.sessions import Session
from shared.errors import TargetRefusedError, UnavailableError
from shared.fields import Parameter
from shared.ports import Run, RunResult
from shared.trigger import run_name
from tests.contracts.adapters import TRIGGER, request
from tests.gcp.conftest import Serving
from tests.gcp.pipeline import target, written
from tests.gcp.services import refused, said

JOB = run_name(TRIGGER.token)
JOBS = "/v1/projects/acme/locations/europe-west4/pipelineJobs"
NAME = f"projects/677687165274/locations/europe-west4/pipelineJobs/{JOB}"
STARTED = {"name": NAME, "state": "PIPELINE_STATE_PENDING", "labels": {"retrain-token": TRIGGER.token[:63]}}
EXISTS = refused(409, "ALREADY_EXISTS", "Pipeline job with the specified ID already exists.")
NOT_CANCELLED = refused(400, "FAILED_PRECONDITION", "The PipelineJob cannot be canceled.")
CONSOLE = f"https://console.cloud.google.com/vertex-ai/locations/europe-west4/pipelines/runs/{JOB}?project=acme"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a compiled pipeline."""
    return written(tmp_path)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"])
@pytest.mark.parametrize("again", [False, True])
def test_a_job_that_exists_is_the_training(
    session: Session, serving: Serving, folder: Path, state: str, *, again: bool
) -> None:
    """Whatever its state, it was started for this trigger: its run is returned, and nothing is started."""
    found = said({**STARTED, "state": f"PIPELINE_STATE_{state}"})
    url, service = serving(found) if again else serving(EXISTS, found)
    launcher = VertexLauncher(session, target(), folder, url)
    assert launcher.start(request(parameters={"model_id": "x"}), again=again) == Run(run_id=NAME, url=CONSOLE)
    looked_up = f"GET {JOBS}/{JOB}"
    assert service.calls == ([looked_up] if again else [f"POST {JOBS}?pipelineJobId={JOB}", looked_up])


@pytest.mark.parametrize(
    ("pipeline", "parameters"), [("gone.json", {"model_id": "x"}), ("pipelines/churn.json", {"removed": 1})]
)
def test_a_repeat_finds_its_job_although_the_bundle_has_changed(
    session: Session, serving: Serving, folder: Path, pipeline: str, parameters: dict[str, Parameter]
) -> None:
    """A specification that is gone, or takes other parameters now, does not make a running training a refused one."""
    url, service = serving(said(STARTED))
    launcher = VertexLauncher(session, target(pipeline), folder, url)
    assert launcher.start(request(parameters=parameters), again=True) == Run(run_id=NAME, url=CONSOLE)
    assert service.calls == [f"GET {JOBS}/{JOB}"]


def test_a_repeat_is_refused_only_if_there_is_no_job(session: Session, serving: Serving, folder: Path) -> None:
    """While Vertex AI does not answer, a repeat without its specification is unavailable; then it is refused."""
    url, _ = serving(*[refused(503, "UNAVAILABLE")] * 3, refused(404, "NOT_FOUND"))
    launcher = VertexLauncher(session, target("gone.json"), folder, url)
    with pytest.raises(UnavailableError, match=f"^Vertex AI could not look up the job {JOB}: UNAVAILABLE"):
        launcher.start(request(parameters={"model_id": "x"}), again=True)
    with pytest.raises(TargetRefusedError, match=r"^gone.json: cannot be read"):
        launcher.start(request(parameters={"model_id": "x"}), again=True)


def test_a_status_needs_no_specification(session: Session, serving: Serving, tmp_path: Path) -> None:
    """A training that was started with another bundle is queried like any other."""
    url, _ = serving(said({**STARTED, "state": "PIPELINE_STATE_RUNNING"}))
    assert VertexLauncher(session, target("gone.json"), tmp_path, url).status(NAME).result is RunResult.RUNNING


@pytest.mark.parametrize("labeled", [{}, {"labels": {}}, {"labels": {"retrain-token": "other"}}])
@pytest.mark.parametrize("again", [False, True])
def test_a_job_of_another_trigger_is_refused(
    session: Session, serving: Serving, folder: Path, labeled: dict[str, Any], *, again: bool
) -> None:
    """A job under our id that is not ours would be taken for a training that never ran."""
    found = said({"name": NAME, **labeled})
    url, _ = serving(found) if again else serving(EXISTS, found)
    message = rf"^Vertex AI already has a job {JOB}, which was not started by this trigger$"
    with pytest.raises(TargetRefusedError, match=message):
        VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=again)


def test_a_job_that_exists_but_is_not_found_is_unknown(session: Session, serving: Serving, folder: Path) -> None:
    """It may have been deleted just now: whether it ran is not known, so that the start must be retried."""
    url, _ = serving(EXISTS, refused(404, "NOT_FOUND"))
    with pytest.raises(UnavailableError, match=r"^Vertex AI could not find the job .*; try again$"):
        VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)


def test_a_start_with_a_lost_answer_is_retried(session: Session, serving: Serving, folder: Path) -> None:
    """Within one call: the connection is cut after the job was created, and the repeat finds it."""
    url, service = serving(None, EXISTS, said(STARTED))
    run = VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)
    assert run.run_id == NAME
    assert [call.partition(" ")[0] for call in service.calls] == ["POST", "POST", "GET"]


@pytest.mark.parametrize(
    ("status", "code"), [(400, "INVALID_ARGUMENT"), (404, "NOT_FOUND"), (400, "OUT_OF_RANGE"), (501, "UNIMPLEMENTED")]
)
def test_a_job_that_can_never_run_is_refused(
    session: Session, serving: Serving, folder: Path, status: int, code: str
) -> None:
    """A wrong request stays wrong; the error has the service's own message."""
    url, service = serving(refused(status, code, "The parameter x is bad."))
    with pytest.raises(TargetRefusedError) as raised:
        VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)
    text = f"Vertex AI refuses to start the pipeline pipelines/churn.json: {code}: The parameter x is bad."
    assert str(raised.value) == text
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        refused(403, "PERMISSION_DENIED"),
        refused(401, "UNAUTHENTICATED"),
        refused(429, "RESOURCE_EXHAUSTED"),
        refused(400, "FAILED_PRECONDITION", "the service agent is being set up"),
        refused(409, "ABORTED"),
        refused(500, "INTERNAL"),
        refused(503, "UNAVAILABLE"),
        Answer(status=404, body=b"<html>not even Google</html>"),
        Answer(status=200, body=b"<html>a login</html>"),
        None,
    ],
    ids=["right", "token", "quota", "agent", "aborted", "500", "503", "page", "login", "cut"],
)
def test_a_job_that_may_run_later_is_not_refused(
    session: Session, serving: Serving, folder: Path, answer: Answer | None
) -> None:
    """Time or an operator repairs it; whether something runs is unknown."""
    url, _ = serving(answer)
    with pytest.raises(UnavailableError, match=r"^Vertex AI could not start the pipeline .*; try again$"):
        VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)


def test_a_missing_right_is_not_a_refusal(session: Session, folder: Path) -> None:
    """Vertex AI calls it a wrong request, but an operator grants it, and then the same trigger starts its training."""
    with VertexStandIn() as vertex:
        launcher = VertexLauncher(session, target(service_account="t@acme.iam.gserviceaccount.com"), folder, vertex.url)
        vertex.add_fault(FaultKind.MAY_NOT_ACT)
        asked = request(parameters={"model_id": "x"})
        with pytest.raises(UnavailableError, match=r"INVALID_ARGUMENT: You do not have permission to act as .*; try"):
            launcher.start(asked, again=False)
        launcher.start(asked, again=True)
        assert [job.job_id for job in vertex.jobs()] == [JOB]


def test_other_words_about_an_account_are_a_refusal(session: Session, serving: Serving, folder: Path) -> None:
    """Only that one answer is another thing than its code says."""
    url, _ = serving(refused(400, "INVALID_ARGUMENT", "The service_account is malformed."))
    with pytest.raises(TargetRefusedError, match="malformed"):
        VertexLauncher(session, target(), folder, url).start(request(parameters={"model_id": "x"}), again=False)


@pytest.mark.parametrize("state", ["CANCELLING", "CANCELLED", "SUCCEEDED", "FAILED"])
def test_a_job_that_cannot_be_cancelled_any_more_is_left_alone(
    session: Session, serving: Serving, folder: Path, state: str
) -> None:
    """Vertex AI refuses to cancel a job that is over or being cancelled, and nothing is left to do."""
    url, service = serving(NOT_CANCELLED, said({**STARTED, "state": f"PIPELINE_STATE_{state}"}))
    VertexLauncher(session, target(), folder, url).cancel(NAME)
    assert service.calls == [f"POST /v1/{NAME}:cancel", f"GET /v1/{NAME}"]


def test_a_job_that_runs_on_is_cancelled_later(session: Session, serving: Serving, folder: Path) -> None:
    """A refusal for a job that runs, and a missing right, are repaired by time or by an operator."""
    url, _ = serving(NOT_CANCELLED, said({**STARTED, "state": "PIPELINE_STATE_RUNNING"}))
    with pytest.raises(UnavailableError, match="FAILED_PRECONDITION"):
        VertexLauncher(session, target(), folder, url).cancel(NAME)
    url, _ = serving(refused(403, "PERMISSION_DENIED", "aiplatform.pipelineJobs.cancel denied"))
    with pytest.raises(UnavailableError, match=r"could not cancel the run .*PERMISSION_DENIED"):
        VertexLauncher(session, target(), folder, url).cancel(NAME)
