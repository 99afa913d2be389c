"""SageMaker starts an execution of the right form and returns its status."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from emulators.sagemaker import Fault, FaultKind, SageMakerStandIn
from functions.aws.launcher import SageMakerLauncher
from shared.config.targets import SageMakerTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import Run, RunResult, RunStatus
from shared.trigger import run_name
from tests.aws.adapters import launcher_of
from tests.contracts.adapters import request, trigger


def test_an_execution_gets_token_name_parameters_and_provenance(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn
) -> None:
    """Everything that a person or a later launch needs stands at the execution; every parameter is a text."""
    asked = request(parameters={"epochs": 8, "rate": 0.1, "full": True, "name": "ü"})
    run = launcher.start(asked, again=False)
    (execution,) = pipelines.executions()
    assert run == Run(run_id=execution.arn)
    assert execution.token == asked.token
    assert execution.display_name == run_name(asked.token)
    assert execution.parameters == {"epochs": "8", "rate": "0.1", "full": "true", "name": "ü"}
    assert json.loads(execution.description or "") == {
        "trigger_id": "t-1",
        "model_id": "churn",
        "origin": "drift",
        "reason": "Qualität fällt",
        "severity": "high",
        "requested_by": "monitor",
        "requested_at": "2026-11-21T03:00:00Z",
    }


def test_a_pipeline_may_be_named_by_its_arn(pipelines: SageMakerStandIn) -> None:
    """Starting and finding work with the ARN too."""
    arn = f"arn:aws:sagemaker:{pipelines.region}:{pipelines.account}:pipeline/churn-training"
    first = launcher_of(arn).start(request(), again=False)
    assert launcher_of(arn).start(request(), again=True) == first


def test_equal_tokens_are_one_execution(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """The target says that it honours tokens, and does; another trigger is another execution."""
    assert SageMakerTarget.honours_tokens
    first = launcher.start(request(), again=False)
    assert launcher.start(request(), again=False) == first
    assert launcher.start(request(trigger(2)), again=False) != first
    assert [execution.start_calls for execution in pipelines.executions()] == [2, 1]


@pytest.mark.parametrize("again", [False, True])
def test_a_pipeline_that_does_not_exist_refuses(pipelines: SageMakerStandIn, *, again: bool) -> None:
    """The configuration is wrong, and the message says where."""
    with pytest.raises(
        TargetRefusedError, match="refuses to start the pipeline gone: ResourceNotFound: Pipeline 'arn:"
    ):
        launcher_of("gone").start(request(), again=again)
    assert pipelines.executions() == []


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Succeeded", RunResult.SUCCEEDED),
        ("Failed", RunResult.FAILED),
        ("Stopped", RunResult.STOPPED),
        ("CompletedWithFailures", RunResult.FAILED),
    ],
)
def test_the_service_shows_how_a_run_ended(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn, status: str, result: RunResult
) -> None:
    """While it runs there is no end; afterwards there is a result and a time, in UTC."""
    run = launcher.start(request(), again=False)
    assert launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)
    pipelines.end(run.run_id, status)
    reported = launcher.status(run.run_id)
    assert reported.result is result
    assert reported.ended_at is not None
    assert reported.ended_at.tzinfo is UTC
    assert abs(reported.ended_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_an_unknown_run_has_stopped(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """A run that the service does not know has stopped, and so has an id that was never one of a run."""
    prefix = f"arn:aws:sagemaker:{pipelines.region}:{pipelines.account}:pipeline/churn-training/execution/"
    assert launcher.status(f"{prefix}abcdefghijkl") == RunStatus(result=RunResult.STOPPED)
    assert launcher.status("no ARN") == RunStatus(result=RunResult.STOPPED)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.INTERNAL, FaultKind.HANG])
def test_an_unavailable_service_says_nothing_about_a_run(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn, kind: FaultKind
) -> None:
    """A run does not count as stopped because the service does not answer."""
    run = launcher.start(request(), again=False)
    pipelines.faults.add(Fault(kind=kind, operation="DescribePipelineExecution", seconds=2))
    with pytest.raises(UnavailableError, match=f"SageMaker could not describe the execution {run.run_id}: "):
        launcher.status(run.run_id)


def test_a_throttled_stop_is_requested_again_later(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """While the service is away nothing is stopped; the request may then be repeated, and its token is the same."""
    run = launcher.start(request(), again=False)
    pipelines.add_fault(FaultKind.THROTTLE, operation="StopPipelineExecution", times=20)
    with pytest.raises(UnavailableError, match="SageMaker could not stop the execution"):
        launcher.cancel(run.run_id)
    assert pipelines.executions()[0].status == "Executing"


def test_a_stop_that_is_refused_while_the_execution_runs_is_not_done(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn
) -> None:
    """Only an execution that no longer executes makes a refusal a success."""
    run = launcher.start(request(), again=False)
    pipelines.add_fault(FaultKind.REFUSE, operation="StopPipelineExecution")
    with pytest.raises(UnavailableError, match="ValidationException"):
        launcher.cancel(run.run_id)
    pipelines.end(run.run_id)
    pipelines.add_fault(FaultKind.REFUSE, operation="StopPipelineExecution")
    launcher.cancel(run.run_id)
