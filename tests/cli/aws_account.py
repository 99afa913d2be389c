"""An AWS account on loopback: moto behind a gate that evaluates event patterns and denies operations on demand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import parse_qs

from moto.events.models import EventPattern

from emulators.aws_client import client
from emulators.ledger_table import create_ledger_table
from emulators.loopback import Answer, Request
from emulators.standin import Served
from tests.contracts.gate import passed_on

REGION: Final = "eu-west-3"
ACCOUNT: Final = "123456789012"
FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:receive"
PATTERN: Final = {"source": [{"prefix": "ml3_platform"}], "detail-type": [{"prefix": "retrain_trigger"}]}
ENDED: Final = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
    "detail": {"currentPipelineExecutionStatus": ["Succeeded", "Failed", "Stopped", "CompletedWithFailures"]},
}
ALARMS: Final = {
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "detail": {"state": {"value": ["ALARM"]}},
}
OBJECTS: Final = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": ["training-data"]}},
}
PARAMETERS: Final[tuple[Mapping[str, object], ...]] = (
    {"Name": "epochs", "Type": "Integer", "DefaultValue": 8},
    {"Name": "rate", "Type": "Float", "DefaultValue": 0.1},
    {"Name": "full", "Type": "Boolean", "DefaultValue": False},
    {"Name": "model_id", "Type": "String"},
)
_SERVICES: Final = ("events", "dynamodb", "sqs", "sagemaker", "sns", "secretsmanager")
_numbers = count(1)

CONFIGURATION: Final = """
[models."churn"]
signals = ["cloudwatch-alarm:churn-drift", "s3-object:training-data/churn/*"]
[models."churn".parameters]
epochs = 8
rate = 0.5
full = true
model_id = "$model_id"
[models."churn".target.aws]
kind = "sagemaker"
pipeline = "{pipeline}"
[models."churn".after]
succeeded = ["github:acme/churn#trained"]

[models."fraud"]
[models."fraud".target.aws]
kind = "sqs"
queue_url = "{queue}"

[notify]
channels = ["{topic}", "json://localhost/hook"]

[github]
repositories = ["acme/churn"]
"""


class AwsGate(Served):
    """Forwards calls to moto, except those that a test denies and those that moto does not implement.

    Attributes:
        moto: the URL of moto.
        clients: clients of moto itself by service, which all deployments use: making one costs more than its calls.
        denied: the operations answered with `AccessDenied`.
        answers: the error answers of further operations: status and error code.

    """

    def __init__(self, moto: str) -> None:
        """Bind a free port; the context starts the server."""
        self.moto = moto
        self.clients = {name: client(name, moto) for name in _SERVICES}
        super().__init__()
        self.denied: set[str] = set()
        self.answers: dict[str, tuple[int, str]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering, and close the clients."""
        super().__exit__(kind, error, trace)
        for each in self.clients.values():
            each.close()

    def reset(self) -> None:
        """Remove all denials."""
        self.denied.clear()
        self.answers.clear()

    def _respond(self, request: Request) -> Answer | None:
        target = request.headers.get("x-amz-target", "").rpartition(".")[2]
        operation = target or parse_qs(request.body.decode()).get("Action", [""])[0]
        if operation in self.denied:
            return _refusal(400, "AccessDeniedException", xml=not target)
        if operation in self.answers:
            return _refusal(*self.answers[operation], xml=not target)
        if operation == "TestEventPattern":
            return _tested(json.loads(request.body))
        return passed_on(self.moto, request)


def _tested(request: Mapping[str, str]) -> Answer:
    # moto implements the matcher, but not this operation.
    matches = EventPattern.load(request["EventPattern"]).matches_event(json.loads(request["Event"]))
    headers = {"Content-Type": "application/x-amz-json-1.1"}
    return Answer(status=200, body=json.dumps({"Result": bool(matches)}).encode(), headers=headers)


def _refusal(status: int, code: str, *, xml: bool) -> Answer:
    if xml:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>ordered by a test</Message></Error>"
        body = f"<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>".encode()
        return Answer(status=status, body=body, headers={"Content-Type": "text/xml"})
    body = json.dumps({"__type": code, "message": "ordered by a test"}).encode()
    return Answer(status=status, body=body, headers={"Content-Type": "application/x-amz-json-1.1"})


@dataclass(kw_only=True, eq=False)
class Deployment:
    """A complete deployment under its own names, which a test can break.

    Attributes:
        gate: the gate between `doctor` and the services.
        folder: the folder of the configuration.
        number: a part of every name.

    """

    gate: AwsGate
    folder: Path
    number: int = field(default_factory=lambda: next(_numbers))

    def __post_init__(self) -> None:
        """Create all resources."""
        self.clients = self.gate.clients
        self.bus, self.table, self.pipeline = (f"doctor-{what}-{self.number}" for what in ("bus", "table", "pipeline"))
        self.dead, self.queue = (self._queue(f"{name}-{self.number}") for name in ("dead", "handed"))
        self.topic = self.clients["sns"].create_topic(Name=f"doctor-{self.number}")["TopicArn"]
        secrets = self.clients["secretsmanager"]
        self.secret = secrets.create_secret(Name=f"doctor-{self.number}", SecretString="ghp_token")["ARN"]
        create_ledger_table(self.clients["dynamodb"], self.table)
        self.make_pipeline(PARAMETERS)
        events = self.clients["events"]
        events.create_event_bus(Name=self.bus)
        self.put_rule(PATTERN)
        self.put_target({"Id": "receive", "Arn": FUNCTION, "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-3:1:dead"}})
        for name, pattern in (("ended", ENDED), ("alarms", ALARMS), ("objects", OBJECTS)):
            self.put_default_rule(name, pattern)
            self.put_default_target(name, {"Id": "receive", "Arn": FUNCTION})
        self.configure(CONFIGURATION)

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of this deployment."""
        return {
            "AWS_ENDPOINT_URL": self.gate.url,
            "RETRAIN_CONFIG": str(self.folder / "retrain.toml"),
            "RETRAIN_BUS": self.bus,
            "RETRAIN_LEDGER": self.table,
            "RETRAIN_DEAD_LETTERS": self.dead,
            "RETRAIN_GITHUB_TOKEN": self.secret,
        }

    def configure(self, text: str) -> None:
        """Write the configuration with the names filled in."""
        filled = text.format(pipeline=self.pipeline, queue=self.queue, topic=self.topic)
        (self.folder / "retrain.toml").write_text(filled, encoding="utf-8")

    def make_table(self, key: str) -> None:
        """Create the table with *key* as partition key."""
        self.clients["dynamodb"].create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def make_pipeline(self, parameters: Any) -> None:
        """Create the pipeline."""
        self.clients["sagemaker"].create_pipeline(
            PipelineName=self.pipeline,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": []}),
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/pipelines",
            ClientRequestToken="t" * 32,
        )

    def put_rule(self, pattern: Any, **more: str) -> None:
        """Create or change the rule."""
        self.clients["events"].put_rule(
            Name="triggers", EventBusName=self.bus, EventPattern=json.dumps(pattern), **more
        )

    def put_target(self, target: Any) -> None:
        """Set the target of the rule."""
        self.clients["events"].put_targets(Rule="triggers", EventBusName=self.bus, Targets=[target])

    def remove_target(self) -> None:
        """Remove the target of the rule."""
        self.clients["events"].remove_targets(Rule="triggers", EventBusName=self.bus, Ids=["receive"])

    def put_default_rule(self, name: str, pattern: Any, **more: str) -> None:
        """Create or change a rule of the default bus, which all deployments share."""
        self.clients["events"].put_rule(Name=name, EventPattern=json.dumps(pattern), **more)

    def put_default_target(self, name: str, target: Any) -> None:
        """Set the target of a rule of the default bus, by default `receive`."""
        self.clients["events"].put_targets(Rule=name, Targets=[target])

    def remove_default_target(self, name: str) -> None:
        """Remove the target of a rule of the default bus."""
        self.clients["events"].remove_targets(Rule=name, Ids=["receive"])

    def remove_default_rule(self, name: str) -> None:
        """Remove a rule of the default bus."""
        self.remove_default_target(name)
        self.clients["events"].delete_rule(Name=name)

    def _queue(self, name: str) -> str:
        return str(self.clients["sqs"].create_queue(QueueName=f"doctor-{name}")["QueueUrl"])
