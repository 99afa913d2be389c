"""`trust-policy` prints complete documents and commands."""

import json
import shlex

import pytest

from tests.cli.running import run

BUS = "arn:aws:events:eu-west-3:123456789012:event-bus/retrain"
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/acme"
TOPIC_ID = f"{GROUP}/providers/Microsoft.EventGrid/topics/retrain"
PRINCIPAL = "11111111-2222-3333-4444-555555555555"
MEMBER = "serviceAccount:cube@acme.iam.gserviceaccount.com"


def test_the_documents_for_aws() -> None:
    """Both policies are complete: a version, and a statement for ML cube's account and the one bus."""
    answer = run("trust-policy", "--cloud", "aws", "--bus-arn", BUS, "--external-id", "ext-1", "--json")
    assert answer.code == 0
    assert json.loads(answer.out) == {
        "trust_policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::883313729965:root"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "ext-1"}},
                }
            ],
        },
        "permission_policy": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}],
        },
    }


def test_another_account_in_another_partition() -> None:
    """The account can be changed, and the principal is in the partition of the bus."""
    bus = BUS.replace("arn:aws:", "arn:aws-cn:")
    options = ["--bus-arn", bus, "--external-id", "ext-1", "--account", "210987654321"]
    content = json.loads(run("trust-policy", "--cloud", "aws", *options, "--json").out)
    (statement,) = content["trust_policy"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws-cn:iam::210987654321:root"}


def test_text_has_each_document_under_a_heading() -> None:
    """The text below a heading is the complete document."""
    answer = run("trust-policy", "--cloud", "aws", "--external-id", "ext-1", variables={"RETRAIN_BUS": BUS})
    trust, permission = answer.out.split("\n\n")
    assert json.loads(trust.partition(":\n")[2])["Version"] == "2012-10-17"
    assert json.loads(permission.partition(":\n")[2])["Statement"][0]["Resource"] == BUS


def test_the_command_for_google() -> None:
    """The command lets the member publish to the topic of the environment, and nothing else."""
    answer = run(
        "trust-policy",
        "--cloud",
        "gcp",
        "--member",
        MEMBER,
        "--json",
        variables={"RETRAIN_BUS": "projects/acme/topics/retrain"},
    )
    content = json.loads(answer.out)
    assert shlex.split(content["command"]) == [
        "gcloud", "pubsub", "topics", "add-iam-policy-binding", "retrain",
        f"--member={MEMBER}", "--role=roles/pubsub.publisher", "--project=acme",
    ]  # fmt: skip
    assert content["policy"] == {"bindings": [{"role": "roles/pubsub.publisher", "members": [MEMBER]}]}


def test_the_command_for_azure() -> None:
    """The command lets the principal send to the one topic."""
    answer = run("trust-policy", "--cloud", "azure", "--topic-id", TOPIC_ID, "--principal-id", PRINCIPAL, "--json")
    assert shlex.split(json.loads(answer.out)["command"]) == [
        "az", "role", "assignment", "create", "--assignee-object-id", PRINCIPAL,
        "--assignee-principal-type", "ServicePrincipal", "--role", "EventGrid Data Sender", "--scope", TOPIC_ID,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cloud", "options"),
    [
        ("aws", ["--bus-arn", "retrain", "--external-id", "ext-1"]),
        ("aws", ["--bus-arn", BUS, "--external-id", "x"]),
        ("aws", ["--bus-arn", BUS, "--external-id", "ext-1", "--account", "12345"]),
        ("gcp", ["--topic", "retrain", "--member", MEMBER]),
        ("gcp", ["--topic", "projects/acme/topics/retrain", "--member", "allUsers"]),
        ("azure", ["--topic-id", "retrain", "--principal-id", PRINCIPAL]),
        ("azure", ["--topic-id", TOPIC_ID, "--principal-id", "cube"]),
        ("local", []),
    ],
)
def test_an_invalid_value_is_wrong_usage(capsys: pytest.CaptureFixture[str], cloud: str, options: list[str]) -> None:
    """An invalid value, and a cloud without such policies, are rejected before anything is printed."""
    answer = run("trust-policy", "--cloud", cloud, *options)
    assert (answer.code, answer.out) == (2, "")
    assert "error: argument" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cloud", "message"),
    [
        ("aws", "trust-policy --cloud aws needs --bus-arn and --external-id\n"),
        ("gcp", "trust-policy --cloud gcp needs --topic and --member\n"),
        ("azure", "trust-policy --cloud azure needs --topic-id and --principal-id\n"),
    ],
)
def test_missing_options_are_named(cloud: str, message: str) -> None:
    """The required options of each cloud are named; the name of a bus is not an ARN."""
    answer = run("trust-policy", "--cloud", cloud, variables={"RETRAIN_BUS": "retrain"})
    assert (answer.code, answer.out, answer.err) == (2, "", message)
