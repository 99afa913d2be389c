"""However often a start is repeated, SageMaker runs one execution, and what passes is not called a refusal."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from emulators.sagemaker import Fault, FaultKind, SageMakerStandIn
from functions.aws.clients import CallLimits
from functions.aws.launcher import SageMakerLauncher
from shared.errors import UnavailableError
from tests.aws.adapters import launcher_of
from tests.contracts.adapters import Answering, request, trigger


def test_botocores_own_repeat_starts_nothing_twice(pipelines: SageMakerStandIn) -> None:
    """When the answer gets lost, botocore repeats the call with the same token."""
    pipelines.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    run = launcher_of(limits=CallLimits(read_timeout=5, attempts=2)).start(request(), again=False)
    (execution,) = pipelines.executions()
    assert (run.run_id, execution.start_calls) == (execution.arn, 2)


def test_a_lost_answer_may_have_started_it(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """The error is transient, and the repeat finds the execution by its name, although the token is forgotten."""
    pipelines.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    with pytest.raises(UnavailableError, match="SageMaker could not start the pipeline churn-training: "):
        launcher.start(request(), again=False)
    pipelines.forget_tokens()
    run = launcher.start(request(), again=True)
    (execution,) = pipelines.executions()
    assert (run.run_id, execution.start_calls) == (execution.arn, 1)


def test_a_slow_request_may_start_it_late(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """After a timeout the repeat may find nothing yet: the token keeps both requests to one execution."""
    pipelines.faults.add(Fault(kind=FaultKind.SLOW, seconds=3))
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="ReadTimeoutError"):
        launcher.start(request(), again=False)
    assert time.monotonic() - began < 3
    run = launcher.start(request(), again=True)
    while time.monotonic() - began < 10 and pipelines.executions()[0].start_calls < 2:
        time.sleep(0.05)
    (execution,) = pipelines.executions()
    assert (run.run_id, execution.start_calls) == (execution.arn, 2)


def test_what_never_started_starts_on_the_repeat(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """Looking first does not prevent the start of a training that was not started before."""
    launcher.start(request(trigger(2)), again=False)
    run = launcher.start(request(), again=True)
    assert [execution.arn for execution in pipelines.executions()][1:] == [run.run_id]


def test_an_execution_is_found_among_hundreds(launcher: SageMakerLauncher, pipelines: SageMakerStandIn) -> None:
    """The search reads every page, and stops at the execution's."""
    first = launcher.start(request(), again=False)
    pipelines.forget_tokens()
    for number in range(120):
        launcher.start(request(trigger(2 + number)), again=False)
    assert launcher.start(request(), again=True) == first
    assert pipelines.calls("ListPipelineExecutions") == 2
    assert len(pipelines.executions()) == 121


@pytest.mark.parametrize(("ahead", "found"), [(14, True), (16, False)])
def test_the_search_goes_back_a_quarter_of_an_hour(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn, ahead: int, *, found: bool
) -> None:
    """A claimer's clock may be ahead of SageMaker's by so much; older executions are not of this claim."""
    first = launcher.start(request(), again=False)
    pipelines.forget_tokens()
    claimed_at = datetime.now(UTC) + timedelta(minutes=ahead)
    assert (launcher.start(request(claimed_at=claimed_at), again=True) == first) is found


def test_a_training_that_runs_is_found_before_its_parameters_are_judged(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn
) -> None:
    """Parameters that became illegal since the start do not make a running training a refused one."""
    first = launcher.start(request(), again=False)
    assert launcher.start(request(parameters={"not legal": 1}), again=True) == first
    assert len(pipelines.executions()) == 1


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLE, FaultKind.RESOURCE_LIMIT, FaultKind.INTERNAL, FaultKind.UNAVAILABLE, FaultKind.HANG]
)
@pytest.mark.parametrize(("operation", "again"), [("StartPipelineExecution", False), ("ListPipelineExecutions", True)])
def test_whatever_passes_is_transient(
    launcher: SageMakerLauncher, pipelines: SageMakerStandIn, kind: FaultKind, operation: str, *, again: bool
) -> None:
    """Throttled, full, failing or silent: the same request starts it later, and once."""
    pipelines.faults.add(Fault(kind=kind, operation=operation, seconds=2))
    with pytest.raises(UnavailableError, match=r"^SageMaker could not .* the pipeline churn-training: "):
        launcher.start(request(), again=again)
    launcher.start(request(), again=True)
    assert len(pipelines.executions()) == 1


@pytest.mark.parametrize(
    ("code", "status"), [("ConflictException", 400), ("AccessDeniedException", 400), ("ExpiredTokenException", 403)]
)
def test_what_an_operator_or_time_repairs_is_transient(
    environment: pytest.MonkeyPatch, answering: Answering, code: str, status: int
) -> None:
    """A missing right or a conflict is not the event's fault."""
    environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", answering(status, {"__type": code, "message": "as scripted"}))
    with pytest.raises(UnavailableError, match=f"start the pipeline churn-training: {code}: as scripted; try again"):
        launcher_of().start(request(), again=False)
