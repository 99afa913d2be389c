"""The template fits the code: entry points, environment, table, time limits, and nothing that gets lost unseen."""

import json
import pkgutil
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from emulators.moto_server import moto_server
from functions.aws.ledger import DynamoLedger
from shared.config import environment as variables
from shared.decision.transitions import CLAIM_LEASE
from shared.ports import IndexEntry
from tests.deploy.template import ROOT, Template

FUNCTIONS = {"EmitFunction", "ReceiveFunction"}
WIRING = "from functions.aws import wiring"
FOURTEEN_DAYS = 14 * 24 * 3600  # the most that SQS keeps a message


def printed(template: Template, function: str, program: str) -> str:
    """Return what *program* prints in an interpreter that has the function's environment and nothing else."""
    given = template.functions[function]["Environment"]["Variables"]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=given, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """Return a client of a stand-in for DynamoDB."""
    with moto_server() as url:
        yield botocore.session.get_session().create_client(
            "dynamodb",
            region_name="eu-west-3",
            endpoint_url=url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


def test_the_handlers_can_be_called(template: Template) -> None:
    """Every handler's path leads to a function of the code."""
    assert set(template.functions) == FUNCTIONS
    for function in template.functions.values():
        assert callable(pkgutil.resolve_name(":".join(function["Handler"].rsplit(".", 1))))


def test_the_build_knows_every_function(template: Template) -> None:
    """`sam build` finds a rule in the Makefile beside the template for each function."""
    targets = re.findall(r"^(build-[\w -]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for name, function in template.functions.items():
        assert template.resources[name]["Metadata"] == {"BuildMethod": "makefile"}
        assert function["CodeUri"] == "."
        assert f"build-{name}" in " ".join(targets).split()


def test_the_environment_is_that_of_the_code(template: Template) -> None:
    """No function is given a variable that is never read."""
    known = set(re.findall(r'"(RETRAIN_\w+)"', Path(variables.__file__).read_text(encoding="utf-8")))
    known |= {"RETRAIN_ENVIRONMENT", "POWERTOOLS_METRICS_NAMESPACE"}  # messages name it; Powertools reads it
    for function in template.functions.values():
        assert set(function["Environment"]["Variables"]) <= known


def test_emitting_has_all_it_needs(template: Template) -> None:
    """The emitter can be made from the environment, which names the template's bus and table."""
    assert printed(template, "EmitFunction", f"{WIRING}; print(wiring.emitter().cloud)") == "aws"
    given = template.functions["EmitFunction"]["Environment"]["Variables"]
    assert (given["RETRAIN_BUS"], given["RETRAIN_LEDGER"]) == ("${EventBus}", "${Ledger}")


def test_decisions_are_counted_in_the_namespace_of_the_stack(template: Template) -> None:
    """It is that of the metrics that filters make of the logs."""
    program = (
        f"{WIRING}; from shared.decision.state import Decided; from datetime import datetime, UTC; "
        "line = Decided(at=datetime.now(UTC), trigger_id='t-1', decision='launch', reason='launched'); "
        "wiring.receiver().observe('churn', line)"
    )
    written = json.loads(printed(template, "ReceiveFunction", program))
    (metric,) = written["_aws"]["CloudWatchMetrics"]
    filters = template.of_type("AWS::Logs::MetricFilter").values()
    assert {metric["Namespace"]} == {each["MetricTransformations"][0]["MetricNamespace"] for each in filters}
    assert (metric["Metrics"][0]["Name"], set(metric["Dimensions"][0])) == ("Decisions", {"decision", "reason"})


def test_receiving_has_all_it_needs(template: Template) -> None:
    """The parts for deciding can be made from the environment; rejected events go to a queue, not back to Lambda."""
    program = f"{WIRING}; receiver = wiring.receiver(); print(receiver.source, receiver.dead_letters is not None)"
    emitting = template.functions["EmitFunction"]["Environment"]["Variables"]
    assert printed(template, "ReceiveFunction", program) == f"{emitting['RETRAIN_SOURCE']} True"
    given = template.functions["ReceiveFunction"]["Environment"]["Variables"]
    assert (given["RETRAIN_LEDGER"], given["RETRAIN_DEAD_LETTERS"]) == ("${Ledger}", "${RejectedQueue}")


def test_the_table_is_one_for_the_ledger(template: Template, dynamodb: Any) -> None:
    """A table with the template's keys takes what the ledger writes, and outlives its stack."""
    table = template.resources["Ledger"]
    keys = {
        name: table["Properties"][name]
        for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    }
    name = f"retrain-{uuid.uuid4()}"
    dynamodb.create_table(TableName=name, **keys)
    ledger = DynamoLedger(lambda: dynamodb, name)
    assert ledger.save("churn", "document", None, IndexEntry(attention=datetime.now(UTC)))
    assert ledger.load("churn").document == "document"
    assert ledger.due(datetime.now(UTC), 10) == ["churn"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_no_function_outlives_a_claim(template: Template) -> None:
    """A function is over before the claim that it holds counts as abandoned."""
    for function in template.functions.values():
        assert 0 < function["Timeout"] <= CLAIM_LEASE.total_seconds()


def test_the_url_requires_authentication(template: Template) -> None:
    """HTTP comes in by a function URL that wants signed requests, and by nothing else."""
    urls = {name: function.get("FunctionUrlConfig") for name, function in template.functions.items()}
    assert urls == {"EmitFunction": {"AuthType": "AWS_IAM"}, "ReceiveFunction": None}
    assert not template.sources("Api", "HttpApi")


def test_what_keeps_failing_in_a_function_is_kept(template: Template) -> None:
    """After Lambda's own attempts the event goes to the queue for undelivered ones."""
    for function in template.functions.values():
        config = function["EventInvokeConfig"]
        assert config["DestinationConfig"] == {"OnFailure": {"Type": "SQS", "Destination": "${UndeliveredQueue.Arn}"}}
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 21600)


def test_logs_are_json_kept_for_a_while_and_hold_the_metrics(template: Template) -> None:
    """Each function writes to a log group of its own that has an end, at a level that lets metrics through."""
    groups = template.of_type("AWS::Logs::LogGroup")
    used = set()
    for function in template.functions.values():
        config = function["LoggingConfig"]
        assert (config["LogFormat"], config["ApplicationLogLevel"]) == ("JSON", "INFO")
        used.add(config["LogGroup"])
    assert used == {f"${{{name}}}" for name in groups}
    assert len(used) == len(FUNCTIONS)
    assert all(group["RetentionInDays"] == 90 for group in groups.values())


def test_a_person_hears_of_every_dead_letter(template: Template) -> None:
    """Each queue keeps messages as long as SQS can, encrypted, and one message raises an alarm."""
    queues = template.of_type("AWS::SQS::Queue")
    alarms = [each for each in template.of_type("AWS::CloudWatch::Alarm").values() if each["Namespace"] == "AWS/SQS"]
    assert set(queues) == {"RejectedQueue", "UndeliveredQueue"}
    assert {alarm["Dimensions"][0]["Value"] for alarm in alarms} == {f"${{{name}.QueueName}}" for name in queues}
    for queue in queues.values():
        assert queue == {"MessageRetentionPeriod": FOURTEEN_DAYS, "SqsManagedSseEnabled": True}
    for alarm in alarms:
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "GreaterThanThreshold")
        assert alarm["Threshold"] == 0
        assert "AlarmActions" not in alarm


def test_a_failed_training_and_a_silent_schedule_raise_an_alarm(template: Template) -> None:
    """Each alarm watches a metric that a filter makes of the logs; the dashboard is valid JSON."""
    filters = template.of_type("AWS::Logs::MetricFilter").values()
    made = {
        (each["MetricTransformations"][0]["MetricNamespace"], each["MetricTransformations"][0]["MetricName"])
        for each in filters
    }
    alarms = [each for each in template.of_type("AWS::CloudWatch::Alarm").values() if each["Namespace"] != "AWS/SQS"]
    assert {(each["Namespace"], each["MetricName"]) for each in alarms} <= made
    assert {each["MetricName"]: each["TreatMissingData"] for each in alarms} == {
        "FailedTrainings": "notBreaching",
        "SchedulesEvaluated": "breaching",
    }
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard").values()
    assert len(json.loads(dashboard["DashboardBody"])["widgets"]) == 6
