"""Event Grid: the news that Azure Machine Learning sends about runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.ports import RunResult
from shared.trigger import run_name
from shared.wire.eventgrid import decode
from shared.wire.eventgrid_runs import run_result
from shared.wire.incoming import Foreign, RunEnded

EVENTS = Path(__file__).parents[1] / "events" / "azure"
SOURCE = "ml3_platform"
WORKSPACE = "/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/acme"
NAME = run_name("0" * 64)
CHANGED = "Microsoft.MachineLearningServices.RunStatusChanged"
COMPLETED = "Microsoft.MachineLearningServices.RunCompleted"
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def changed(status: str = "Completed", *, name: str = NAME, **fields: object) -> dict[str, Any]:
    """Return the news that a run has another status, in the Event Grid schema as really sent."""
    (event,) = json.loads((EVENTS / "gosdk-RunStatusChanged.json").read_text(encoding="utf-8"))
    data = {**event["data"], "runId": name, "runStatus": status, "runTags": {"retrain-model-id": "churn"}}
    about = {"topic": WORKSPACE, "subject": f"experiments/e/runs/{name}", "eventTime": "2026-11-21T03:00:00.0000000Z"}
    return {**event, **about, "data": data, **fields}


def as_cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same news in the CloudEvents schema."""
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event["data"],
    }


def test_the_end_of_our_job_is_read() -> None:
    """Both schemas have run, name, model, result and end; the run's id is the job's own, as the launcher returns it."""
    news = RunEnded(
        run_id=f"{WORKSPACE}/jobs/{NAME}", name=NAME, model_id="churn", result=RunResult.SUCCEEDED, ended_at=AT
    )
    assert decode(changed(), SOURCE) == news
    assert decode(as_cloud_event(changed()), SOURCE) == news


@pytest.mark.parametrize("first", [str.upper, str.lower])
def test_the_case_of_the_keys_does_not_matter(first: Any) -> None:
    """Documentation and real events differ in `RunId` and `runId`, `RunTags` and `runTags`."""
    event = changed("Failed")
    data = {first(name[0]) + name[1:]: value for name, value in event["data"].items()}
    incoming = decode({**event, "data": data}, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert (incoming.name, incoming.model_id, incoming.result) == (NAME, "churn", RunResult.FAILED)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("NotStarted", RunResult.RUNNING),
        ("Starting", RunResult.RUNNING),
        ("Preparing", RunResult.RUNNING),
        ("Queued", RunResult.RUNNING),
        ("Running", RunResult.RUNNING),
        ("Finalizing", RunResult.RUNNING),
        ("CancelRequested", RunResult.RUNNING),
        ("NotResponding", RunResult.RUNNING),
        ("Paused", RunResult.RUNNING),
        ("Unknown", RunResult.RUNNING),
        ("Resting", RunResult.RUNNING),
        ("Canceled", RunResult.STOPPED),
        ("Failed", RunResult.FAILED),
        ("Completed", RunResult.SUCCEEDED),
    ],
)
def test_every_status_has_a_meaning(status: str, result: RunResult) -> None:
    """Only a final status ends a run; one that may come back, or is not known yet, frees nothing and has no end."""
    incoming = decode(changed(status), SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.result is result is run_result(status)
    assert (incoming.ended_at is None) == (result is RunResult.RUNNING)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.swapcase])
def test_the_case_of_type_and_status_does_not_matter(case: Callable[[str], str]) -> None:
    """Microsoft's own sample of a failed run has the status `failed`, and the REST API `Failed`."""
    results = {"Failed": RunResult.FAILED, "Canceled": RunResult.STOPPED, "Completed": RunResult.SUCCEEDED}
    for status, result in results.items():
        incoming = decode(changed(case(status), eventType=case(CHANGED)), SOURCE)
        assert isinstance(incoming, RunEnded)
        assert (incoming.result, incoming.ended_at) == (result, AT)


def test_a_completed_run_has_succeeded() -> None:
    """`RunCompleted` has no status: it is sent for runs that succeeded."""
    event = changed(eventType=COMPLETED)
    del event["data"]["runStatus"]
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.result is RunResult.SUCCEEDED


def test_the_subject_shows_the_run_as_well() -> None:
    """Where the data lack the run, the subject names it."""
    event = changed("Failed")
    del event["data"]["runId"]
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.name == NAME
    assert isinstance(decode(changed("Failed", data=None), SOURCE), RunEnded)


@pytest.mark.parametrize(
    "name", ["AutoML_ad912b2d", f"{NAME}-0", NAME.upper(), NAME[:-1], "retrain-" + "x" * 40, "retrain-churn", ""]
)
def test_runs_of_others_are_foreign(name: str) -> None:
    """Runs whose names we did not make are not ours, nor are steps of our own jobs."""
    assert isinstance(decode(changed(name=name), SOURCE), Foreign)


@pytest.mark.parametrize("tags", [None, [], {}, {"retrain-model-id": 5}, {"retrain-model-id": "m" * 257}, "churn"])
def test_a_model_that_is_none_is_left_out(tags: object) -> None:
    """Anyone may change a job's tags: the model in them is a hint, and an invalid model id is left out."""
    event = changed()
    event["data"]["runTags"] = tags
    incoming = decode(event, SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.model_id is None


def test_an_end_without_a_time_has_none() -> None:
    """An invalid time does not keep an end from being reported."""
    incoming = decode(changed(eventTime="yesterday"), SOURCE)
    assert isinstance(incoming, RunEnded)
    assert incoming.ended_at is None


def test_a_type_that_only_begins_like_the_news_is_foreign() -> None:
    """The types of Azure's own events count whole."""
    assert isinstance(decode(changed(eventType=f"{CHANGED}V2"), SOURCE), Foreign)
