"""EventBridge: the news of SageMaker's executions and the ticks of schedules are read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from shared.ports import RunResult
from shared.wire.eventbridge import Tick, decode, decode_tick, run_result
from shared.wire.incoming import Foreign, RunEnded

EVENTS = Path(__file__).parents[1] / "events"
SOURCE = "ml3_platform"
STATUS_CHANGE = "awsdocs-sagemaker-pipeline-execution-status-change.json"


def sample(name: str) -> Any:
    """Return a recorded event."""
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def test_the_end_of_a_pipeline_execution_is_read() -> None:
    """The documented status change has run, name, result and end."""
    assert decode(sample(f"aws/{STATUS_CHANGE}"), SOURCE) == RunEnded(
        run_id="arn:aws:sagemaker:us-east-1:123456789012:pipeline/myPipeline-123/execution/p4jn9xou8a8s",
        name="SomeDisplayName",
        model_id=None,
        result=RunResult.SUCCEEDED,
        ended_at=datetime(2021, 3, 15, 16, 10, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("Executing", RunResult.RUNNING),
        ("Stopping", RunResult.RUNNING),
        ("Stopped", RunResult.STOPPED),
        ("Failed", RunResult.FAILED),
        ("CompletedWithFailures", RunResult.FAILED),
        ("Succeeded", RunResult.SUCCEEDED),
        ("Resting", RunResult.RUNNING),
    ],
)
def test_every_status_has_a_meaning(status: str, result: RunResult) -> None:
    """Only a final status ends a run; one that is not known yet frees nothing, and nothing running has an end."""
    event = sample(f"aws/{STATUS_CHANGE}")
    event["detail"]["currentPipelineExecutionStatus"] = status
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.result is result is run_result(status)
    assert (incoming.ended_at is None) == (result is RunResult.RUNNING)


def test_an_end_without_its_own_time_has_that_of_the_event() -> None:
    """Where `executionEndTime` is missing the time of the event is used."""
    event = sample(f"aws/{STATUS_CHANGE}")
    del event["detail"]["executionEndTime"]
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.ended_at == datetime(2021, 3, 15, 16, 10, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("description", "model_id"),
    [
        ('{"model_id":"churn","reason":"x"}', "churn"),
        ('{"model_id":""}', None),
        ('{"model_id":7}', None),
        (json.dumps({"model_id": "m" * 257}), None),
        ("[]", None),
        ("nightly run", None),
        ("[" * 100_000, None),
        (None, None),
    ],
)
def test_the_description_of_our_executions_shows_the_model(description: object, model_id: str | None) -> None:
    """A description that is ours names the model; any other text is left alone."""
    event = sample(f"aws/{STATUS_CHANGE}")
    event["detail"]["pipelineExecutionDescription"] = description
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.model_id == model_id


@pytest.mark.parametrize(
    "detail", [None, [], {}, {"pipelineExecutionArn": "arn"}, {"currentPipelineExecutionStatus": "Failed"}]
)
def test_a_status_change_without_run_or_status_is_foreign(detail: object) -> None:
    """A status change without its execution or its status cannot be acted on."""
    assert isinstance(decode(sample(f"aws/{STATUS_CHANGE}") | {"detail": detail}, SOURCE), Foreign)


def test_a_rule_with_a_schedule_ticks() -> None:
    """The event of a scheduled rule is a tick at its time."""
    assert decode_tick(sample("aws/samcli-ScheduledEvent.json")) == Tick(at=datetime.fromtimestamp(0, UTC))


def test_eventbridge_scheduler_ticks() -> None:
    """EventBridge Scheduler without an input of its own sends the same event from another source, its detail a text."""
    event = {
        "version": "0",
        "id": "d565d36f-a484-46ca-8ca8-ff01feb2c827",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2024-02-19T16:11:32+01:00",
        "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"],
        "detail": "{}",
    }
    tick = decode_tick(event)
    assert tick == Tick(at=datetime(2024, 2, 19, 16, 11, 32, tzinfo=timezone(timedelta(hours=1))))
    assert tick.at is not None
    assert tick.at.tzinfo is UTC


@pytest.mark.parametrize("time", [None, 1700000000000, "soon"])
def test_a_tick_may_have_no_time(time: object) -> None:
    """A tick whose time is unreadable is still a tick."""
    assert decode_tick(sample("aws/samcli-ScheduledEvent.json") | {"time": time}) == Tick(at=None)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {},
        {"source": "aws.events", "detail-type": "Other"},
        {"source": "mine", "detail-type": "Scheduled Event"},
        {"source": ["aws.events"], "detail-type": {}},
        {"model_id": "churn"},
    ],
)
def test_anything_else_is_not_a_tick(event: object) -> None:
    """Only the two schedulers tick."""
    assert decode_tick(event) is None
