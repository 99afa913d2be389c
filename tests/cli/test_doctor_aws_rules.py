"""`doctor` on AWS and the rules: a copy is no receiver, and what AWS tells on the default bus must be handed over."""

import pytest

from tests.cli.aws_account import ALARMS, CONFIGURATION, ENDED, OBJECTS, PATTERN, Deployment
from tests.cli.given import diagnose

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

QUEUE = "arn:aws:sqs:eu-west-3:123456789012:copies"
COPY = {"Id": "receive", "Arn": QUEUE, "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-3:1:dead"}}
STATUS_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
SWEPT = "only the sweep learns that a training is over"
UNKNOWN = (
    "not checked: the rule {} hands over to a queue only, and EventBridge does not know who reads that: look whether an"
    " event source mapping leads from there to the function `receive`"
)
KINDS = {"ended": "ended executions", "alarms": "cloudwatch-alarm signals", "objects": "s3-object signals"}
PATTERNS = {"ended": ENDED, "alarms": ALARMS, "objects": OBJECTS}


def test_a_copy_for_others_does_not_count_as_receiving(deployment: Deployment) -> None:
    """Where events go to a queue only, nobody knows whether `receive` reads it: neither rule nor target is fine."""
    deployment.put_target(COPY)
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert (found.skipped["rule"], found.skipped["rule's target"]) == (UNKNOWN.format("triggers"),) * 2
    assert "rule's dead letters" in found.passed


def test_a_copy_beside_the_function_changes_nothing(deployment: Deployment) -> None:
    """One rule for the function is enough, whatever other rules there are."""
    events = deployment.clients["events"]
    deployment.put_default_rule("copy", PATTERN)
    events.put_rule(Name="copies", EventBusName=deployment.bus, EventPattern='{"source": [{"prefix": "ml3"}]}')
    events.put_targets(Rule="copies", EventBusName=deployment.bus, Targets=[COPY])
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.passed >= {"rule", "rule's target", "rule's dead letters"}


@pytest.mark.parametrize(
    ("rule", "otherwise", "cure"),
    [
        (
            "ended",
            f"takes pipeline executions that are Succeeded, so {SWEPT}",
            f"deploy the stack, or make a rule with source aws.sagemaker, detail-type {STATUS_CHANGE} and this status",
        ),
        (
            "alarms",
            "takes the signal cloudwatch-alarm:churn-drift, so it asks for no training",
            "deploy the stack with SignalAlarms=yes",
        ),
        (
            "objects",
            "takes the signal s3-object:training-data/churn/*, so it asks for no training",
            "deploy the stack with training-data among SignalBuckets",
        ),
    ],
)
def test_what_no_rule_of_the_default_bus_takes_is_told(
    deployment: Deployment, rule: str, otherwise: str, cure: str
) -> None:
    """Each kind has its own check, with what follows from it and what to do."""
    deployment.remove_default_rule(rule)
    found = diagnose("aws")
    assert found.failed == {KINDS[rule]: f"no rule of the event bus default {otherwise}: {cure}"}
    assert found.code == 1


@pytest.mark.parametrize("rule", KINDS)
def test_a_rule_of_the_default_bus_must_be_enabled(deployment: Deployment, rule: str) -> None:
    """A rule that is disabled hands nothing over."""
    deployment.put_default_rule(rule, PATTERNS[rule], State="DISABLED")
    found = diagnose("aws")
    assert list(found.failed) == [KINDS[rule]]
    assert found.failed[KINDS[rule]].startswith(f"the rule {rule} is disabled, so ")


@pytest.mark.parametrize("rule", KINDS)
def test_a_rule_of_the_default_bus_must_lead_to_a_function(deployment: Deployment, rule: str) -> None:
    """Without a target it hands nothing over; where a queue is the target, it cannot be known."""
    deployment.remove_default_target(rule)
    found = diagnose("aws")
    assert list(found.failed) == [KINDS[rule]]
    assert found.failed[KINDS[rule]].startswith(f"the rule {rule} has no function as target, so ")
    deployment.put_default_target(rule, {"Id": "receive", "Arn": QUEUE})
    found = diagnose("aws")
    assert (found.failed, found.skipped[KINDS[rule]]) == ({}, UNKNOWN.format(rule))


def test_a_rule_for_some_ends_is_not_enough(deployment: Deployment) -> None:
    """A training that failed is over, too."""
    deployment.put_default_rule("ended", ENDED | {"detail": {"currentPipelineExecutionStatus": ["Succeeded"]}})
    found = diagnose("aws")
    assert "takes pipeline executions that are Failed, so " in found.failed["ended executions"]


def test_every_signal_of_a_kind_is_looked_for(deployment: Deployment) -> None:
    """A second bucket that no rule names is told by its name."""
    deployment.configure(CONFIGURATION.replace('"s3-object:', '"s3-object:holidays/*", "s3-object:'))
    found = diagnose("aws")
    assert list(found.failed) == ["s3-object signals"]
    assert found.failed["s3-object signals"].endswith("deploy the stack with holidays among SignalBuckets")


def test_a_pattern_may_be_taken_by_a_rule_for_some_names(deployment: Deployment) -> None:
    """A rule that narrows to names cannot be tried with a pattern; without any rule for alarms it is clear."""
    deployment.configure(CONFIGURATION.replace(":churn-drift", ":churn-*"))
    assert "cloudwatch-alarm signals" in diagnose("aws").passed
    deployment.put_default_rule("alarms", ALARMS | {"detail": {"alarmName": ["churn-drift"]}})
    sentence = "not checked: the signal cloudwatch-alarm:churn-* is a pattern, and the rules take some names only"
    assert diagnose("aws").skipped["cloudwatch-alarm signals"] == sentence
    deployment.remove_default_rule("alarms")
    assert list(diagnose("aws").failed) == ["cloudwatch-alarm signals"]


def test_what_no_model_needs_is_not_looked_for(deployment: Deployment) -> None:
    """Without signals and pipelines the default bus does not matter."""
    head, _, tail = CONFIGURATION.partition('[models."fraud"]')
    deployment.configure(f'[models."fraud"]{tail}')
    for rule in KINDS:
        deployment.remove_default_rule(rule)
    found = diagnose("aws")
    assert head
    assert not set(KINDS.values()) & {*found.failed, *found.skipped, *found.passed}


def test_a_missing_right_to_look_at_the_default_bus_fails_nothing(deployment: Deployment) -> None:
    """Only `doctor` needs it."""
    deployment.gate.denied.add("ListRules")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    lacks = "not checked: these credentials lack events:ListRules, which only this check needs"
    assert {found.skipped[name] for name in KINDS.values()} == {lacks}
