"""A training is handed over to a workflow once, or the error says that this is not known."""

import pytest

from emulators.github import GitHubStandIn
from functions.github.launcher import GitHubLauncher
from functions.github.payload import MOST_NAMES
from shared.config.targets import GitHubTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import RunResult
from tests.github.given import REPOSITORY, client_of, request

TARGET = GitHubTarget(repository=REPOSITORY, event_type="retrain")


def launcher(github: GitHubStandIn) -> GitHubLauncher:
    """Return a launcher of the stand-in's repository."""
    return GitHubLauncher(client_of(github.url), TARGET)


def test_a_workflow_gets_the_trigger_with_parameters_and_token(github: GitHubStandIn) -> None:
    """The payload has the trigger's fields, the final parameters, and the token for the concurrency group."""
    full = request(
        reason="accuracy fell",
        severity="high",
        requested_by="monitor",
        evidence={"report_url": "https://a.example"},
        parameters={"epochs": 9, "full": True, "name": "ü"},
    )
    launcher(github).start(full, again=False)
    (event,) = github.dispatched()
    assert event.event_type == "retrain"
    assert event.payload == {
        "token": full.token,
        "model_id": "churn",
        "trigger_id": "t-1",
        "origin": "drift",
        "reason": "accuracy fell",
        "severity": "high",
        "requested_by": "monitor",
        "requested_at": "2026-11-21T03:00:00Z",
        "evidence": {"report_url": "https://a.example"},
        "parameters": {"epochs": 9, "full": True, "name": "ü"},
    }
    assert len(event.payload) == MOST_NAMES


def test_the_trace_context_has_a_place_within_githubs_limit(github: GitHubStandIn) -> None:
    """It is a name of its own; if all ten are taken, it is in the evidence."""
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    usual = request(traceparent=traceparent, evidence={"share": 0.4})
    full = request(
        traceparent=traceparent, reason="x", severity="high", requested_by="monitor", evidence={"share": 0.4}
    )
    for each in (usual, full):
        launcher(github).start(each, again=False)
    first, second = (event.payload for event in github.dispatched())
    assert (first["traceparent"], first["evidence"]) == (traceparent, {"share": 0.4})
    assert (len(second), second["evidence"]) == (MOST_NAMES, {"share": 0.4, "traceparent": traceparent})


def test_empty_fields_are_left_out(github: GitHubStandIn) -> None:
    """But `parameters` is always there, so that a workflow need not test for it."""
    launcher(github).start(request(parameters={}), again=False)
    (event,) = github.dispatched()
    assert set(event.payload) == {"token", "model_id", "trigger_id", "origin", "requested_at", "parameters"}
    assert event.payload["parameters"] == {}


def test_the_run_is_handed_over(github: GitHubStandIn) -> None:
    """Its id is the token, its page lists the runs of such events, and its status cannot be queried."""
    training = launcher(github)
    run = training.start(request(), again=False)
    assert run.handed_over
    assert run.run_id == request().token
    assert run.url == f"{github.url}/acme/churn/actions?query=event%3Arepository_dispatch"
    assert training.status(run.run_id).result is RunResult.STOPPED


def test_a_repeat_is_a_second_event_with_the_same_token(github: GitHubStandIn) -> None:
    """The target honours no tokens, and the core takes that into account."""
    training = launcher(github)
    assert not GitHubTarget.honours_tokens
    training.start(request(), again=False)
    training.start(request(), again=True)
    assert [event.payload["token"] for event in github.dispatched()] == [request().token] * 2


def test_parameters_that_are_too_long_are_refused_before_anything_is_sent(github: GitHubStandIn) -> None:
    """A training must not run with other parameters than the requested ones."""
    with pytest.raises(TargetRefusedError, match="parameters: "):
        launcher(github).start(request(parameters={"text": "x" * 70_000}), again=False)
    assert github.requests() == []


def test_a_lost_answer_is_not_a_refusal(github: GitHubStandIn) -> None:
    """The event is kept, and is not handed over twice by one start."""
    github.add_fault("lost_answer")
    with pytest.raises(UnavailableError):
        launcher(github).start(request(), again=False)
    assert len(github.dispatched()) == 1


def test_what_was_handed_over_cannot_be_cancelled(github: GitHubStandIn) -> None:
    """The error names the repository, and no call is made."""
    with pytest.raises(TargetRefusedError, match=f"handed over to {REPOSITORY} cannot be cancelled from here"):
        launcher(github).cancel("token")
    assert github.requests() == []
