"""`doctor` on AWS: a complete deployment passes, and each broken precondition has its own message."""

import re
from collections.abc import Callable, Mapping

import pytest

from tests.cli.aws_account import CONFIGURATION, FUNCTION, PARAMETERS, PATTERN, Deployment
from tests.cli.running import diagnose

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.mark.usefixtures("deployment")
def test_a_complete_deployment_passes() -> None:
    """In a complete deployment no check fails, and the checks that cannot be made are skipped."""
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.passed >= {
        "credentials",
        "event bus",
        "rule",
        "rule's target",
        "ended executions",
        "cloudwatch-alarm signals",
        "s3-object signals",
        "ledger, writing",
        "ledger, index",
        "parameters of churn",
        "GitHub token",
    }
    assert found.warned == {}
    assert set(found.skipped) == {"RETRAIN_ROLE_ARN", "publishing", "starting"}


def test_the_checks_change_nothing(deployment: Deployment) -> None:
    """The conditional writes that test permissions are refused, and nothing is sent to a queue or a topic."""
    diagnose("aws")
    clients = deployment.clients
    assert clients["dynamodb"].scan(TableName=deployment.table)["Items"] == []
    for url in (deployment.dead, deployment.queue):
        assert "Messages" not in clients["sqs"].receive_message(QueueUrl=url)


Break = Callable[[Deployment], object]


def configured(old: str, new: str) -> Break:
    """Return a change that replaces a text in the configuration."""
    return lambda deployment: deployment.configure(CONFIGURATION.replace(old, new))


def pipeline_with(*parameters: Mapping[str, object]) -> Break:
    """Return a change of the pipeline's parameters."""

    def change(deployment: Deployment) -> None:
        deployment.clients["sagemaker"].delete_pipeline(PipelineName=deployment.pipeline, ClientRequestToken="t" * 32)
        deployment.make_pipeline(parameters)

    return change


def table_with_other_key(deployment: Deployment) -> None:
    """Replace the table by one that is not a ledger."""
    deployment.clients["dynamodb"].delete_table(TableName=deployment.table)
    deployment.make_table("id")


def rule_with(pattern: object) -> Break:
    """Return a change of the rule's pattern."""
    return lambda deployment: deployment.put_rule(pattern)


BROKEN: dict[str, tuple[Break, str, str]] = {
    "no queue for dead letters": (
        lambda it: it.clients["sqs"].delete_queue(QueueUrl=it.dead),
        "dead letters",
        "there is no SQS queue .*dead-.*; create it, or correct RETRAIN_DEAD_LETTERS",
    ),
    "no target queue": (
        lambda it: it.clients["sqs"].delete_queue(QueueUrl=it.queue),
        "queue of fraud",
        'there is no SQS queue .*handed-.*; create it, or correct models."fraud".target.aws.queue_url',
    ),
    "no topic": (
        lambda it: it.clients["sns"].delete_topic(TopicArn=it.topic),
        r"topic doctor-\d+",
        "there is no SNS topic arn:aws:sns:.*; create it, or correct the channel in retrain.toml",
    ),
    "no pipeline": (
        configured("{pipeline}", "no-such-pipeline"),
        "pipeline of churn",
        "SageMaker has no pipeline no-such-pipeline in this account and region; create it, or correct models",
    ),
    "an unknown parameter": (
        pipeline_with(*PARAMETERS[1:]),
        "parameters of churn",
        'models."churn".parameters.epochs: the pipeline has no such parameter .it has rate, full, model_id.; remove',
    ),
    "a missing parameter": (
        pipeline_with(*PARAMETERS, {"Name": "data", "Type": "String"}),
        "parameters of churn",
        'models."churn".parameters.data: is missing, and the pipeline has no default for it; set it',
    ),
    "a parameter of another type": (
        configured("rate = 0.5", 'rate = "fast"'),
        "parameters of churn",
        "models.\"churn\".parameters.rate: the pipeline expects a number, not 'fast'",
    ),
    "a parameter that may be empty": (
        configured('"$model_id"', '"$reason"'),
        "parameters of churn",
        'models."churn".parameters.model_id: may be empty, and the pipeline has no default for it; set it',
    ),
    "no rule": (
        rule_with({"source": ["another.source"]}),
        "rule",
        "no rule of the event bus .* matches triggers .*source ml3_platform.*; deploy the stack",
    ),
    "a rule that is disabled": (
        lambda it: it.put_rule(PATTERN, State="DISABLED"),
        "rule",
        "the rule triggers is disabled, so events are silently dropped; enable it",
    ),
    "no target": (
        Deployment.remove_target,
        "rule's target",
        "the rule triggers has no function as target, so events are silently dropped; add the function",
    ),
    "no dead letters of the rule": (
        lambda it: it.put_target({"Id": "receive", "Arn": FUNCTION}),
        "rule's dead letters",
        "the target receive of the rule triggers has no dead-letter queue, so events that cannot be delivered are",
    ),
    "a channel that Apprise does not know": (
        configured("json://", "jsno://"),
        r"notify.channels\[1\]",
        r"notify.channels\[1\] is not an address that Apprise supports .it is not shown.; correct it",
    ),
}


@pytest.mark.parametrize(("breaks", "name", "message"), BROKEN.values(), ids=BROKEN)
def test_each_broken_precondition_fails_one_check(
    deployment: Deployment, breaks: Break, name: str, message: str
) -> None:
    """Each missing or wrong resource is reported by exactly one check, and the exit code is 1."""
    breaks(deployment)
    found = diagnose("aws")
    ((failed, detail),) = found.failed.items()
    assert re.fullmatch(name, failed)
    assert re.match(message, detail)
    assert found.code == 1
