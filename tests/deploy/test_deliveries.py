"""The template's rules and schedules deliver the events that the code reads, and no delivery gets lost unseen."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from moto.events.models import EventPattern

from functions.aws.entry import is_evaluation, is_sweep, read_request
from shared.errors import UnreadableEventError
from shared.ports import RunResult
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import Tick, decode, encode, encode_sweep, run_result
from shared.wire.incoming import RunEnded, TriggerEvent
from tests.deploy.schedules import check_schedule
from tests.deploy.template import Template, texts

EVENTS = Path(__file__).parents[1] / "events"
SAMPLES = sorted(path for path in EVENTS.rglob("*.json") if path.name != "seed-eventbridge-pattern.json")
SOURCE = "ml3_platform"
STATUS_CHANGE = json.loads((EVENTS / "aws/awsdocs-sagemaker-pipeline-execution-status-change.json").read_text("utf-8"))
STATUSES = botocore.session.get_session().get_service_model("sagemaker").shape_for("PipelineExecutionStatus").enum
# User guide of EventBridge Scheduler, "Adding context attributes".
CONTEXT = {f"<aws.scheduler.{name}>" for name in ("schedule-arn", "scheduled-time", "execution-id", "attempt-number")}
RULES = ("EventBridgeRule", "CloudWatchEvent", "Schedule")


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Return whether a rule with that pattern delivers the event."""
    return bool(EventPattern.load(json.dumps(pattern)).matches_event(event))


def leaves(pattern: Mapping[str, Any]) -> list[Any]:
    """Return what stands at the ends of an event pattern."""
    found: list[Any] = []
    for value in pattern.values():
        found += leaves(value) if isinstance(value, Mapping) else [value]
    return found


@pytest.fixture(scope="module")
def triggers(template: Template) -> dict[str, Any]:
    """Return the pattern of the rule for triggers."""
    return dict(template.sources(*RULES)["ReceiveFunctionTriggers"].properties["Pattern"])


@pytest.fixture(scope="module")
def ended(template: Template) -> dict[str, Any]:
    """Return the pattern of the rule for executions that ended."""
    return dict(template.sources(*RULES)["ReceiveFunctionEnded"].properties["Pattern"])


def test_a_pattern_compares_with_lists(template: Template) -> None:
    """EventBridge refuses a pattern with a plain value, though linters let it pass."""
    patterns = [rule.properties["Pattern"] for rule in template.sources(*RULES).values()]
    assert len(patterns) == 2
    for leaf in [leaf for pattern in patterns for leaf in leaves(pattern)]:
        assert isinstance(leaf, list)
        assert leaf


def test_the_rule_for_triggers_is_the_documented_one(triggers: dict[str, Any]) -> None:
    """With the default source the pattern is the one that ML cube's documentation gives, and it takes sweeps, too."""
    documented = json.loads((EVENTS / "ml3cube/seed-eventbridge-pattern.json").read_text("utf-8"))
    assert triggers == documented | {"detail-type": [*documented["detail-type"], "retrain_sweep"]}


def test_the_rule_takes_requests_for_a_sweep(triggers: dict[str, Any]) -> None:
    """The event that makes the receiver check one model reaches it; one of another source does not."""
    entry = encode_sweep("churn", SOURCE, "retraining")
    event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(str(entry["Detail"]))}
    assert matches(triggers, event)
    assert not matches(triggers, event | {"source": "other"})


def test_the_rule_takes_what_is_emitted(template: Template, triggers: dict[str, Any]) -> None:
    """The events that one function emits, with the source of its environment, are delivered to the other one."""
    given = template.functions["EmitFunction"]["Environment"]["Variables"]
    rule = template.sources(*RULES)["ReceiveFunctionTriggers"].properties
    now = datetime(2026, 11, 21, tzinfo=UTC)
    trigger = RetrainTrigger(model_id="churn", trigger_id="t-1", origin="drift", requested_at=now)
    entry = encode(trigger, given["RETRAIN_SOURCE"], given["RETRAIN_BUS"])
    event = {"source": entry["Source"], "detail-type": entry["DetailType"], "detail": json.loads(str(entry["Detail"]))}
    assert entry["EventBusName"] == rule["EventBusName"]
    assert matches(triggers, event)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(EVENTS)))
def test_rules_and_code_agree(path: Path, triggers: dict[str, Any], ended: dict[str, Any]) -> None:
    """A recorded event is delivered where, and only where, the code makes something of it."""
    event = json.loads(path.read_text("utf-8"))
    if not isinstance(event, dict):
        pytest.skip("no EventBridge event can be an array")
    try:
        read = decode(event, SOURCE)
    except UnreadableEventError:
        read = None  # It has both prefixes in a form of another bus: no rule delivers it, and the code rejects it.
    assert matches(triggers, event) is isinstance(read, TriggerEvent)
    assert matches(ended, event) is (isinstance(read, RunEnded) and read.result is not RunResult.RUNNING)


def test_the_samples_hold_both_kinds(triggers: dict[str, Any], ended: dict[str, Any]) -> None:
    """Among the recorded events there is a trigger and an execution that ended."""
    assert matches(triggers, json.loads((EVENTS / "ml3cube/seed-eventbridge-sample.json").read_text("utf-8")))
    assert matches(ended, STATUS_CHANGE)


@pytest.mark.parametrize("kind", ["retrain_trigger", "retrain_trigger.v2", "retrain", "RETRAIN_TRIGGER", ""])
@pytest.mark.parametrize("source", ["ml3_platform", "ml3_platform.eu", "ml3", "x.ml3_platform", "aws.sagemaker"])
def test_the_prefixes_are_those_of_the_code(source: str, kind: str, triggers: dict[str, Any]) -> None:
    """Rule and code cut source and type off at the same place."""
    event = {"source": source, "detail-type": kind, "detail": {"model_id": "churn"}}
    assert matches(triggers, event) is isinstance(decode(event, SOURCE), TriggerEvent)


@pytest.mark.parametrize("status", STATUSES)
def test_an_execution_is_reported_when_it_is_over(status: str, ended: dict[str, Any]) -> None:
    """Of all statuses that SageMaker has, the rule takes exactly those that mean an end."""
    event = STATUS_CHANGE | {"detail": STATUS_CHANGE["detail"] | {"currentPipelineExecutionStatus": status}}
    assert matches(ended, event) is (run_result(status) is not RunResult.RUNNING)


def test_executions_are_watched_where_sagemaker_reports_them(template: Template) -> None:
    """Events of AWS services come over the default bus only."""
    assert "EventBusName" not in template.sources(*RULES)["ReceiveFunctionEnded"].properties


def test_every_delivery_is_tried_again_and_kept_in_the_end(template: Template) -> None:
    """Each rule and each schedule says itself how often it tries, and where an event goes that it gave up."""
    sources = template.sources(*RULES, "ScheduleV2")
    assert len(sources) == 5
    policies = {name: source.properties["RetryPolicy"] for name, source in sources.items()}
    assert {policy["MaximumRetryAttempts"] for policy in policies.values()} == {185}
    ages = {name: policy["MaximumEventAgeInSeconds"] for name, policy in policies.items()}
    # After five minutes the next one does the same.
    assert [ages.pop("ReceiveFunctionSweep"), ages.pop("EmitFunctionSchedules")] == [300, 300]
    assert set(ages.values()) == {86400}
    for source in sources.values():
        assert source.properties["DeadLetterConfig"] == {"Arn": "${UndeliveredQueue.Arn}"}


def test_every_schedule_is_a_legal_one(template: Template) -> None:
    """No schedule, and no text anywhere in the template that looks like one, has a fault that linters overlook."""
    schedules = [source.properties["ScheduleExpression"] for source in template.sources("ScheduleV2").values()]
    declared = [parameter["Default"] for parameter in template.parameters.values() if "Default" in parameter]
    everywhere = [text for text in texts([template.resources, declared]) if re.match(r"(cron|rate)\(", text)]
    assert len(schedules) == 3
    assert set(schedules) <= set(everywhere)
    for expression in everywhere:
        check_schedule(expression)


def test_stacks_do_not_fight_for_the_names_of_schedules(template: Template) -> None:
    """CloudFormation names the schedules: SAM would give them one name in every stack of an account."""
    for schedule in template.sources("ScheduleV2").values():
        assert schedule.properties["OmitName"] is True
        assert "Name" not in schedule.properties


def test_a_tick_brings_its_scheduled_time(template: Template) -> None:
    """The event that the schedule makes is read as a tick of the time that it was due, however late it comes."""
    source = template.sources("ScheduleV2")["EmitFunctionTick"]
    event = json.loads(source.properties["Input"].replace("<aws.scheduler.scheduled-time>", "2026-11-23T09:30:00Z"))
    assert read_request(event) == Tick(at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))


def test_the_sweep_and_the_evaluation_of_schedules_are_told_apart(template: Template) -> None:
    """The events that the other schedules make are read as the calls for these."""
    inputs = {name: json.loads(each.properties["Input"]) for name, each in template.sources("ScheduleV2").items()}
    assert is_sweep(inputs["ReceiveFunctionSweep"])
    assert is_evaluation(inputs["EmitFunctionSchedules"])


def test_schedules_use_known_keywords_only(template: Template) -> None:
    """A keyword that EventBridge Scheduler does not know would be delivered as it stands."""
    inputs = " ".join(source.properties["Input"] for source in template.sources("ScheduleV2").values())
    assert set(re.findall(r"<[^<>]*>", inputs)) <= CONTEXT
