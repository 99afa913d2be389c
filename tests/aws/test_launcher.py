"""SageMaker runs a training once, and whatever it answers is told apart: refused, or perhaps running."""

import dataclasses
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.aws.clients import CallLimits, Clients
from functions.aws.launcher import SageMakerLauncher, pipeline_parameters, provenance
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import LaunchRequest, Run, RunResult, RunStatus
from shared.targets import SageMakerTarget
from shared.trigger import RetrainTrigger, run_name
from tests.aws.conftest import IMPATIENT, Answering
from tests.emulators.sagemaker import Fault, FaultKind, Pipeline, SageMakerStandIn

NAMES = ("epochs", "rate", "full", "name")
PIPELINES = {"churn-training": Pipeline(parameters=NAMES), "other": Pipeline()}
TRIGGER = RetrainTrigger(
    model_id="churn",
    trigger_id="t-1",
    origin="drift",
    requested_at=datetime(2026, 11, 21, 3, 0, tzinfo=UTC),
    reason="Qualität fällt",
    severity="high",
    requested_by="monitor",
)


@pytest.fixture
def service(environment: pytest.MonkeyPatch) -> Iterator[SageMakerStandIn]:
    """Return a stand-in whose executions last until they are ended, to which the environment points."""
    with SageMakerStandIn(pipelines=PIPELINES) as stand_in:
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", stand_in.url)
        yield stand_in


@pytest.fixture
def launcher(service: SageMakerStandIn) -> SageMakerLauncher:
    """Return a launcher of the stand-in's first pipeline, whose calls are tried once."""
    return adapter(next(iter(service.pipelines)))


def adapter(pipeline: str = "churn-training", limits: CallLimits = IMPATIENT) -> SageMakerLauncher:
    """Return a launcher of a pipeline."""
    return SageMakerLauncher(Clients(limits=limits).factory("sagemaker"), SageMakerTarget(pipeline=pipeline))


def request(trigger_id: str = "t-1", claimed_at: datetime | None = None, **parameters: Any) -> LaunchRequest:
    """Return a request that was claimed just now."""
    trigger = dataclasses.replace(TRIGGER, trigger_id=trigger_id)
    return LaunchRequest(
        trigger=trigger,
        token=trigger.token,
        parameters=parameters,
        claimed_at=claimed_at or datetime.now(UTC),
        max_run=timedelta(hours=1),
    )


def test_an_execution_gets_token_name_parameters_and_provenance(
    launcher: SageMakerLauncher, service: SageMakerStandIn
) -> None:
    """Everything that a person or a later launch needs stands at the execution; every parameter is a text."""
    asked = request(epochs=8, rate=0.1, full=True, name="ü")
    run = launcher.start(asked, again=False)
    (execution,) = service.executions()
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


def test_a_pipeline_may_be_named_by_its_arn(service: SageMakerStandIn) -> None:
    """Starting and finding work with the ARN too."""
    arn = f"arn:aws:sagemaker:{service.region}:{service.account}:pipeline/churn-training"
    first = adapter(arn).start(request(), again=False)
    assert adapter(arn).start(request(), again=True) == first


def test_equal_tokens_are_one_execution(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """The launcher says that it is idempotent, and is; another trigger is another execution."""
    assert launcher.idempotent
    first = launcher.start(request(), again=False)
    assert launcher.start(request(), again=False) == first
    assert launcher.start(request("t-2"), again=False) != first
    assert [execution.start_calls for execution in service.executions()] == [2, 1]


def test_botocores_own_repeat_starts_nothing_twice(service: SageMakerStandIn) -> None:
    """When the answer gets lost, botocore asks again with the same token."""
    service.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    run = adapter(limits=CallLimits(read_timeout=5, attempts=2)).start(request(), again=False)
    (execution,) = service.executions()
    assert (run.run_id, execution.start_calls) == (execution.arn, 2)


def test_a_lost_answer_may_have_started_it(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """The caller is told to come back, and then finds the execution by its name, although the token is forgotten."""
    service.faults.add(Fault(kind=FaultKind.LOST_ANSWER))
    with pytest.raises(UnavailableError, match="SageMaker could not start the pipeline churn-training: "):
        launcher.start(request(), again=False)
    service.forget_tokens()
    run = launcher.start(request(), again=True)
    (execution,) = service.executions()
    assert (run.run_id, execution.start_calls) == (execution.arn, 1)


def test_a_slow_answer_may_have_started_it(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """A timeout is not a refusal either."""
    service.faults.add(Fault(kind=FaultKind.SLOW, seconds=2))
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="ReadTimeoutError"):
        launcher.start(request(), again=False)
    assert time.monotonic() - began < 2
    assert len(service.executions()) == 1


def test_what_never_started_starts_on_the_repeat(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """Looking first does not keep a training from starting that nobody has started."""
    launcher.start(request("t-other"), again=False)
    run = launcher.start(request(), again=True)
    assert [execution.arn for execution in service.executions()][1:] == [run.run_id]


def test_an_execution_is_found_among_hundreds(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """The search reads every page, and stops at the execution's."""
    first = launcher.start(request(), again=False)
    service.forget_tokens()
    for number in range(120):
        launcher.start(request(f"other-{number}"), again=False)
    assert launcher.start(request(), again=True) == first
    assert service.calls("ListPipelineExecutions") == 2
    assert len(service.executions()) == 121


@pytest.mark.parametrize(("ahead", "found"), [(14, True), (16, False)])
def test_the_search_goes_back_a_quarter_of_an_hour(
    launcher: SageMakerLauncher, service: SageMakerStandIn, ahead: int, found: bool
) -> None:
    """A claimer's clock may be ahead of SageMaker's by so much; older executions are not of this claim."""
    first = launcher.start(request(), again=False)
    service.forget_tokens()
    claimed_at = datetime.now(UTC) + timedelta(minutes=ahead)
    assert (launcher.start(request(claimed_at=claimed_at), again=True) == first) is found


def test_a_training_that_runs_is_found_before_its_parameters_are_judged(
    launcher: SageMakerLauncher, service: SageMakerStandIn
) -> None:
    """Parameters that became illegal since the start do not make a running training a refused one."""
    first = launcher.start(request(), again=False)
    assert launcher.start(request(**{"not legal": 1}), again=True) == first
    assert len(service.executions()) == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_pipeline_that_does_not_exist_refuses(service: SageMakerStandIn, again: bool) -> None:
    """The configuration is wrong, and the message says where."""
    with pytest.raises(
        TargetRefusedError, match="refuses to start the pipeline gone: ResourceNotFound: Pipeline 'arn:"
    ):
        adapter("gone").start(request(), again=again)
    assert service.executions() == []


def test_what_the_pipeline_does_not_take_is_refused(launcher: SageMakerLauncher) -> None:
    """A parameter that the pipeline does not declare is named by the service, its value by nobody."""
    with pytest.raises(TargetRefusedError, match=r"ValidationException: Unknown parameters: \[depth\]") as raised:
        launcher.start(request(depth="hunter2"), again=False)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "kind", [FaultKind.THROTTLE, FaultKind.RESOURCE_LIMIT, FaultKind.INTERNAL, FaultKind.UNAVAILABLE, FaultKind.HANG]
)
@pytest.mark.parametrize(("operation", "again"), [("StartPipelineExecution", False), ("ListPipelineExecutions", True)])
def test_whatever_passes_is_transient(
    launcher: SageMakerLauncher, service: SageMakerStandIn, kind: FaultKind, operation: str, again: bool
) -> None:
    """Throttled, full, failing or silent: the same request starts it later, and once."""
    service.faults.add(Fault(kind=kind, operation=operation, seconds=2))
    with pytest.raises(UnavailableError, match="^SageMaker could not .* the pipeline churn-training: "):
        launcher.start(request(), again=again)
    launcher.start(request(), again=True)
    assert len(service.executions()) == 1


@pytest.mark.parametrize(
    ("code", "status"), [("ConflictException", 400), ("AccessDeniedException", 400), ("ExpiredTokenException", 403)]
)
def test_what_an_operator_or_time_repairs_is_transient(
    environment: pytest.MonkeyPatch, answering: Answering, code: str, status: int
) -> None:
    """A missing right or a conflict is not the event's fault."""
    environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", answering(status, {"__type": code, "message": "told so"}))
    with pytest.raises(UnavailableError, match=f"start the pipeline churn-training: {code}: told so; try again"):
        adapter().start(request(), again=False)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"with space": 1}, "parameters.with space: SageMaker takes names of 1 to 256 letters, digits, - and _"),
        ({"": 1}, "parameters.: SageMaker takes names of"),
        ({"n" * 257: 1}, "parameters.nnn"),
        ({"name\n": 1}, "parameters.name"),
        ({"name": "x" * 1025}, "parameters.name: SageMaker takes values of at most 1024 characters, not 1025"),
        ({f"p{number}": number for number in range(201)}, "parameters: SageMaker takes at most 200, not 201"),
    ],
)
def test_illegal_parameters_are_refused_without_a_call(
    launcher: SageMakerLauncher, service: SageMakerStandIn, parameters: dict[str, Any], problem: str
) -> None:
    """The limits of the service model are checked here, where the parameter can be named."""
    with pytest.raises(TargetRefusedError) as raised:
        launcher.start(request(**parameters), again=False)
    assert str(raised.value).startswith(problem)
    assert not service.all_calls()


def test_the_largest_parameters_are_taken(environment: pytest.MonkeyPatch) -> None:
    """What is exactly at the limits passes the service's own checks."""
    names = [f"{number:03}-_{'n' * 251}" for number in range(200)]
    with SageMakerStandIn(pipelines={"full": Pipeline(parameters=names)}) as service:
        environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER", service.url)
        adapter("full").start(request(**dict.fromkeys(names, "x" * 1024)), again=False)
        assert service.executions()[0].parameters == dict.fromkeys(names, "x" * 1024)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (8, "8"),
        (-1, "-1"),
        (0.1, "0.1"),
        (1e-07, "1e-07"),
        (2.0, "2.0"),
        ("True", "True"),
    ],
)
def test_every_value_is_a_text(value: Any, text: str) -> None:
    """Flags are written as in JSON; texts stay as they are."""
    assert pipeline_parameters({"name": value}) == [{"Name": "name", "Value": text}]


@pytest.mark.parametrize("character", ["x", '"', "é", "\U0001f4c9", "\x01"])
def test_a_description_never_breaks(launcher: SageMakerLauncher, service: SageMakerStandIn, character: str) -> None:
    """However long the texts, the description is JSON that SageMaker takes; the reason gives way first."""
    longest = dataclasses.replace(
        TRIGGER, reason=character * 512, requested_by=character * 512, trigger_id=character * 128
    )
    description = provenance(longest)
    fields = json.loads(description)
    assert len(description) <= 3072
    assert fields["trigger_id"] == longest.trigger_id
    assert fields["model_id"] == "churn"
    assert longest.reason.startswith(fields.get("reason", ""))
    launcher.start(dataclasses.replace(request(), trigger=longest), again=False)
    assert service.executions()[0].description == description


def test_even_ids_are_cut_rather_than_breaking_the_description() -> None:
    """Ids of the longest kind leave no room for both; what is left is JSON, with the request's time and origin."""
    longest = dataclasses.replace(TRIGGER, trigger_id="\U0001f4c9" * 128, model_id="\U0001f4c9" * 256)
    fields = json.loads(provenance(longest))
    assert 3072 - 12 < len(provenance(longest)) <= 3072
    assert fields["trigger_id"] == longest.trigger_id
    assert longest.model_id.startswith(fields["model_id"])
    assert fields["origin"] == "drift"


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Succeeded", RunResult.SUCCEEDED),
        ("Failed", RunResult.FAILED),
        ("Stopped", RunResult.STOPPED),
        ("CompletedWithFailures", RunResult.FAILED),
    ],
)
def test_the_service_tells_how_a_run_ended(
    launcher: SageMakerLauncher, service: SageMakerStandIn, status: str, result: RunResult
) -> None:
    """While it runs there is no end; afterwards there is a result and a time, in UTC."""
    run = launcher.start(request(), again=False)
    assert launcher.status(run.run_id) == RunStatus(result=RunResult.RUNNING)
    service.end(run.run_id, status)
    told = launcher.status(run.run_id)
    assert told.result is result
    assert told.ended_at is not None
    assert told.ended_at.tzinfo is UTC
    assert abs(told.ended_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_an_unknown_run_has_stopped(launcher: SageMakerLauncher, service: SageMakerStandIn) -> None:
    """What the service does not know cannot run; no more can what was never the id of a run."""
    prefix = f"arn:aws:sagemaker:{service.region}:{service.account}:pipeline/churn-training/execution/"
    assert launcher.status(f"{prefix}abcdefghijkl") == RunStatus(result=RunResult.STOPPED)
    assert launcher.status("no ARN") == RunStatus(result=RunResult.STOPPED)


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.INTERNAL, FaultKind.HANG])
def test_a_service_that_is_away_tells_nothing_about_a_run(
    launcher: SageMakerLauncher, service: SageMakerStandIn, kind: FaultKind
) -> None:
    """A run is not called stopped because nobody answers."""
    run = launcher.start(request(), again=False)
    service.faults.add(Fault(kind=kind, operation="DescribePipelineExecution", seconds=2))
    with pytest.raises(UnavailableError, match=f"SageMaker could not describe the execution {run.run_id}: "):
        launcher.status(run.run_id)
