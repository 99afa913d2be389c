"""`doctor` on AWS: everything there is found there, and each precondition that is broken has its own sentence."""

import re
from collections.abc import Callable

import pytest

from tests.cli.aws_account import CONFIGURATION, FUNCTION, PARAMETERS, PATTERN, Deployment
from tests.cli.given import diagnose

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.mark.usefixtures("deployment")
def test_a_complete_deployment_passes() -> None:
    """Where everything is there no check fails; those that nobody can make say so."""
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
        "parameters of churn",
        "GitHub token",
    }
    assert set(found.skipped) == {"RETRAIN_ROLE_ARN", "publishing", "starting"}


def test_nothing_is_left_behind(deployment: Deployment) -> None:
    """What is written to prove a right is refused by its condition, and no queue and no topic gets anything."""
    diagnose("aws")
    clients = deployment.clients
    assert clients["dynamodb"].scan(TableName=deployment.table)["Items"] == []
    for url in (deployment.dead, deployment.queue):
        assert "Messages" not in clients["sqs"].receive_message(QueueUrl=url)


Break = Callable[[Deployment], object]


def configured(old: str, new: str) -> Break:
    """Return what replaces something in the configuration."""
    return lambda deployment: deployment.configure(CONFIGURATION.replace(old, new))


def pipeline_with(*parameters: dict[str, object]) -> Break:
    """Return what gives the pipeline other parameters."""

    def change(deployment: Deployment) -> None:
        deployment.clients["sagemaker"].delete_pipeline(PipelineName=deployment.pipeline, ClientRequestToken="t" * 32)
        deployment.make_pipeline(parameters)

    return change


def table_with_other_key(deployment: Deployment) -> None:
    """Replace the table by one that is no ledger."""
    deployment.clients["dynamodb"].delete_table(TableName=deployment.table)
    deployment.make_table("id")


def rule_with(pattern: object) -> Break:
    """Return what gives the rule another pattern."""
    return lambda deployment: deployment.put_rule(pattern)


BROKEN: dict[str, tuple[Break, str, str]] = {
    "no queue for dead letters": (
        lambda it: it.clients["sqs"].delete_queue(QueueUrl=it.dead),
        "dead letters",
        "there is no SQS queue .*dead-.*: make it, or correct RETRAIN_DEAD_LETTERS",
    ),
    "no target queue": (
        lambda it: it.clients["sqs"].delete_queue(QueueUrl=it.queue),
        "queue of fraud",
        'there is no SQS queue .*handed-.*: make it, or correct models."fraud".target.aws.queue_url',
    ),
    "no topic": (
        lambda it: it.clients["sns"].delete_topic(TopicArn=it.topic),
        r"topic doctor-\d+",
        "there is no SNS topic arn:aws:sns:.*: make it, or correct notify.channels",
    ),
    "no pipeline": (
        configured("{pipeline}", "no-such-pipeline"),
        "pipeline of churn",
        "SageMaker has no pipeline no-such-pipeline in this account and region: make it, or correct models",
    ),
    "an unknown parameter": (
        pipeline_with(*PARAMETERS[1:]),
        "parameters of churn",
        'models."churn".parameters.epochs: the pipeline has no such parameter, it has rate, full, model_id: remove',
    ),
    "a missing parameter": (
        pipeline_with(*PARAMETERS, {"Name": "data", "Type": "String"}),
        "parameters of churn",
        'models."churn".parameters.data: is missing, and the pipeline has no default for it',
    ),
    "a parameter of another type": (
        configured("rate = 0.5", 'rate = "fast"'),
        "parameters of churn",
        "models.\"churn\".parameters.rate: the pipeline wants a number, not 'fast'",
    ),
    "a parameter that may be empty": (
        configured('"$model_id"', '"$reason"'),
        "parameters of churn",
        'models."churn".parameters.model_id: may be empty, and the pipeline has no default for it',
    ),
    "no rule": (
        rule_with({"source": ["somebody.else"]}),
        "rule",
        "no rule of the event bus .* matches our events .*source ml3_platform.*: deploy the stack",
    ),
    "a rule that is disabled": (
        lambda it: it.put_rule(PATTERN, State="DISABLED"),
        "rule",
        "the rule triggers is disabled, so events are dropped in silence: enable it",
    ),
    "no target": (
        Deployment.remove_target,
        "rule's target",
        "the rule triggers has no function as target, so events are dropped in silence: add the function `receive`",
    ),
    "no dead letters of the rule": (
        lambda it: it.put_target({"Id": "receive", "Arn": FUNCTION}),
        "rule's dead letters",
        "the target receive of the rule triggers has no dead-letter queue, so what cannot be delivered is dropped",
    ),
    "a channel that Apprise does not know": (
        configured("json://", "jsno://"),
        r"notify.channels\[1\]",
        r"notify.channels\[1\] is no address that Apprise knows: correct it; the address is not shown",
    ),
}


@pytest.mark.parametrize(("breaks", "name", "sentence"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_has_its_own_sentence(deployment: Deployment, breaks: Break, name: str, sentence: str) -> None:
    """Each thing that is not there, or not as it must be, is told by one check alone, and the exit code is 1."""
    breaks(deployment)
    found = diagnose("aws")
    ((failed, detail),) = found.failed.items()
    assert re.fullmatch(name, failed)
    assert re.match(sentence, detail)
    assert found.code == 1
