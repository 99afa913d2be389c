"""Executions of the SageMaker stand-in end on demand, after a time or with a command, and report their ends."""

import os
import queue
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.aws_client import client
from emulators.sagemaker import Pipeline, SageMakerStandIn
from tests.aws.calls import PIPELINES, TOKEN, code, start

Events = queue.SimpleQueue[dict[str, Any]]
WRITE_PARAMETERS = (
    "import os; open(os.environ['RETRAIN_PARAM_MODEL_ID'], 'w').write(os.environ['RETRAIN_PARAM_EPOCHS'])"
)


@pytest.fixture
def ends() -> Events:
    """Return the queue that the events of ended executions go to."""
    return queue.SimpleQueue()


@pytest.fixture
def sagemaker(ends: Events) -> Iterator[SageMakerStandIn]:
    """Return a stand-in whose executions last until they are ended, each end reported twice."""
    with SageMakerStandIn(pipelines=PIPELINES, on_end=ends.put, event_copies=2) as stand_in:
        yield stand_in


@pytest.fixture
def boto(sagemaker: SageMakerStandIn) -> Any:
    """Return a real client of the stand-in."""
    return client("sagemaker", sagemaker.url)


def status(boto: Any, arn: str) -> str:
    """Return the status that the service shows."""
    return str(boto.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])


def test_an_end_is_reported_by_events_of_the_documented_form(
    sagemaker: SageMakerStandIn, ends: Events, boto: Any
) -> None:
    """Both copies have the documented fields and ids of their own."""
    arn = start(boto, PipelineExecutionDisplayName="run-1", PipelineExecutionDescription="why")
    assert sagemaker.end("run-1", "Failed", "out of memory") == [arn]
    first, second = ends.get_nowait(), ends.get_nowait()
    pipeline = "arn:aws:sagemaker:eu-west-3:123456789012:pipeline/churn-training"
    times = [first["time"], first["detail"].pop("executionStartTime"), first["detail"].pop("executionEndTime")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    assert first == {
        "version": "0",
        "id": first["id"],
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "time": first["time"],
        "region": "eu-west-3",
        "resources": [pipeline, arn],
        "detail": {
            "pipelineExecutionDisplayName": "run-1",
            "currentPipelineExecutionStatus": "Failed",
            "previousPipelineExecutionStatus": "Executing",
            "pipelineExecutionDescription": "why",
            "pipelineArn": pipeline,
            "pipelineExecutionArn": arn,
        },
    }
    assert second["id"] != first["id"]
    assert second["detail"]["pipelineExecutionArn"] == arn
    shown = boto.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (shown["PipelineExecutionStatus"], shown["FailureReason"]) == ("Failed", "out of memory")


def test_an_execution_ends_once(sagemaker: SageMakerStandIn, ends: Events, boto: Any) -> None:
    """An ended execution cannot be ended again, nor any by a status that is not final; its token still finds it."""
    arn = start(boto)
    with pytest.raises(ValueError, match="not 'Executing'"):
        sagemaker.end(arn, "Executing")
    sagemaker.end("churn-training")
    with pytest.raises(LookupError, match="no unfinished execution"):
        sagemaker.end(arn)
    assert (start(boto), status(boto, arn)) == (arn, "Succeeded")
    assert [ends.get_nowait()["detail"]["currentPipelineExecutionStatus"] for _ in range(2)] == ["Succeeded"] * 2
    assert ends.empty()


def test_an_execution_that_was_ended_does_not_end_again_when_its_time_comes(ends: Events) -> None:
    """Only the end on demand is reported, and its status stays."""
    with SageMakerStandIn(pipelines={"churn-training": Pipeline(duration=0.1)}, on_end=ends.put) as sagemaker:
        start(client("sagemaker", sagemaker.url))
        sagemaker.end("churn-training", "Failed")
        assert ends.get_nowait()["detail"]["currentPipelineExecutionStatus"] == "Failed"
        with pytest.raises(queue.Empty):
            ends.get(timeout=0.4)
        assert [execution.status for execution in sagemaker.executions()] == ["Failed"]


def test_a_stopped_execution_ends_as_stopped(ends: Events, boto: Any) -> None:
    """StopPipelineExecution leads to Stopping, then to Stopped; an ended or unknown execution cannot be stopped."""
    arn = start(boto)
    boto.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
    detail = ends.get(timeout=5)["detail"]
    assert (detail["previousPipelineExecutionStatus"], detail["currentPipelineExecutionStatus"]) == (
        "Stopping",
        "Stopped",
    )
    assert status(boto, arn) == "Stopped"
    assert code(lambda: boto.stop_pipeline_execution(PipelineExecutionArn=arn)) == ("ConflictException", 400)
    assert code(lambda: boto.stop_pipeline_execution(PipelineExecutionArn=f"{arn}0")) == ("ResourceNotFound", 400)


def test_executions_end_by_duration_and_command(tmp_path: Path, ends: Events) -> None:
    """A duration ends in success, a command by its exit code, with the parameters in its environment."""
    written = tmp_path / "written"
    names = ("epochs", "model_id")
    pipelines = {
        "timed": Pipeline(duration=0.05),
        "good": Pipeline(command=(sys.executable, "-c", WRITE_PARAMETERS), parameters=names),
        "bad": Pipeline(command=(sys.executable, "-c", "raise SystemExit(3)")),
        "absent": Pipeline(command=(str(tmp_path / "absent"),)),
        "endless": Pipeline(command=("sleep", "600")),
    }
    parameters = [{"Name": "epochs", "Value": "8"}, {"Name": "model_id", "Value": str(written)}]
    with SageMakerStandIn(pipelines=pipelines, on_end=ends.put) as sagemaker:
        boto = client("sagemaker", sagemaker.url)
        arns = {
            name: start(boto, PipelineName=name, PipelineParameters=parameters if name == "good" else [])
            for name in pipelines
        }
        boto.stop_pipeline_execution(PipelineExecutionArn=arns["endless"])
        found = [ends.get(timeout=10)["detail"] for _ in pipelines]
        reason = boto.describe_pipeline_execution(PipelineExecutionArn=arns["bad"])["FailureReason"]
    statuses = {detail["pipelineExecutionArn"]: detail["currentPipelineExecutionStatus"] for detail in found}
    assert {name: statuses[arn] for name, arn in arns.items()} == {
        "timed": "Succeeded",
        "good": "Succeeded",
        "bad": "Failed",
        "absent": "Failed",
        "endless": "Stopped",
    }
    assert written.read_text() == "8"
    assert reason == "The command ended with exit code 3."


def test_a_closed_stand_in_leaves_no_command_behind(tmp_path: Path, ends: Events) -> None:
    """Closing ends a running command, and nothing is reported after that."""
    command = (
        sys.executable,
        "-c",
        f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    with SageMakerStandIn(pipelines={"churn-training": Pipeline(command=command)}, on_end=ends.put) as sagemaker:
        start(client("sagemaker", sagemaker.url))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            continue
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert ends.empty()
