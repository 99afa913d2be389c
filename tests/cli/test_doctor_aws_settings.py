"""`doctor` on AWS without resources, permissions or a valid configuration."""

import re
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from functions.cli.doctor.aws.ledger_index import index_check
from functions.cli.doctor.check import CheckWarnedError, Setting
from tests.cli.aws_account import CONFIGURATION, Deployment
from tests.cli.running import diagnose, run

# Apprise looks for a module that Python 3.13 no longer has.
pytestmark = [
    pytest.mark.xdist_group("cli-aws-settings"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.mark.usefixtures("deployment")
def test_a_missing_bus(environment: pytest.MonkeyPatch) -> None:
    """A missing bus fails one check, and the checks that depend on the bus are skipped."""
    environment.setenv("RETRAIN_BUS", "no-such-bus")
    found = diagnose("aws")
    assert found.failed == {
        "event bus": "there is no event bus no-such-bus, and EventBridge would accept events for it and drop them;"
        " deploy the stack, or correct RETRAIN_BUS"
    }
    assert found.skipped["rule"] == "not checked: the event bus does not exist"
    assert found.code == 1


@pytest.mark.usefixtures("deployment")
def test_a_missing_table(environment: pytest.MonkeyPatch) -> None:
    """A missing table fails one check."""
    environment.setenv("RETRAIN_LEDGER", "no-such-table")
    found = diagnose("aws")
    assert list(found.failed) == ["ledger, reading"]
    assert found.failed["ledger, reading"].startswith("there is no DynamoDB table no-such-table in this region; deploy")
    assert found.skipped["ledger, writing"] == "not checked: the table does not exist, or is not a ledger"
    assert found.skipped["ledger, index"] == "not checked: the table does not exist"


def test_a_table_with_another_key(deployment: Deployment) -> None:
    """A table with another key is not a ledger."""
    deployment.clients["dynamodb"].delete_table(TableName=deployment.table)
    deployment.make_table("id")
    found = diagnose("aws")
    assert list(found.failed) == ["ledger, reading"]
    assert (
        "has another key than a ledger; use a table whose only key is the string model_id"
        in found.failed["ledger, reading"]
    )


def remade(deployment: Deployment, index: Mapping[str, str] | None) -> None:
    """Replace the table by one with a global secondary index of these keys by their type, or without one."""
    keys = {"model_id": "HASH"} | {name: kind for kind, name in (index or {}).items()}
    schema = [{"AttributeName": name, "KeyType": kind} for kind, name in (index or {}).items()]
    indexes = [{"IndexName": "attention", "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}]
    dynamodb = deployment.clients["dynamodb"]
    dynamodb.delete_table(TableName=deployment.table)
    dynamodb.create_table(
        TableName=deployment.table,
        KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if index else {}),
    )


@pytest.mark.parametrize(
    ("index", "what"),
    [
        (None, "no global secondary index 'attention'"),
        ({"HASH": "model_id"}, "an index 'attention' with other keys"),
    ],
    ids=["none", "other keys"],
)
def test_a_table_without_the_index(deployment: Deployment, index: Mapping[str, str] | None, what: str) -> None:
    """Sweeps work without it, so it is a warning that says what its lack costs and how to add it."""
    remade(deployment, index)
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.warned["ledger, index"].startswith(f"the table {deployment.table} has {what}, so each sweep and GET")
    assert "the partition key attention_partition and the sort key attention_at" in found.warned["ledger, index"]


def test_an_index_that_is_being_built() -> None:
    """Until it is active the sweeps cannot use it, and there is nothing to do but to wait."""

    class Building:
        """A client that describes a table whose index is being filled; moto builds one immediately."""

        def describe_table(self, **_arguments: object) -> object:
            """Return the description."""
            keys = {"attention_partition": "HASH", "attention_at": "RANGE"}
            schema = [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()]
            index = {"IndexName": "attention", "IndexStatus": "CREATING", "KeySchema": schema, "Backfilling": True}
            return {"Table": {"GlobalSecondaryIndexes": [index]}}

    with ExitStack() as opened:
        setting = Setting(variables={"RETRAIN_LEDGER": "states"}, config=None, source="", opened=opened)
        with pytest.raises(CheckWarnedError, match="the index 'attention' of the table states is CREATING, and until"):
            index_check(Building, setting).run()


@pytest.mark.parametrize(
    ("operation", "name", "message"),
    [
        ("GetItem", "ledger, reading", "these credentials lack dynamodb:GetItem on doctor-table-.*; grant it"),
        ("PutItem", "ledger, writing", "these credentials lack dynamodb:PutItem on doctor-table-.*; grant it"),
        ("GetSecretValue", "GitHub token", "Secrets Manager could not give the secret .*AccessDenied"),
    ],
)
def test_a_missing_permission_of_the_functions_fails(
    deployment: Deployment, operation: str, name: str, message: str
) -> None:
    """Without the permission the write is denied before its condition is evaluated."""
    deployment.gate.denied.add(operation)
    found = diagnose("aws")
    assert list(found.failed) == [name]
    assert re.match(message, found.failed[name])


@pytest.mark.parametrize(
    ("operation", "name", "right"),
    [
        ("DescribeEventBus", "event bus", "events:DescribeEventBus"),
        ("ListRules", "rule", "events:ListRules"),
        ("TestEventPattern", "rule", "events:TestEventPattern"),
        ("ListTargetsByRule", "rule's target", "events:ListTargetsByRule"),
        ("DescribePipeline", "pipeline of churn", "sagemaker:DescribePipeline"),
        ("GetQueueAttributes", "dead letters", "sqs:GetQueueAttributes"),
        ("DescribeTable", "ledger, index", "dynamodb:DescribeTable"),
    ],
)
def test_a_missing_permission_to_look_is_skipped(deployment: Deployment, operation: str, name: str, right: str) -> None:
    """A permission that only `doctor` needs is not a precondition; the check is skipped with the reason."""
    deployment.gate.denied.add(operation)
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped[name] == f"not checked: these credentials lack {right}, which only this check needs"


def test_a_missing_secret(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """The secret of the token is read, and its value is not shown."""
    environment.setenv("RETRAIN_GITHUB_TOKEN", f"{deployment.secret}x")
    found = diagnose("aws")
    assert list(found.failed) == ["GitHub token"]
    assert "ResourceNotFoundException" in found.failed["GitHub token"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "RETRAIN_GITHUB_TOKEN is not set, but the configuration dispatches to GitHub; set it"),
        ("two words", "environment: 1 problem: RETRAIN_GITHUB_TOKEN: is neither a token nor the name of a secret"),
    ],
)
@pytest.mark.usefixtures("deployment")
def test_a_missing_or_invalid_token(environment: pytest.MonkeyPatch, value: str, message: str) -> None:
    """A missing or invalid token is reported."""
    environment.setenv("RETRAIN_GITHUB_TOKEN", value)
    assert diagnose("aws").failed == {"GitHub token": message}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RETRAIN_BUS", "", "RETRAIN_BUS is not set; set it to the name or the ARN of an event bus"),
        ("RETRAIN_BUS", "a bus", "RETRAIN_BUS must be the name or the ARN of an event bus, not 'a bus'"),
        ("RETRAIN_LEDGER", "", "RETRAIN_LEDGER is not set; set it to the name or the ARN of a DynamoDB table"),
        ("RETRAIN_DEAD_LETTERS", "dead", "RETRAIN_DEAD_LETTERS must be the URL of an SQS queue, not 'dead'"),
        ("RETRAIN_ROLE_ARN", "emitter", "RETRAIN_ROLE_ARN must be the ARN of a role, not 'emitter'"),
    ],
)
@pytest.mark.usefixtures("deployment")
def test_an_invalid_variable(environment: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    """Each variable has its own check, and the checks that need it are skipped or fail for their own reason."""
    environment.setenv(name, value)
    found = diagnose("aws")
    assert found.failed[name] == message
    assert found.code == 1
    assert "parameters of churn" in found.passed


@pytest.mark.usefixtures("deployment")
def test_dead_letters_can_be_unset(environment: pytest.MonkeyPatch) -> None:
    """Without the variable rejected events go to the platform's own queue, which is valid."""
    environment.delenv("RETRAIN_DEAD_LETTERS")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert found.skipped["dead letters"] == "not checked: RETRAIN_DEAD_LETTERS is not set"


def test_an_invalid_configuration(deployment: Deployment) -> None:
    """Every problem has its own line, and the resources are checked nevertheless."""
    deployment.configure(CONFIGURATION.replace("rate = 0.5", "rate = []").replace('kind = "sqs"', 'kind = "sqr"'))
    found = diagnose("aws")
    assert list(found.failed) == ["configuration"]
    assert found.failed["configuration"].startswith('retrain.toml: 2 problems\nmodels."churn".parameters.rate: must be')
    assert 'models."fraud".target.aws.kind: must be one of' in found.failed["configuration"]
    assert found.skipped["targets"] == "not checked: the configuration is not valid"
    assert {"event bus", "ledger, writing"} <= found.passed


def test_a_model_that_trains_elsewhere(deployment: Deployment) -> None:
    """A model without a target on this cloud is reported."""
    elsewhere = '[models."fraud".target.local]\nkind = "command"\ncommand = ["python"]\n'
    head, _, tail = CONFIGURATION.partition('[models."fraud".target.aws]')
    deployment.configure(head + elsewhere + tail[tail.index("[notify]") :])
    found = diagnose("aws")
    assert found.failed == {"targets": 'models."fraud" has no target.aws, so its triggers are rejected here; add one'}


@pytest.mark.usefixtures("deployment")
def test_no_credentials(environment: pytest.MonkeyPatch) -> None:
    """Missing credentials fail one check, and the checks that depend on them are skipped."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    found = diagnose("aws")
    assert found.failed["credentials"].startswith("there are no AWS credentials (NoCredentialsError); sign in with")
    # Reading a secret is a precondition of its own.
    assert set(found.failed) == {"credentials", "GitHub token"}
    assert found.skipped["event bus"] == "not checked: there are no valid AWS credentials, or no region"


@pytest.mark.usefixtures("deployment")
def test_no_region(environment: pytest.MonkeyPatch) -> None:
    """A missing region is reported."""
    environment.delenv("AWS_DEFAULT_REGION")
    found = diagnose("aws")
    assert found.failed["credentials"] == "no region is set; set AWS_DEFAULT_REGION"


def test_a_role_that_cannot_be_assumed(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """The role for a bus in another account has its own check."""
    environment.setenv("RETRAIN_ROLE_ARN", "arn:aws:iam::123456789012:role/emitter")
    deployment.gate.denied.add("AssumeRole")
    found = diagnose("aws")
    assert found.failed == {
        "role": "the role arn:aws:iam::123456789012:role/emitter cannot be assumed; check its trust policy, and"
        " whether it requires RETRAIN_EXTERNAL_ID, which is not set"
    }


@pytest.mark.usefixtures("deployment")
def test_a_role_that_can_be_assumed(environment: pytest.MonkeyPatch) -> None:
    """The bus is checked with the credentials of the role."""
    environment.setenv("RETRAIN_ROLE_ARN", "arn:aws:iam::123456789012:role/emitter")
    environment.setenv("RETRAIN_EXTERNAL_ID", "ext-1")
    found = diagnose("aws")
    assert (found.code, found.failed) == (0, {})
    assert {"role", "event bus", "rule"} <= found.passed


def test_a_service_that_fails(deployment: Deployment) -> None:
    """Any other failure is reported with the message of the service."""
    deployment.gate.answers["DescribeEventBus"] = (400, "SomethingException")
    found = diagnose("aws")
    content = found.failed["event bus"]
    assert content.startswith("EventBridge could not look up doctor-bus-")
    assert "SomethingException: ordered by a test" in content


def test_text_output(deployment: Deployment, environment: pytest.MonkeyPatch) -> None:
    """Each check is a line with its status, its name and its detail."""
    environment.setenv("RETRAIN_BUS", "no-such-bus")
    answer = run("doctor", "--cloud", "aws")
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert "ok       credentials: AWS accepts the credentials" in lines
    assert any(line.startswith("FAILED   event bus: there is no event bus no-such-bus,") for line in lines)
    assert "skipped  rule: not checked: the event bus does not exist" in lines
    assert re.fullmatch(r"\d+ ok, 1 failed, \d+ skipped", lines[-1])
    assert deployment.secret not in answer.out
