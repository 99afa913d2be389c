"""`doctor` on AWS where places, rights or the configuration are missing: one sentence each, and the rest goes on."""

import re

import pytest

from tests.cli.aws_account import CONFIGURATION, Deployment
from tests.cli.given import diagnose, run

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.mark.usefixtures("deployment")
def test_a_bus_that_is_not_there(environment: pytest.MonkeyPatch) -> None:
    """EventBridge would swallow every event: that is told, and what depends on the bus is not told again."""
    environment.setenv("RETRAIN_BUS", "no-such-bus")
    found = diagnose("aws")
    assert found.failed == {
        "event bus": "there is no event bus no-such-bus, and EventBridge takes events for it all the same and loses"
        " them: deploy the stack, or correct RETRAIN_BUS"
    }
    assert found.skipped["rule"] == "not checked: the event bus is not there"
    assert found.code == 1


@pytest.mark.usefixtures("deployment")
def test_a_table_that_is_not_there(environment: pytest.MonkeyPatch) -> None:
    """It is told once."""
    environment.setenv("RETRAIN_LEDGER", "no-such-table")
    found = diagnose("aws")
    assert list(found.failed) == ["ledger, reading"]
    assert found.failed["ledger, reading"].startswith("there is no DynamoDB table no-such-table in this region: deploy")
    assert found.skipped["ledger, writing"] == "not checked: the table is not there, or is no ledger"


def test_a_table_with_another_key(deployment: Deployment) -> None:
    """A table is a ledger by its key only."""
    deployment.clients["dynamodb"].delete_table(TableName=deployment.table)
    deployment.make_table("id")
    found = diagnose("aws")
    assert list(found.failed) == ["ledger, reading"]
    assert "is no ledger: its partition key must be the string model_id" in found.failed["ledger, reading"]


@pytest.mark.parametrize(
    ("operation", "name", "sentence"),
    [
        ("GetItem", "ledger, reading", "these credentials lack dynamodb:GetItem on doctor-table-.*: grant it"),
        ("PutItem", "ledger, writing", "these credentials lack dynamodb:PutItem on doctor-table-.*: grant it"),
        ("GetSecretValue", "GitHub token", "Secrets Manager could not give the secret .*AccessDenied"),
    ],
)
def test_a_missing_right_that_the_functions_need_fails(
    deployment: Deployment, operation: str, name: str, sentence: str
) -> None:
    """The condition of the write that proves the right is not what refuses it then."""
    deployment.gate.denied.add(operation)
    found = diagnose("aws")
    assert list(found.failed) == [name]
    assert re.match(sentence, found.failed[name])


@pytest.mark.parametrize(
    ("operation", "name", "right"),
    [
        ("DescribeEventBus", "event bus", "events:DescribeEventBus"),
        ("ListRules", "rule", "events:ListRules"),
        ("TestEventPattern", "rule", "events:TestEventPattern"),
        ("ListTargetsByRule", "rule's target", "events:ListTargetsByRule"),
        ("DescribePipeline", "pipeline of churn", "sagemaker:DescribePipeline"),
        ("GetQueueAttributes", "dead letters", "sqs:GetQueueAttributes"),
    ],
)
def test_a_missing_right_to_look_fails_nothing(deployment: Deployment, operation: str, name: str, right: str) -> None:
    """What only `doctor` needs is no precondition; it says what it could not check, and why."""
    deployment.gate.denied.add(operation)
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped[name] == f"not checked: these credentials lack {right}, which only this check needs"


def test_a_secret_that_is_not_there(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """The token's secret is read, and its value is told nowhere."""
    environment.setenv("RETRAIN_GITHUB_TOKEN", f"{deployment.secret}x")
    found = diagnose("aws")
    assert list(found.failed) == ["GitHub token"]
    assert "ResourceNotFoundException" in found.failed["GitHub token"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "RETRAIN_GITHUB_TOKEN is not set, and the configuration dispatches to GitHub: set it"),
        ("two words", "environment: 1 problem: RETRAIN_GITHUB_TOKEN: is neither a token nor the name of a secret"),
    ],
)
@pytest.mark.usefixtures("deployment")
def test_no_token(environment: pytest.MonkeyPatch, value: str, sentence: str) -> None:
    """A token that is missing, or none, is told."""
    environment.setenv("RETRAIN_GITHUB_TOKEN", value)
    assert diagnose("aws").failed == {"GitHub token": sentence}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RETRAIN_BUS", "", "RETRAIN_BUS is not set; it must be the name or the ARN of an event bus"),
        ("RETRAIN_BUS", "a bus", "RETRAIN_BUS must be the name or the ARN of an event bus, not 'a bus'"),
        ("RETRAIN_LEDGER", "", "RETRAIN_LEDGER is not set; it must be the name or the ARN of a DynamoDB table"),
        ("RETRAIN_DEAD_LETTERS", "dead", "RETRAIN_DEAD_LETTERS must be the URL of an SQS queue, not 'dead'"),
        ("RETRAIN_ROLE_ARN", "emitter", "RETRAIN_ROLE_ARN must be the ARN of a role, not 'emitter'"),
    ],
)
@pytest.mark.usefixtures("deployment")
def test_a_variable_of_the_wrong_form(environment: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    """Each variable has its own line, and what needs it is not checked, or fails for its own reason."""
    environment.setenv(name, value)
    found = diagnose("aws")
    assert found.failed[name] == sentence
    assert found.code == 1
    assert "parameters of churn" in found.passed


@pytest.mark.usefixtures("deployment")
def test_dead_letters_may_be_unset(environment: pytest.MonkeyPatch) -> None:
    """Then the platform's own queue takes what is rejected, which is no mistake."""
    environment.delenv("RETRAIN_DEAD_LETTERS")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped["dead letters"] == "not checked: RETRAIN_DEAD_LETTERS is not set"


def test_a_wrong_configuration(deployment: Deployment) -> None:
    """All its problems are told in one line, and the places are checked all the same."""
    deployment.configure(CONFIGURATION.replace("rate = 0.5", "rate = []").replace('kind = "sqs"', 'kind = "sqr"'))
    found = diagnose("aws")
    assert list(found.failed) == ["configuration"]
    assert found.failed["configuration"].startswith('retrain.toml: 2 problems: models."churn".parameters.rate: must be')
    assert 'models."fraud".target.aws.kind: must be one of' in found.failed["configuration"]
    assert found.skipped["targets"] == "not checked: the configuration is not valid"
    assert {"event bus", "ledger, writing"} <= found.passed


def test_a_model_that_trains_elsewhere(deployment: Deployment) -> None:
    """A model without a target here rejects its triggers here."""
    elsewhere = '[models."fraud".target.local]\nkind = "command"\ncommand = ["python"]\n'
    head, _, tail = CONFIGURATION.partition('[models."fraud".target.aws]')
    deployment.configure(head + elsewhere + tail[tail.index("[notify]") :])
    found = diagnose("aws")
    assert found.failed == {"targets": 'models."fraud" has no target.aws, so its triggers are rejected here: add one'}


@pytest.mark.usefixtures("deployment")
def test_nobody(environment: pytest.MonkeyPatch) -> None:
    """Without credentials one check says so, and the others do not repeat it."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    found = diagnose("aws")
    assert found.failed["credentials"].startswith("there are no AWS credentials (NoCredentialsError): sign in with")
    # Reading a secret is a precondition of its own.
    assert set(found.failed) == {"credentials", "GitHub token"}
    assert found.skipped["event bus"] == "not checked: AWS does not know who asks, or where"


@pytest.mark.usefixtures("deployment")
def test_no_region(environment: pytest.MonkeyPatch) -> None:
    """Without a region nothing can be looked for."""
    environment.delenv("AWS_DEFAULT_REGION")
    found = diagnose("aws")
    assert found.failed["credentials"] == "no region is set: set AWS_DEFAULT_REGION"


def test_a_role_that_cannot_be_assumed(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """The role for another account's bus is tried on its own."""
    environment.setenv("RETRAIN_ROLE_ARN", "arn:aws:iam::123456789012:role/emitter")
    deployment.gate.denied.add("AssumeRole")
    found = diagnose("aws")
    assert found.failed == {
        "role": "the role arn:aws:iam::123456789012:role/emitter cannot be assumed: check its trust policy, and"
        " RETRAIN_EXTERNAL_ID is not set"
    }


@pytest.mark.usefixtures("deployment")
def test_a_role_that_can_be_assumed(environment: pytest.MonkeyPatch) -> None:
    """The bus is looked at in the role."""
    environment.setenv("RETRAIN_ROLE_ARN", "arn:aws:iam::123456789012:role/emitter")
    environment.setenv("RETRAIN_EXTERNAL_ID", "ext-1")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert {"role", "event bus", "rule"} <= found.passed


def test_a_service_that_fails(deployment: Deployment) -> None:
    """Any other failure is told as the service tells it."""
    deployment.gate.answers["DescribeEventBus"] = (400, "SomethingException")
    found = diagnose("aws")
    told = found.failed["event bus"]
    assert told.startswith("EventBridge could not look up doctor-bus-")
    assert "SomethingException: ordered by a test" in told


def test_a_line_for_each_check(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """For people each check is one line: what came out, its name, and what holds, or what to do."""
    environment.setenv("RETRAIN_BUS", "no-such-bus")
    answer = run("doctor", "--cloud", "aws")
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert "ok       credentials: AWS knows who asks" in lines
    assert any(line.startswith("FAILED   event bus: there is no event bus no-such-bus,") for line in lines)
    assert "skipped  rule: not checked: the event bus is not there" in lines
    assert re.fullmatch(r"\d+ ok, 1 failed, \d+ skipped", lines[-1])
    assert deployment.secret not in answer.out
