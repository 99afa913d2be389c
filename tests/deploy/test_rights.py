"""The roles may do what the code does, on the things of this stack and the named targets, and nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from functions.aws.bus import EventsClient
from functions.aws.launcher import SageMakerClient
from functions.aws.ledger import DynamoDbClient
from functions.aws.queues import SqsClient
from tests.deploy.template import Template, as_list, read_template

# The calls that the adapters make, and so the rights that each function must have.
USED = {
    "EmitFunction": {"events": EventsClient, "dynamodb": DynamoDbClient},
    "ReceiveFunction": {"dynamodb": DynamoDbClient, "sagemaker": SageMakerClient, "sqs": SqsClient},
}
# Only pages of the HTTP API read several models together.
OF_PAGES = {"ReceiveFunction": {"dynamodb:BatchGetItem"}}
# The calls of Lambda itself in the name of a function: it writes the log, and forwards events that keep failing.
LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}
QUEUE = "arn:aws:sqs:eu-west-3:123456789012:trainings.fifo"
OF_THIS_STACK = re.compile(r"\$\{\w+\.Arn\}(/index/\w+)?")


def operations(service: str) -> dict[str, str]:
    """Return the service's operations under the names that clients have for them."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


def actions_of(clients: Mapping[str, type]) -> set[str]:
    """Return the IAM actions for all that is declared of *clients*."""
    return {
        f"{service}:{operations(service)[name]}"
        for service, client in clients.items()
        for name in vars(client)
        if not name.startswith("_") and name != "close"
    }


def granted(template: Template, function: str) -> dict[str, set[str]]:
    """Return each action that the role of *function* may do, with the resources that it may do it on."""
    found: dict[str, set[str]] = {}
    for statement in template.statements(role_of(template, function)):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(as_list(statement["Resource"]))
    return found


def role_of(template: Template, function: str) -> str:
    """Return the logical id of the function's role."""
    return str(template.functions[function]["Role"].removeprefix("${").removesuffix(".Arn}"))


def policies(template: Template) -> list[dict[str, Any]]:
    """Return every statement of every policy in the template."""
    roles = template.of_type("AWS::IAM::Role")
    found = [statement for role in roles for statement in template.statements(role)]
    for role in roles.values():
        found += role["AssumeRolePolicyDocument"]["Statement"]
    for policy in template.of_type("AWS::SQS::QueuePolicy").values():
        found += policy["PolicyDocument"]["Statement"]
    return found


def test_every_action_exists(template: Template) -> None:
    """IAM takes any name; each one here is that of an operation of its service."""
    actions = {action for statement in policies(template) for action in as_list(statement["Action"])}
    assert len(actions) > 10
    for action in actions:
        service, _, operation = action.partition(":")
        assert operation in operations(service).values(), action


@pytest.mark.parametrize("function", USED)
def test_a_role_allows_what_the_code_does_and_no_more(function: str, template: Template) -> None:
    """The actions are the calls that the function's adapters make, and Lambda's own."""
    assert set(granted(template, function)) == actions_of(USED[function]) - OF_PAGES.get(function, set()) | LAMBDA


@pytest.mark.parametrize("function", USED)
def test_a_role_is_nobody_elses(function: str, template: Template) -> None:
    """A function has its own role, without a managed policy, which would reach beyond this stack."""
    role = template.of_type("AWS::IAM::Role")[role_of(template, function)]
    assert set(role) == {"AssumeRolePolicyDocument", "Policies"}
    assert "Policies" not in template.functions[function]
    assert [name for name in USED if role_of(template, name) == role_of(template, function)] == [function]
    assert [statement["Principal"] for statement in role["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "lambda.amazonaws.com"}
    ]


def test_rights_end_at_this_stack_and_the_named_pipelines(template: Template, pipelines: tuple[str, ...]) -> None:
    """Every resource is one of the template's own or one of the pipelines that it was given, by its full ARN."""
    named = {*pipelines, *(f"{arn}/execution/*" for arn in pipelines)}
    for function in USED:
        for action, resources in granted(template, function).items():
            foreign = {resource for resource in resources if not OF_THIS_STACK.fullmatch(resource)}
            assert foreign <= (named if action.startswith("sagemaker:") else set()), action


def test_each_action_has_its_own_thing(template: Template) -> None:
    """The bus, the table, the queues and the log that the environment names are those that the rights are for."""
    emit, receive = granted(template, "EmitFunction"), granted(template, "ReceiveFunction")
    assert emit["events:PutEvents"] == emit["events:DescribeEventBus"] == {"${EventBus.Arn}"}
    for action in actions_of({"dynamodb": DynamoDbClient}):
        place = "${Ledger.Arn}/index/attention" if action == "dynamodb:Query" else "${Ledger.Arn}"
        assert emit[action] == {place}
        assert receive.get(action, {place}) == {place}
    assert emit["sqs:SendMessage"] == {"${UndeliveredQueue.Arn}"}
    assert receive["sqs:SendMessage"] == {"${UndeliveredQueue.Arn}", "${RejectedQueue.Arn}"}
    assert emit["logs:PutLogEvents"] == emit["logs:CreateLogStream"] == {"${EmitLogs.Arn}"}
    assert receive["logs:PutLogEvents"] == receive["logs:CreateLogStream"] == {"${ReceiveLogs.Arn}"}


def test_pipelines_are_started_and_their_executions_described(template: Template, pipelines: tuple[str, ...]) -> None:
    """Starting and listing is for the pipelines, describing and stopping for the executions of each of them."""
    receive = granted(template, "ReceiveFunction")
    assert receive["sagemaker:StartPipelineExecution"] == set(pipelines)
    assert receive["sagemaker:ListPipelineExecutions"] == set(pipelines)
    executions = {f"{arn}/execution/*" for arn in pipelines}
    assert receive["sagemaker:DescribePipelineExecution"] == receive["sagemaker:StopPipelineExecution"] == executions


def test_without_pipelines_there_are_no_rights_to_any() -> None:
    """An empty list leaves no statement without a resource, which IAM would refuse, and none with all."""
    receive = granted(read_template({"PipelineArns": ""}), "ReceiveFunction")
    assert not [action for action in receive if action.startswith("sagemaker:")]
    assert all(receive.values())


def test_target_queues_are_sent_to() -> None:
    """A queue that is a target is added to those of the stack."""
    receive = granted(read_template({"PipelineArns": "", "TargetQueueArns": QUEUE}), "ReceiveFunction")
    assert receive["sqs:SendMessage"] == {"${UndeliveredQueue.Arn}", "${RejectedQueue.Arn}", QUEUE}


def test_rules_may_leave_what_they_could_not_deliver(template: Template) -> None:
    """The queue lets each of the template's rules send, and no one else: without that the events would be lost."""
    policies = list(template.of_type("AWS::SQS::QueuePolicy").values())
    rules = template.sources("EventBridgeRule", "CloudWatchEvent", "Schedule")
    assert [policy["Queues"] for policy in policies] == [["${UndeliveredQueue}"]]
    assert policies[0]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "${UndeliveredQueue.Arn}",
            "Condition": {"ArnEquals": {"aws:SourceArn": [f"${{{name}.Arn}}" for name in rules]}},
        }
    ]
