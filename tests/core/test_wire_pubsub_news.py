"""Log entries of Vertex AI report the status of a pipeline job."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.ports import RunResult
from shared.wire.incoming import Foreign, RunEnded, Signal
from shared.wire.pubsub import decode
from tests.core.pubsub_deliveries import FORMS, Deliver, message_of, push, sample

SOURCE = "ml3_platform"
JOB = "retrain-0123456789abcdef0123456789abcdef01234567"


def entry(**changes: Any) -> dict[str, Any]:
    """Return a log entry about a job that ended well, with *changes*."""
    return {
        "insertId": "x",
        "jsonPayload": {
            "@type": "type.googleapis.com/google.cloud.aiplatform.logging.PipelineJobLogEntry",
            "pipelineName": "train",
            "state": "PIPELINE_STATE_SUCCEEDED",
        },
        "resource": {
            "type": "aiplatform.googleapis.com/PipelineJob",
            "labels": {
                "location": "europe-west4",
                "pipeline_job_id": JOB,
                "resource_container": "projects/677687165274",
            },
        },
        "timestamp": "2026-11-21T04:00:00.123456789Z",
        "severity": "INFO",
        "logName": "projects/acme/logs/aiplatform.googleapis.com%2Fpipeline_job_events",
    } | changes


def read(content: object) -> object:
    """Return the decoded form of a message with *content*."""
    return decode(push(message_of(content, {"logging.googleapis.com/timestamp": "x"})), SOURCE)


@pytest.mark.parametrize("deliver", FORMS.values(), ids=FORMS)
def test_the_end_of_a_job_is_reported(deliver: Deliver) -> None:
    """Full name, our own name, result and time come out of a log entry, however it is delivered."""
    assert decode(deliver(message_of(entry(), {})), SOURCE) == RunEnded(
        run_id=f"projects/677687165274/locations/europe-west4/pipelineJobs/{JOB}",
        name=JOB,
        result=RunResult.SUCCEEDED,
        ended_at=datetime(2026, 11, 21, 4, 0, 0, 123456, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ("PIPELINE_STATE_SUCCEEDED", RunResult.SUCCEEDED),
        ("PIPELINE_STATE_FAILED", RunResult.FAILED),
        ("PIPELINE_STATE_CANCELLED", RunResult.STOPPED),
        ("PIPELINE_STATE_RUNNING", RunResult.RUNNING),
        ("PIPELINE_STATE_CANCELLING", RunResult.RUNNING),
        ("PIPELINE_STATE_PAUSED", RunResult.RUNNING),
        ("PIPELINE_STATE_NEW_IN_2030", RunResult.RUNNING),
    ],
)
def test_every_state_has_a_result(state: str, result: RunResult) -> None:
    """Three states are ends; every other one, also one that is not known yet, is a job that goes on."""
    news = read(entry(jsonPayload={"state": state}))
    assert isinstance(news, RunEnded)
    assert news.result is result
    assert (news.ended_at is None) is (result is RunResult.RUNNING)


@pytest.mark.parametrize(
    ("labels", "project"),
    [
        ({"resource_container": "677687165274"}, "677687165274"),
        ({"resource_container": "projects/acme"}, "acme"),
        ({"project_id": "acme-2"}, "acme-2"),
        ({}, "acme"),
    ],
)
def test_the_project_is_found_wherever_it_stands(labels: dict[str, str], project: str) -> None:
    """The label of the resource, in whatever spelling, comes first, then the log's own name."""
    resource = {
        "type": "aiplatform.googleapis.com/PipelineJob",
        "labels": {"location": "l", "pipeline_job_id": JOB, **labels},
    }
    news = read(entry(resource=resource))
    assert isinstance(news, RunEnded)
    assert news.run_id == f"projects/{project}/locations/l/pipelineJobs/{JOB}"


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": {"type": "aiplatform.googleapis.com/Endpoint", "labels": entry()["resource"]["labels"]}},
        {"resource": {"type": "aiplatform.googleapis.com/PipelineJob", "labels": {"location": "l"}}},
        {"resource": {"type": "aiplatform.googleapis.com/PipelineJob"}},
        {"resource": None},
        {"jsonPayload": {"state": "RUNNING"}},
        {"jsonPayload": {"state": 5}},
        {"jsonPayload": "text"},
        {"logName": "projects/acme/logs/aiplatform.googleapis.com%2Fprediction_access"},
        {"logName": 5},
    ],
)
def test_other_log_entries_are_foreign(changes: dict[str, Any]) -> None:
    """An entry of another resource, another log, a task, or without the name of the job is not ours."""
    assert isinstance(read(entry(**changes)), Foreign)


@pytest.mark.parametrize("moment", [None, 5, "yesterday"])
def test_an_end_without_a_time_has_none(moment: object) -> None:
    """An invalid time is left out; the receiver's clock is used."""
    news = read(entry(timestamp=moment))
    assert isinstance(news, RunEnded)
    assert news.ended_at is None


def test_a_log_entry_that_nobody_published_as_a_message_is_foreign() -> None:
    """Only what comes through the topic counts."""
    assert isinstance(decode(entry(), SOURCE), Foreign)


def test_an_anomaly_in_the_same_log_sink_is_a_signal() -> None:
    """Both kinds of entries may come through one topic, and are told apart."""
    anomaly = sample("gcp/docs-vertex-model-monitoring-anomaly-logentry.json")
    assert isinstance(read(anomaly), Signal)
    assert json.dumps(anomaly)
