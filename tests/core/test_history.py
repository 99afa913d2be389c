"""Every training can be explained later: by the model's history, its log lines, and the messages about a failure."""

import logging
from typing import Any

import pytest

from shared.decision.record import Cut, one_line
from shared.notice import notice_document, notice_text
from shared.ports import RunResult
from tests.core.deployment import Deployment, trigger_event
from tests.core.samples import HOUR, NOW, model_text, trigger
from tests.fakes.faults import Fault, Script

WHY = "AlgorithmError: exit code 1\nValueError: no rows"
NOTIFY = '[notify]\nchannels = ["slack://a"]'
PARAMETERS = '[models."churn".parameters]\nepochs = 8\nname = "$model_id"'


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """Return the fields of the log lines of *event*."""
    return [vars(record) for record in caplog.records if record.message == event]


def test_the_log_line_of_a_decision_explains_it(caplog: pytest.LogCaptureFixture) -> None:
    """It has who, why, and with which parameters, defaults included; of the evidence only links without credentials."""
    deployment = Deployment(model_text(tables=PARAMETERS))
    evidence = {
        "report_url": "https://reports/1",
        "download": "https://reports/1?sig=secret",
        "owner": "https://anna:secret@reports/1",
        "rows": {"first": "a customer's name"},
    }
    asked = {"reason": "drift", "requested_by": "monitor", "severity": "high", "origin": "drift"}
    with caplog.at_level(logging.INFO, logger="retrain"):
        deployment.receive(trigger_event(parameters={"epochs": 3}, evidence=evidence, **asked))
    (line,) = logged(caplog, "retrain.decided")
    expected = {
        "model_id": "churn",
        "trigger_id": "t-1",
        "decision": "launch",
        "reason": "launched",
        "origin": "drift",
        "why": "drift",
        "requested_by": "monitor",
        "severity": "high",
        "requested_at": "2026-11-21T02:59:58Z",
        "parameters": {"epochs": 3, "name": "churn"},
        "evidence": ["https://reports/1"],
    }
    assert {name: line[name] for name in expected} == expected
    assert "secret" not in str(line)
    assert "customer" not in str(line)


def test_large_parameters_are_cut_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Over 1 KB only their size and their beginning are logged."""
    deployment = Deployment(model_text(tables='[models."churn".parameters]\nnotes = ""'))
    with caplog.at_level(logging.INFO, logger="retrain"):
        deployment.receive(trigger_event(parameters={"notes": "x" * 5000}))
    (line,) = logged(caplog, "retrain.decided")
    assert line["parameters"] == {"cut": True, "bytes": 5012, "text": '{"notes":"' + "x" * 890}


def test_a_repeat_is_logged_with_its_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """A duplicate is in no history, so its log line is all that there is."""
    deployment = Deployment()
    deployment.receive(trigger_event())
    with caplog.at_level(logging.INFO, logger="retrain"):
        deployment.receive(trigger_event(requested_by="anna", reason="again"))
    (line,) = logged(caplog, "retrain.decided")
    assert (line["reason"], line["requested_by"], line["why"]) == ("duplicate", "anna", "again")


def test_the_reason_of_a_failure_is_queried_and_shown_everywhere(caplog: pytest.LogCaptureFixture) -> None:
    """The event has no reason, the service has: it is in the history, the log and the message, as one line."""
    deployment = Deployment(model_text() + NOTIFY)
    deployment.receive(trigger_event(reason="weekly"))
    with caplog.at_level(logging.INFO, logger="retrain"):
        deployment.end(trigger(), "run-1", RunResult.FAILED, WHY)
    text = "AlgorithmError: exit code 1 ValueError: no rows"
    assert deployment.state().runs[0].error == text
    assert logged(caplog, "retrain.ended")[0]["error"] == text
    ((_, notice),) = deployment.channels.sent
    assert notice_text(notice).splitlines()[:3] == [
        "The training of churn has failed.",
        f"Error: {text}",
        "Reason: weekly",
    ]
    assert notice_document(notice)["error"] == text


@pytest.mark.parametrize(
    ("result", "queries"), [(RunResult.SUCCEEDED, 0), (RunResult.STOPPED, 0), (RunResult.FAILED, 1)]
)
def test_only_a_failure_costs_a_query(result: RunResult, queries: int) -> None:
    """The end of a training that did not fail is recorded without a call of the training service."""
    service = Script()
    deployment = Deployment(launcher_gate=service)
    deployment.receive(trigger_event())
    deployment.wait(HOUR)
    deployment.end(trigger(), "run-1", result, WHY)
    assert service.calls.count("status") == queries
    assert deployment.state().runs[0].result == result


def test_a_failure_is_recorded_without_a_reason_if_the_service_is_away() -> None:
    """The end itself needs no answer of the service; the event is acknowledged."""
    deployment = Deployment(launcher_gate=Script({1: Fault.THROTTLED}))
    deployment.receive(trigger_event())
    assert deployment.end(trigger(), "run-1", RunResult.FAILED, WHY).decision == "ended"
    (run,) = deployment.state().runs
    assert (run.result, run.error) == ("failed", "")


def test_requested_parameters_are_known_apart_from_the_defaults() -> None:
    """A retry takes the requested parameters, with today's defaults: both are in the history."""
    deployment = Deployment(model_text(tables=PARAMETERS))
    deployment.receive(trigger_event(parameters={"epochs": 3}))
    record = deployment.state().runs[0].trigger
    assert record is not None
    assert (record.parameters, record.requested) == ({"epochs": 3, "name": "churn"}, ("epochs",))


def test_large_requested_parameters_are_not_known() -> None:
    """They were cut, so the training cannot be repeated from the history."""
    deployment = Deployment(model_text(tables='[models."churn".parameters]\nnotes = ""'))
    deployment.receive(trigger_event(parameters={"notes": "x" * 5000}))
    record = deployment.state().runs[0].trigger
    assert record is not None
    assert record.requested is None
    assert isinstance(record.parameters, Cut)


def test_a_rejected_event_names_its_sender() -> None:
    """Its readable fields are listed with it; the wrong one is left out."""
    deployment = Deployment()
    wrong: dict[str, Any] = {
        "origin": "moon",
        "reason": "new labels",
        "requested_by": "anna",
        "evidence": {"page": "https://reports/1"},
    }
    deployment.receive(trigger_event(**wrong))
    (line,) = deployment.get("/models/churn")["rejected"]
    assert line["detail"].startswith("origin: must be one of")
    assert (line["origin"], line["why"], line["requested_by"]) == (None, "new labels", "anna")
    assert line["evidence"] == ["https://reports/1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("  two\r\n\tlines \x1b[2J\u2028 ", "two lines [2J"),
        ("x" * 501, "x" * 500),
        ("\U0001f600" * 500, "\U0001f600" * 225),
    ],
)
def test_an_error_is_one_line_of_bounded_size(text: str, line: str) -> None:
    """Line breaks and control characters become spaces; at most 500 characters and 900 bytes stay."""
    assert one_line(text) == line


def test_the_last_success_is_known_when_it_left_the_history() -> None:
    """It stays after any number of later failures."""
    deployment = Deployment()
    deployment.receive(trigger_event("t-0"))
    deployment.end(trigger(trigger_id="t-0"), "run-1")
    for number in range(1, 25):
        deployment.wait(HOUR)
        deployment.receive(trigger_event(f"t-{number}"))
        deployment.end(trigger(trigger_id=f"t-{number}"), f"run-{number + 1}", RunResult.FAILED)
    state = deployment.state()
    assert {run.result for run in state.runs} == {"failed"}
    assert state.last_success == NOW
