"""The image as a Lambda function: data in S3, the site in S3, mail through SNS, the trigger through EventBridge."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pandas as pd
import pytest

from emulators.lambda_runtime import LambdaError
from emulators.lambda_runtime.environment import ExecutionEnvironment
from emulators.moto_server import CREDENTIALS
from tests.monitor.given import rows
from tests.monitor.image import invoke, lambda_function, stage

BUS = "retraining"
PATTERN = {"source": [{"prefix": "ml3_platform"}], "detail-type": [{"prefix": "retrain_trigger"}]}
TICK = {"detail-type": "Scheduled Event", "source": "aws.events", "time": "2025-11-23T09:30:00Z", "detail": {}}
TOML = """
[models."churn".target.aws]
kind = "sagemaker"
pipeline = "churn-training"
[models."churn".drift]
reference = "s3://monitored/churn/reference.parquet"
current = "s3://monitored/churn/{{yesterday}}.parquet"
site = "s3://drift-site"
severity = {{ low = 0.5, medium = 0.7, high = 0.9 }}
[notify]
channels = ["{topic}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An AWS account with a monitor.

    Attributes:
        function: the monitor.
        s3, sqs: clients.
        mail: the queue that stands for the team's inbox.
        triggers: the queue behind the rule of the bus.
        log: what the function writes.

    """

    function: ExecutionEnvironment
    s3: Any
    sqs: Any
    mail: str
    triggers: str
    log: Path

    def put(self, name: str, frame: pd.DataFrame) -> None:
        """Store data."""
        buffer = io.BytesIO()
        frame.to_parquet(buffer)
        self.s3.put_object(Bucket="monitored", Key=f"churn/{name}.parquet", Body=buffer.getvalue())

    def take(self, queue: str) -> list[Any]:
        """Return what is in *queue*, and empty it."""
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def site(self) -> dict[str, str]:
        """Return the pages by their names."""
        objects = self.s3.list_objects_v2(Bucket="drift-site").get("Contents", [])
        names = [found["Key"] for found in objects]
        return {name: self.s3.get_object(Bucket="drift-site", Key=name)["Body"].read().decode() for name in names}


@pytest.fixture(scope="module")
def account(aws: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Set an account up, and serve the monitor in it."""
    s3, sqs, sns, events = (boto3.client(name, endpoint_url=aws) for name in ("s3", "sqs", "sns", "events"))
    for bucket in ("monitored", "drift-site"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    mail, triggers = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("mail", "triggers"))
    arns = {url: _arn(sqs, url) for url in (mail, triggers)}
    topic = sns.create_topic(Name="retraining")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns[mail])
    events.create_event_bus(Name=BUS)
    events.put_rule(Name="triggers", EventBusName=BUS, EventPattern=json.dumps(PATTERN))
    events.put_targets(Rule="triggers", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arns[triggers]}])
    folder = tmp_path_factory.mktemp("lambda")
    environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": aws, "RETRAIN_BUS": BUS, "RETRAIN_LEDGER": "retrain-state"}
    with lambda_function(stage(folder / "app", TOML.format(topic=topic)), environment) as function:
        account = Account(function=function, s3=s3, sqs=sqs, mail=mail, triggers=triggers, log=folder / "log")
        account.put("reference", rows())
        yield account


def _arn(sqs: Any, url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def status_in(mail: Mapping[str, Any]) -> dict[str, str]:
    """Return column -> status, as the mail shows it."""
    columns = json.loads(json.loads(mail["Message"])["evidence"]["columns"])
    return {name: column["status"] for name, column in columns.items()}


def test_a_weekly_tick_finds_drift_and_emits_a_trigger(account: Account) -> None:
    """One tick: the report and the site are in S3, the mail has each column's status, the bus has one trigger."""
    account.put("2025-11-22", rows(shift=1.0, seed=1))
    answer = invoke(account.function, TICK)
    assert answer["checks"][0]["status"] == "drift"
    site, stamp = account.site(), "models/churn/2025-11-23T093000Z"
    assert set(site) == {
        *("index.html", "error.html", "models/churn/index.html"),
        *("models/churn/latest/report.html", "models/churn/latest/drift.json"),
        *(f"{stamp}/report.html", f"{stamp}/drift.json"),
    }
    assert f"{stamp}/report.html" in site["index.html"]
    (mail,) = account.take(account.mail)
    assert isinstance(mail["Message"], str)
    assert mail["Subject"] == "The data of churn have drifted"
    assert status_in(mail)["price"] == "drift"
    (event,) = account.take(account.triggers)
    trigger = event["detail"]
    assert (trigger["model_id"], trigger["origin"], trigger["severity"]) == ("churn", "drift", "medium")
    assert trigger["evidence"]["report_url"] == f"s3://drift-site/{stamp}/report.html"


def test_a_tick_delivered_twice_is_one_request(account: Account) -> None:
    """The repeat overwrites its own report and emits a trigger with the same id."""
    account.put("2025-11-22", rows(shift=1.0, seed=1))
    account.take(account.triggers)
    ids = set()
    for _ in range(2):
        invoke(account.function, TICK)
        (event,) = account.take(account.triggers)
        ids.add(event["detail"]["trigger_id"])
    assert len(ids) == 1
    assert len([name for name in account.site() if name.endswith("report.html")]) == 2
    account.take(account.mail)


def test_no_drift_is_mailed_and_nothing_is_requested(account: Account) -> None:
    """People are also notified of a week without drift."""
    account.put("2025-11-30", rows(seed=2))
    invoke(account.function, {"at": "2025-12-01T09:30:00Z"})
    (mail,) = account.take(account.mail)
    assert mail["Subject"] == "The data of churn have not drifted"
    assert account.take(account.triggers) == []


def test_missing_data_are_mailed_and_nothing_is_requested(account: Account) -> None:
    """A week without data is a message that says so, and no error of the function: a repeat would find no more."""
    answer = invoke(account.function, {"at": "2025-12-08T09:30:00Z"})
    problem = "s3://monitored/churn/2025-12-07.parquet: no such file exists"
    assert answer["checks"] == [{"model_id": "churn", "status": "failed", "problem": problem}]
    (mail,) = account.take(account.mail)
    assert mail["Subject"] == "The drift check of churn failed"
    assert problem in mail["Message"]
    assert account.take(account.triggers) == []
    assert problem in account.site()["index.html"]


def test_a_wrong_event_is_an_error_of_the_function(account: Account) -> None:
    """It is reported to Lambda with its reason."""
    with pytest.raises(LambdaError, match="model: is not a field of a run; its fields are models, at"):
        invoke(account.function, {"model": "churn"})
