"""Whose end it is: a run is known by its id, or by the name that we gave it where that is its id."""

from datetime import timedelta

from shared.config.model import Policy
from shared.decision.ending import End, ended
from shared.decision.policy import decide
from shared.decision.state import ModelState
from shared.decision.transitions import confirmed, decided
from shared.ports import Run
from shared.trigger import run_name
from tests.core.samples import NOW, trigger
from tests.core.setting import Setting, rules

NAME = run_name(trigger().token)
JOB = f"projects/acme/locations/europe-west4/pipelineJobs/{NAME}"


def training(run_id: str) -> ModelState:
    """Return the state of a model that trains as *run_id*."""
    verdict = decide(ModelState(), trigger(), Policy(), NOW)
    state = decided(ModelState(), trigger(), verdict, rules(Setting()), now=NOW, holder="h")
    return confirmed(state, trigger().token, Run(run_id=run_id), now=NOW)


def end(run_id: str, name: str = NAME) -> End:
    """Return an end as an event reports it."""
    return End(run_id=run_id, name=name, result="succeeded", at=NOW + timedelta(hours=1))


def test_a_project_has_a_name_and_a_number() -> None:
    """The log spells the job with the number: it is the same job, and keeps the id that it was started with."""
    after = ended(training(JOB), end(JOB.replace("acme", "1234567890")), now=NOW)
    assert after.training is None
    assert [(run.run_id, run.result) for run in after.runs] == [(JOB, "succeeded")]


def test_a_name_that_is_not_an_id_proves_nothing() -> None:
    """Anyone can give an execution of SageMaker our display name: only its ARN names its pipeline."""
    mine, other = (f"arn:aws:sagemaker:eu-west-3:1:pipeline/churn/execution/{x}" for x in "ab")
    state = training(mine)
    assert ended(state, end(other), now=NOW) == state
    assert ended(state, end(mine, name="anything"), now=NOW).training is None


def test_another_job_is_another_one() -> None:
    """A job with another name frees nothing, whatever project it is in."""
    state = training(JOB)
    other = "retrain-" + "0" * 40
    assert ended(state, end(JOB.replace(NAME, other), name=other), now=NOW) == state
