"""A request becomes a trigger on the bus; a tick becomes one for each scheduled model."""

import copy
import dataclasses
import json
import logging
from contextlib import suppress
from datetime import timedelta, timezone

import pytest

from shared import emit
from shared.errors import BusError, InvalidTriggerError, UnavailableError, UnknownModelError
from shared.trigger import derived_id
from tests.core.deployment import Deployment
from tests.core.samples import HOUR, NOW, model_text, trigger
from tests.fakes.faults import Crash, Fault, Script
from tests.fakes.memory import MemoryBus


def test_a_request_becomes_a_trigger() -> None:
    """Fields that the request leaves out are filled in: a new id, the origin `manual`, the time and the caller."""
    deployment = Deployment()
    fields: dict[str, object] = {"model_id": "churn", "evidence": {"urls": ["a"]}}
    before = copy.deepcopy(fields)
    requested = emit.read_request(deployment.emitter, fields, caller="ada")
    assert requested == trigger(trigger_id="id-1", requested_by="ada", evidence={"urls": ["a"]})
    assert fields == before
    assert emit.read_request(deployment.emitter, fields).trigger_id == "id-2"
    assert deployment.bus.published == []


@pytest.mark.parametrize("name", ["requested_by", "requested_at", "model", "Force"])
def test_a_request_has_no_other_fields(name: str) -> None:
    """A name that a request does not have may be a misspelt one, and a request cannot set its requester."""
    with pytest.raises(InvalidTriggerError) as caught:
        emit.read_request(Deployment().emitter, {"model_id": "churn", name: "x"})
    assert caught.value.field == name
    assert caught.value.problem.startswith("is not a field of a request; valid fields: model_id, trigger_id, ")


def test_a_direct_invocation_emits_and_answers() -> None:
    """One call reads, sends, and returns the accepted triggers."""
    deployment = Deployment()
    accepted = emit.accepted_triggers(emit.emit_request(deployment.emitter, {"model_id": "churn", "trigger_id": "t-1"}))
    assert accepted == {"accepted": [{"model_id": "churn", "trigger_id": "t-1"}]}
    assert deployment.bus.published == [trigger()]
    with pytest.raises(UnknownModelError):
        emit.emit_request(deployment.emitter, {"model_id": "chrun"})
    assert deployment.bus.published == [trigger()]


@pytest.mark.parametrize(
    ("bus", "error"),
    [
        (MemoryBus(Script({0: Fault.THROTTLED})), UnavailableError),
        (MemoryBus(refused={"t-1": "too large"}), BusError),
    ],
    ids=["away", "refused"],
)
def test_a_failure_of_the_bus_is_raised(
    bus: MemoryBus, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """A trigger is not reported as sent while it may not have arrived."""
    caplog.set_level(logging.INFO, "retrain")
    with pytest.raises(error):
        emit.publish(Deployment(bus=bus).emitter, [trigger()])
    assert caplog.messages == []


def test_what_was_sent_is_logged_without_its_content(caplog: pytest.LogCaptureFixture) -> None:
    """Model, id and origin are enough to find it; reason, parameters and evidence stay out of the logs."""
    caplog.set_level(logging.INFO, "retrain")
    emit.publish(Deployment().emitter, [trigger(reason="secret", evidence={"a": "secret"}, requested_by="secret")])
    (record,) = caplog.records
    assert record.message == "retrain.emitted"
    logged = {name: vars(record)[name] for name in ("model_id", "trigger_id", "origin")}
    assert logged == {"model_id": "churn", "trigger_id": "t-1", "origin": "manual"}
    assert "secret" not in json.dumps(vars(record), default=repr)


def test_a_tick_delivered_twice_emits_once() -> None:
    """The id is made of the scheduled time, whatever the clock says and however the time is written."""
    deployment = Deployment(model_text(settings="schedule = true"))
    moments = [NOW, NOW.astimezone(timezone(timedelta(hours=9)))]
    ids = []
    for moment in moments:
        ids += [requested.trigger_id for requested in emit.emit_scheduled(deployment.emitter, moment)]
        deployment.wait(HOUR)
    assert ids == ["schedule:churn:2026-11-21T03:00:00Z"] * 2
    assert [outcome.reason for outcome in deployment.carry()] == ["launched", "duplicate"]


def test_a_tick_without_a_time_is_the_minute() -> None:
    """Two ticks within a minute are one, the next minute's is another."""
    deployment = Deployment(model_text(settings="schedule = true"))
    ids = []
    for pause in (0, 59, 1):
        deployment.wait(timedelta(seconds=pause, microseconds=7 if not pause else 0))
        ids += [requested.trigger_id for requested in emit.emit_scheduled(deployment.emitter, None)]
    assert ids == [f"schedule:churn:2026-11-21T03:0{minute}:00Z" for minute in (0, 0, 1)]


def test_the_id_of_a_tick_fits() -> None:
    """For a long model name the id is a hash, another one for each model and time."""
    names = ["m" * 256, "m" * 255 + "n"]
    deployment = Deployment("".join(model_text(name, "schedule = true") for name in names))
    requested = [*emit.emit_scheduled(deployment.emitter, NOW), *emit.emit_scheduled(deployment.emitter, NOW + HOUR)]
    assert len({one.trigger_id for one in requested}) == 4
    assert {len(one.trigger_id) for one in requested} == {64}


def test_a_rehearsal_reads_only() -> None:
    """A dry run reads the ledger once and returns what would happen now; nothing is sent, written or counted."""
    ledger = Script()
    deployment = Deployment(model_text(settings="approval = true"), gate=ledger)
    verdict = emit.rehearse(deployment.emitter, trigger())
    assert (verdict.decision, verdict.reason) == ("wait", "awaiting_approval")
    assert (ledger.calls, deployment.bus.published, deployment.observed) == (["load"], [], [])


def test_a_tick_that_is_cut_short_goes_on_where_it_stopped() -> None:
    """A function that is stopped again and again reaches every model in the end, and repeats no more than a part."""
    names = [f"m-{number:04}" for number in range(3 * emit.PART)]
    deployment = Deployment("".join(model_text(name, settings="schedule = true") for name in names))
    for faults in ({1: Fault.CRASH_BEFORE}, {2: Fault.CRASH_AFTER}, {}):
        emitter = dataclasses.replace(deployment.emitter, bus=deployment.bus.through(Script(dict(faults))))
        with suppress(Crash):
            assert len(emit.emit_scheduled(emitter, NOW)) == len(names)
    published = [one.model_id for one in deployment.bus.published]
    assert sorted(set(published)) == names
    assert len(published) <= len(names) + emit.PART
    deployment.bus.published.clear()
    emit.emit_scheduled(deployment.emitter, NOW + HOUR)
    assert len(deployment.bus.published) == len(names)


def test_triggers_that_are_refused_do_not_stop_the_tick() -> None:
    """Those of later parts are published, the error names the refused ones, and a repeat tries them again."""
    names = [f"m-{number:04}" for number in range(2 * emit.PART)]
    refused = derived_id("schedule", names[0], "2026-11-21T03:00:00Z")
    deployment = Deployment(
        "".join(model_text(name, settings="schedule = true") for name in names), bus=MemoryBus(refused={refused: "no"})
    )
    for _ in range(2):
        with pytest.raises(BusError) as caught:
            emit.emit_scheduled(deployment.emitter, NOW)
        assert caught.value.failures == {refused: "no"}
    assert len(deployment.emitter.bus.published) == 2 * (len(names) - 1)  # type: ignore[attr-defined]
