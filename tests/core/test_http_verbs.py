"""A person steers a model over HTTP: each verb is one step, answered alike when it is repeated."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from shared.ports import RunResult
from shared.training.stop import stop_stray
from shared.training.sweep import sweep
from tests.core.deployment import Deployment, problem
from tests.core.samples import HOUR, MINUTE, configured, model_text
from tests.fakes.faults import Fault, perform

T = TypeVar("T")

RETRIED = model_text(settings="retries = 1")
WAITING = model_text(settings="approval = true")
RFC_3339 = "must be an RFC 3339 time such as 2026-12-01T08:00:00Z"


def steer(one: Deployment, verb: str, caller: str = "ada", **fields: object) -> tuple[int, Any]:
    """Carry out a verb, and again: the answer is the same, and the second one writes nothing."""
    first = one.call("POST", f"/models/churn/{verb}", fields, caller=caller)
    saves = len(one.ledger.history)
    again = one.call("POST", f"/models/churn/{verb}", fields, caller="bob")
    assert (again, len(one.ledger.history)) == (first, saves)
    return first.status, json.loads(first.body)


def cancel(one: Deployment, name: str) -> tuple[int, Any]:
    """Cancel a trigger."""
    return steer(one, "cancel", trigger_id=name)


def end(one: Deployment, result: RunResult = RunResult.FAILED) -> None:
    """Let the newest training end."""
    run = list(one.service.runs.values())[-1]
    one.end(run.request.trigger, run.run_id, result)


def trained(one: Deployment) -> list[str]:
    """Return the triggers of all trainings."""
    return [run.request.trigger.trigger_id for run in one.service.runs.values()]


def test_a_paused_model_starts_the_newest_trigger_when_it_is_resumed() -> None:
    """Five triggers arrive, a forced one among them; one training starts, once."""
    one = Deployment()
    assert steer(one, "pause", reason="new labels") == (200, {"model_id": "churn", "state": "paused"})
    for name in ("t-1", "t-2", "t-3", "t-4"):
        one.emit(name)
    one.emit("t-5", force=True)
    page = one.get("/models/churn")
    assert page["paused"] == {"since": "2026-11-21T03:00:00Z", "until": None, "by": "ada", "reason": "new labels"}
    assert (page["state"], page["queued"]["trigger_id"], trained(one)) == ("paused", "t-5", [])
    assert steer(one, "resume", caller="bob") == (200, {"model_id": "churn", "state": "idle"})
    one.carry()
    assert trained(one) == ["t-5"]
    lines = [line for line in one.get("/models/churn")["decisions"] if line["decision"] == "steer"]
    assert [(line["reason"], line["requested_by"], line["detail"], line["trigger_id"]) for line in lines] == [
        ("resumed", "bob", "", None),
        ("paused", "ada", "new labels", None),
    ]


def test_a_pause_ends_by_itself() -> None:
    """The sweep resumes the model when its time has come, and starts what is kept."""
    one = Deployment()
    assert steer(one, "pause", until="2026-11-21T05:00:00+01:00")[0] == 200
    one.emit("t-1")
    one.wait(HOUR - MINUTE)
    sweep(one.receiver)
    assert trained(one) == []
    one.wait(MINUTE)
    sweep(one.receiver)
    assert (trained(one), one.state().paused) == (["t-1"], None)
    resumed = next(line for line in one.state().decisions if line.reason == "resumed")
    assert (resumed.decision, resumed.requested_by) == ("steer", "sweep")


def test_a_second_pause_replaces_reason_and_end() -> None:
    """Since when it is paused stays."""
    one = Deployment()
    steer(one, "pause", reason="one")
    one.wait(HOUR)
    steer(one, "pause", reason="two", until="2026-11-22T03:00:00Z", caller="bob")
    assert one.get("/models/churn")["paused"] == {
        "since": "2026-11-21T03:00:00Z",
        "until": "2026-11-22T03:00:00Z",
        "by": "bob",
        "reason": "two",
    }


@pytest.mark.parametrize(
    ("verb", "fields", "detail"),
    [
        ("pause", {"until": "2026-11-21T03:00:00Z"}, "until: must be in the future, not '2026-11-21T03:00:00Z'"),
        ("pause", {"until": "20991201T080000Z"}, f"until: {RFC_3339}, not '20991201T080000Z'"),
        ("pause", {"until": "soon"}, f"until: {RFC_3339}, not 'soon'"),
        ("pause", {"until": 5}, "until: must be a string, not 5"),
        ("pause", {"reason": 5}, "reason: must be a string, not 5"),
        ("pause", {"untill": "soon"}, "untill: is not a field of this request; valid fields: reason, until"),
        ("resume", {"reason": "x"}, "reason: is not a field of this request; it has none"),
        ("cancel", {}, "trigger_id: must name a trigger, not None"),
        ("retry", {"trigger_id": 1}, "trigger_id: must name a trigger, not 1"),
    ],
)
def test_a_wrong_field_is_422(verb: str, fields: dict[str, object], detail: str) -> None:
    """It is named, and nothing is written."""
    one = Deployment()
    response = one.call("POST", f"/models/churn/{verb}", fields)
    assert problem(response, 422, "Unprocessable Content") == detail
    assert one.ledger.history == []


@pytest.mark.parametrize("verb", ["approve", "reject", "pause", "resume", "cancel", "retry"])
def test_a_pattern_is_no_model(verb: str) -> None:
    """The answer names some of the models that match, and nothing is written."""
    one = Deployment(model_text("churn") + model_text("store-*") + model_text("store-0"))
    fields = {} if verb in ("pause", "resume") else {"trigger_id": "t-1"}
    for number in range(1, 7):
        one.emit(f"t-{number}", model_id=f"store-{number}")
    saves = len(one.ledger.history)
    response = one.call("POST", f"/models/store-*/{verb}", fields)
    assert problem(response, 404, "Not Found") == (
        "model_id: 'store-*' is a pattern, not a model; it matches 'store-0', 'store-1', 'store-2', 'store-3', "
        "'store-4' and others; send one request for each model, with its name"
    )
    assert len(one.ledger.history) == saves


def test_a_model_whose_name_has_a_wildcard_is_steered() -> None:
    """An event has named it, so it has a state."""
    one = Deployment(model_text("churn") + model_text("store-*"))
    one.emit("t-1", model_id="store-*")
    assert one.call("POST", "/models/store-*/pause", {}).status == 200
    assert one.get("/models/store-*")["paused"]["by"]


def test_what_is_kept_or_waits_is_dropped() -> None:
    """It never starts; the history says who dropped it."""
    one = Deployment()
    one.emit("t-1")
    one.emit("t-2")
    assert cancel(one, "t-2") == (200, {"model_id": "churn", "trigger_id": "t-2", "state": "training"})
    end(one, RunResult.SUCCEEDED)
    assert trained(one) == ["t-1"]
    dropped, steered, *_ = one.get("/models/churn")["decisions"]
    assert (dropped["decision"], dropped["reason"], dropped["detail"]) == ("skip", "cancelled", "cancelled by ada")
    assert (steered["decision"], steered["reason"], steered["requested_by"]) == ("steer", "cancelled", "ada")
    waiting = Deployment(WAITING)
    waiting.emit("t-1")
    assert cancel(waiting, "t-1")[0] == 200
    assert waiting.call("POST", "/models/churn/approve", {"trigger_id": "t-1"}).status == 409


def test_a_running_training_is_stopped_and_not_retried() -> None:
    """The receiver sends the request; the result is that of the service, and the kept trigger starts."""
    text = f'{RETRIED}\n[notify]\nchannels = ["slack://one"]'
    one = Deployment(text)
    one.emit("t-1")
    one.emit("t-2")
    assert cancel(one, "t-1") == (202, {"model_id": "churn", "trigger_id": "t-1", "state": "training"})
    assert one.service.cancelled == []
    one.carry()
    assert one.service.cancelled == ["run-1"]
    run = one.service.runs["run-1"]
    one.end(run.request.trigger, "run-1", RunResult.FAILED)
    assert (trained(one), one.state().retry) == (["t-1", "t-2"], None)
    assert one.state().runs[1].result == "failed"
    assert one.channels.sent == []
    assert cancel(one, "t-1")[0] == 202


def test_a_claim_whose_start_is_not_known_is_finished_and_then_stopped() -> None:
    """It may run already, so it is never just dropped."""
    one = Deployment()
    one.emit("t-1")
    state = one.state()
    one.ledger.save("churn", one.ledger.history[0][1], one.ledger.peek("churn").version)
    assert state.training is not None
    assert one.state().training is not None
    assert cancel(one, "t-1")[0] == 202
    one.wait(MINUTE)
    one.carry()
    assert (trained(one), one.service.cancelled) == (["t-1"], ["run-1"])


class Unstoppable:
    """A gate before a training service; while it `refuses`, no training can be stopped."""

    refuses = True

    def __call__(self, call: str, effect: Callable[[], T], /) -> T:
        """Make the call."""
        return perform(call, effect, Fault.THROTTLED if self.refuses and call == "cancel" else None)


def test_a_request_that_the_service_refuses_is_logged_and_sent_again(caplog: pytest.LogCaptureFixture) -> None:
    """The next sweep sends it, and nothing else waits for it: until then the model trains."""
    gate = Unstoppable()
    one = Deployment(launcher_gate=gate)
    one.emit("t-1")
    assert one.call("POST", "/models/churn/cancel", {"trigger_id": "t-1"}).status == 202
    one.carry()
    (line,) = [vars(record) for record in caplog.records if record.message == "retrain.stop_failed"]
    assert (line["model_id"], line["run_id"]) == ("churn", "run-1")
    assert line["error"].startswith("The fake service")
    assert (one.get("/models/churn")["state"], one.service.cancelled) == ("training", [])
    gate.refuses = False
    sweep(one.receiver)
    assert one.service.cancelled == ["run-1"]


@pytest.mark.parametrize(
    ("refuses", "stopped", "error"),
    [(False, ["run-1"], "it was requested to stop"), (True, [], "could not be stopped")],
)
def test_a_stray_run_is_stopped_or_has_to_be_stopped_by_hand(
    refuses: bool,  # noqa: FBT001 - a parameter
    stopped: list[str],
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was started while the model claimed another training; the log names it in any case, as an error."""
    gate = Unstoppable()
    gate.refuses = refuses
    one = Deployment(launcher_gate=gate)
    one.emit("t-1")
    claim = one.state().training
    assert claim is not None
    stop_stray(one.receiver, "churn", claim, "run-1")
    (line,) = [record for record in caplog.records if record.message == "retrain.stray_run"]
    assert (line.levelname, vars(line)["trigger_id"], one.service.cancelled) == ("ERROR", "t-1", stopped)
    assert error in vars(line)["error"]


def test_a_request_that_the_service_loses_is_sent_again() -> None:
    """Ten minutes later, by the sweep."""
    one = Deployment()
    one.emit("t-1")
    cancel(one, "t-1")
    one.carry()
    one.wait(9 * MINUTE)
    sweep(one.receiver)
    assert one.service.cancelled == ["run-1"]
    one.wait(MINUTE)
    sweep(one.receiver)
    assert one.service.cancelled == ["run-1", "run-1"]


def test_what_cannot_be_cancelled_is_a_conflict() -> None:
    """A trigger that is over or was handed over, and, for a moment, one that is not decided yet."""
    one = Deployment()
    one.emit("t-1")
    end(one)
    response = one.call("POST", "/models/churn/cancel", {"trigger_id": "t-1"})
    assert problem(response, 409, "Conflict") == "trigger_id: 't-1' is neither kept nor running: launched"
    assert "retry-after" not in response.headers
    response = one.call("POST", "/models/churn/cancel", {"trigger_id": "t-9"})
    assert problem(response, 409, "Conflict") == "trigger_id: 't-9' is not decided yet, or was never sent"
    assert response.headers["retry-after"] == "5"
    one.service.shows_runs = False
    one.emit("t-2")
    response = one.call("POST", "/models/churn/cancel", {"trigger_id": "t-2"})
    expected = "trigger_id: 't-2' is handed over to a target that cannot stop trainings"
    assert problem(response, 409, "Conflict") == expected


@pytest.mark.parametrize("name", ["t-1", "t-1~2"])
def test_a_pending_retry_is_dropped_by_either_name(name: str) -> None:
    """Its own, or that of the attempt that failed; that failure is reported, and the answer stays under both names."""
    text = f'{RETRIED}\n[notify]\nchannels = ["slack://one"]'
    one = Deployment(text)
    one.emit("t-1")
    end(one)
    assert cancel(one, name) == (200, {"model_id": "churn", "trigger_id": name, "state": "idle"})
    one.carry()
    assert [notice.trigger_id for _, notice in one.channels.sent] == ["t-1"]
    assert (cancel(one, "t-1")[0], cancel(one, "t-1~2")[0]) == (200, 200)
    one.wait(HOUR)
    sweep(one.receiver)
    assert trained(one) == ["t-1"]


@pytest.mark.parametrize("name", ["t-1", "t-1~2"])
def test_a_retry_that_the_configuration_dropped_cannot_be_cancelled(name: str) -> None:
    """The history has it as cancelled, but no person did that, so a request to cancel it comes too late."""
    one = Deployment(RETRIED)
    one.emit("t-1")
    end(one)
    for parts in ("emitter", "receiver"):
        setattr(one, parts, dataclasses.replace(getattr(one, parts), config=configured(model_text())))
    sweep(one.receiver)
    assert one.reasons()[-1] == "cancelled"
    response = one.call("POST", "/models/churn/cancel", {"trigger_id": name})
    became = "retries are no longer configured" if name == "t-1~2" else "launched"
    expected = f"trigger_id: '{name}' is neither kept nor running: {became}"
    assert problem(response, 409, "Conflict") == expected


def test_a_retry_starts_again_what_has_ended() -> None:
    """With the requested parameters and without an approval; a repeat names the same attempt."""
    one = Deployment(model_text(settings="approval = true", tables='[models."churn".parameters]\nepochs = 8'))
    one.emit("t-1", parameters={"epochs": 3}, evidence={"report_url": "https://x"})
    steer(one, "approve", trigger_id="t-1")
    one.carry()
    end(one)
    accepted = (202, {"trigger_id": "t-1~2", "model_id": "churn", "status": "accepted"})
    assert steer(one, "retry", trigger_id="t-1", caller="bob") == accepted
    one.carry()
    assert steer(one, "retry", trigger_id="t-1") == steer(one, "retry", trigger_id="t-1~2") == accepted
    run = one.service.runs["run-2"].request
    assert (run.parameters, dict(run.trigger.evidence)) == ({"epochs": 3}, {"report_url": "https://x"})
    assert one.state().decisions[0].detail == "requested by bob at 2026-11-21T03:00:00Z; attempt 2"
    end(one)
    assert steer(one, "retry", trigger_id="t-1")[1]["trigger_id"] == "t-1~3"


def test_a_pending_retry_starts_immediately() -> None:
    """A person need not wait for its delay."""
    one = Deployment(RETRIED)
    one.emit("t-1")
    end(one)
    assert steer(one, "retry", trigger_id="t-1")[1]["trigger_id"] == "t-1~2"
    one.carry()
    assert trained(one) == ["t-1", "t-1~2"]


def test_what_cannot_be_retried() -> None:
    """A trigger that the runs do not list, and one that would push out a kept trigger."""
    one = Deployment()
    one.emit("t-1")
    end(one)
    response = one.call("POST", "/models/churn/retry", {"trigger_id": "t-9"})
    assert problem(response, 404, "Not Found") == "trigger_id: the runs of 'churn' do not list 't-9'"
    steer(one, "pause")
    one.emit("t-2")
    response = one.call("POST", "/models/churn/retry", {"trigger_id": "t-1"})
    assert problem(response, 409, "Conflict") == "trigger_id: the model keeps 't-2'; cancel that first"


def test_a_retry_needs_the_parameters_that_the_history_has_cut() -> None:
    """Parameters over a kilobyte are not kept whole."""
    one = Deployment(model_text(tables='[models."churn".parameters]\ntext = ""'))
    one.emit("t-1", parameters={"text": "x" * 2000})
    end(one)
    response = one.call("POST", "/models/churn/retry", {"trigger_id": "t-1"})
    expected = "trigger_id: the history has not kept all parameters of 't-1'"
    assert problem(response, 409, "Conflict") == expected


def test_a_retry_is_kept_beyond_the_budget() -> None:
    """However the model treats other triggers; it starts when the budget allows it."""
    one = Deployment(model_text(settings='max_trainings = "1/1h"'))
    one.emit("t-1")
    end(one)
    steer(one, "retry", trigger_id="t-1")
    one.carry()
    one.emit("t-2")
    assert (trained(one), one.reasons()[-1]) == (["t-1"], "over_budget")
    one.wait(HOUR)
    sweep(one.receiver)
    assert trained(one) == ["t-1", "t-1~2"]


def test_nothing_on_the_bus_steers() -> None:
    """A request for a sweep carries nothing but the name of a model, and a trigger no verb."""
    one = Deployment()
    one.emit("t-1")
    for fields in ({"verb": "cancel"}, {"cancelled_by": "me"}, {"paused": {"by": "me"}}):
        detail = {"model_id": "churn", "trigger_id": "t-1"} | fields
        for kind in ("retrain_sweep", "retrain_trigger"):
            one.receive({"source": "ml3_platform", "detail-type": kind, "id": "e", "detail": detail})
    assert (one.state().paused, one.service.cancelled) == (None, [])
    assert not any(line.decision == "steer" for line in one.state().decisions)


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel", "retry"])
def test_an_id_that_no_trigger_can_have_is_refused(verb: str) -> None:
    """JSON can spell half of a character; that is a mistake of the caller, not of the server."""
    refused = Deployment().call("POST", f"/models/churn/{verb}", {"trigger_id": "\ud800"})
    assert problem(refused, 422, "Unprocessable Content") == "trigger_id: must name a trigger, not '\\ud800'"
