"""`doctor` on AWS: rules must deliver triggers, and events of the default bus, to a function."""

import pytest

from tests.cli.aws_account import ALARMS, CONFIGURATION, ENDED, OBJECTS, PATTERN, Deployment
from tests.cli.running import diagnose

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws-rules"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

QUEUE = "arn:aws:sqs:eu-west-3:123456789012:copies"
COPY = {"Id": "receive", "Arn": QUEUE, "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-3:1:dead"}}
STATUS_CHANGE = "SageMaker Model Building Pipeline Execution Status Change"
SWEPT = "the end of a training is noticed by the sweep only"
UNKNOWN = (
    "not checked: the rule {} delivers to a queue only, and EventBridge does not know who reads it; check that an"
    " event source mapping connects the queue to the function `receive`"
)
KINDS = {"ended": "ended executions", "alarms": "cloudwatch-alarm signals", "objects": "s3-object signals"}
PATTERNS = {"ended": ENDED, "alarms": ALARMS, "objects": OBJECTS}


def test_a_rule_with_only_a_queue_is_skipped(deployment: Deployment) -> None:
    """If triggers go to a queue only, it is unknown whether `receive` reads it, so rule and target are skipped."""
    deployment.put_target(COPY)
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert (found.skipped["rule"], found.skipped["rule's target"]) == (UNKNOWN.format("triggers"),) * 2
    assert "rule's dead letters" in found.passed


def test_further_rules_beside_the_function_change_nothing(deployment: Deployment) -> None:
    """One rule that delivers to the function is enough, whatever other rules exist."""
    events = deployment.clients["events"]
    deployment.put_default_rule("copy", PATTERN)
    events.put_rule(Name="copies", EventBusName=deployment.bus, EventPattern='{"source": [{"prefix": "ml3"}]}')
    events.put_targets(Rule="copies", EventBusName=deployment.bus, Targets=[COPY])
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.passed >= {"rule", "rule's target", "rule's dead letters"}


@pytest.mark.parametrize(
    ("rule", "consequence", "remedy"),
    [
        (
            "ended",
            f"matches pipeline executions that are Succeeded, so {SWEPT}",
            (
                "deploy the stack, or create a rule with source aws.sagemaker, detail-type "
                f"{STATUS_CHANGE} and this status"
            ),
        ),
        (
            "alarms",
            "matches the signal cloudwatch-alarm:churn-drift, so it triggers no training",
            "deploy the stack with SignalAlarms=yes",
        ),
        (
            "objects",
            "matches the signal s3-object:training-data/churn/*, so it triggers no training",
            "deploy the stack with training-data among SignalBuckets",
        ),
    ],
)
def test_a_missing_rule_of_the_default_bus_is_reported(
    deployment: Deployment, rule: str, consequence: str, remedy: str
) -> None:
    """Each kind of event has its own check, whose message has the consequence and the remedy."""
    deployment.remove_default_rule(rule)
    found = diagnose("aws")
    assert found.failed == {KINDS[rule]: f"no rule of the event bus default {consequence}; {remedy}"}
    assert found.code == 1


@pytest.mark.parametrize("rule", KINDS)
def test_a_rule_of_the_default_bus_must_be_enabled(deployment: Deployment, rule: str) -> None:
    """A disabled rule delivers nothing."""
    deployment.put_default_rule(rule, PATTERNS[rule], State="DISABLED")
    found = diagnose("aws")
    assert list(found.failed) == [KINDS[rule]]
    assert found.failed[KINDS[rule]].startswith(f"the rule {rule} is disabled, so ")


@pytest.mark.parametrize("rule", KINDS)
def test_a_rule_of_the_default_bus_must_deliver_to_a_function(deployment: Deployment, rule: str) -> None:
    """A rule without a target delivers nothing; with a queue as target the check is skipped."""
    deployment.remove_default_target(rule)
    found = diagnose("aws")
    assert list(found.failed) == [KINDS[rule]]
    assert found.failed[KINDS[rule]].startswith(f"the rule {rule} has no function as target, so ")
    deployment.put_default_target(rule, {"Id": "receive", "Arn": QUEUE})
    found = diagnose("aws")
    assert (found.failed, found.skipped[KINDS[rule]]) == ({}, UNKNOWN.format(rule))


def test_a_rule_for_some_end_states_is_not_enough(deployment: Deployment) -> None:
    """The rule must also match trainings that failed."""
    deployment.put_default_rule("ended", ENDED | {"detail": {"currentPipelineExecutionStatus": ["Succeeded"]}})
    found = diagnose("aws")
    assert "matches pipeline executions that are Failed, so " in found.failed["ended executions"]


def test_every_signal_of_a_kind_is_checked(deployment: Deployment) -> None:
    """A second bucket that no rule matches is named."""
    deployment.configure(CONFIGURATION.replace('"s3-object:', '"s3-object:holidays/*", "s3-object:'))
    found = diagnose("aws")
    assert list(found.failed) == ["s3-object signals"]
    assert found.failed["s3-object signals"].endswith("deploy the stack with holidays among SignalBuckets")


def test_a_pattern_is_not_checked_against_a_rule_for_certain_names(deployment: Deployment) -> None:
    """A rule for certain names cannot be tested with a pattern; without any rule for alarms the check fails."""
    deployment.configure(CONFIGURATION.replace(":churn-drift", ":churn-*"))
    assert "cloudwatch-alarm signals" in diagnose("aws").passed
    deployment.put_default_rule("alarms", ALARMS | {"detail": {"alarmName": ["churn-drift"]}})
    message = "not checked: the signal cloudwatch-alarm:churn-* is a pattern, and the rules match certain names only"
    assert diagnose("aws").skipped["cloudwatch-alarm signals"] == message
    deployment.remove_default_rule("alarms")
    assert list(diagnose("aws").failed) == ["cloudwatch-alarm signals"]


def test_the_default_bus_is_checked_only_if_a_model_needs_it(deployment: Deployment) -> None:
    """Without signals and pipelines there are no checks of the default bus."""
    head, _, tail = CONFIGURATION.partition('[models."fraud"]')
    deployment.configure(f'[models."fraud"]{tail}')
    for rule in KINDS:
        deployment.remove_default_rule(rule)
    found = diagnose("aws")
    assert head
    assert not set(KINDS.values()) & {*found.failed, *found.skipped, *found.passed}


def test_a_missing_permission_to_list_rules_is_skipped(deployment: Deployment) -> None:
    """A permission that only `doctor` needs is not a precondition."""
    deployment.gate.denied.add("ListRules")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    lacks = "not checked: these credentials lack events:ListRules, which only this check needs"
    assert {found.skipped[name] for name in KINDS.values()} == {lacks}
