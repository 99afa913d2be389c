"""An AWS account on loopback for a whole session: moto's services, the gate in front of them, and the functions."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from emulators.aws_client import client
from emulators.lambda_runtime import LambdaFunction
from emulators.ledger_table import create_ledger_table
from emulators.moto_server import CREDENTIALS, moto_server
from functions.aws.clients import CallLimits, Clients
from tests.contracts.aws_bundle import aws_bundle
from tests.contracts.configuration import configuration
from tests.contracts.gate import Gate
from tests.contracts.outlets import Outlets
from tests.contracts.ports import CONTENDERS

BUS: Final = "retraining"
TABLE: Final = "retrain-state"
PIPELINE: Final = "churn-training"
TOPIC: Final = "notices"


class Account:
    """The services of the account, which live as long as the session.

    Attributes:
        gate: between the functions and the services.
        outlets: GitHub; the channel is a topic here.
        dynamodb, sqs, events, sns: clients that go past the gate.
        clients: what the adapters are made of: each call a single attempt through the gate.
        queue: where the rule of the bus puts events, for `receive`; they come again after a second.
        dead: the queue of the dead letters.
        handed: the queue that trainings are handed to.
        notices: the queue that is subscribed to the topic of the notices.
        variables: the environment of the functions.
        emit, receive: the functions, in processes that stay warm.

    """

    def __init__(self, folder: Path) -> None:
        """Use *folder* for the configuration; nothing runs yet."""
        self._folder = folder
        self._open = ExitStack()
        # Made once: botocore needs a tenth of a second for each.
        self.clients = Clients(limits=CallLimits(read_timeout=5, attempts=1, connections=32))

    def __enter__(self) -> Self:
        """Start everything; the functions' processes start with their first events."""
        self._bundle = aws_bundle()
        moto = self._open.enter_context(moto_server())
        self.gate = self._open.enter_context(Gate(moto))
        self.outlets = self._open.enter_context(Outlets())
        names = ("dynamodb", "sqs", "events", "sns")
        self.dynamodb, self.sqs, self.events, self.sns = (client(name, moto) for name in names)
        self.dead, self.handed, self.queue, self.notices = self._queues()
        self._make_table()
        self._make_bus()
        self._topic = self._make_topic()
        self.variables = (
            CREDENTIALS
            | self.outlets.variables
            | {
                "AWS_ENDPOINT_URL": self.gate.url,
                "RETRAIN_CONFIG": str(self._configured()),
                "RETRAIN_BUS": BUS,
                "RETRAIN_LEDGER": TABLE,
                "RETRAIN_DEAD_LETTERS": self.dead,
            }
        )
        self.emit = self._open.enter_context(self.function("emit"))
        self.receive = self._open.enter_context(self.function("receive", concurrency=CONTENDERS))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        for each in (self.dynamodb, self.sqs, self.events, self.sns):
            each.close()
        self._open.close()

    def function(self, name: str, *, concurrency: int = 1, **variables: str) -> LambdaFunction:
        """Return a function of the bundle that is not started yet, with other *variables*; empty ones are left out."""
        environment = {key: value for key, value in (self.variables | variables).items() if value}
        return LambdaFunction(
            bundle=self._bundle,
            handler=f"functions.aws.handler.{name}",
            environment=environment,
            python=sys.executable,
            concurrency=concurrency,
            name=name,
        )

    def empty(self) -> None:
        """Leave nothing of the test before."""
        for item in self.dynamodb.scan(TableName=TABLE, ProjectionExpression="model_id")["Items"]:
            self.dynamodb.delete_item(TableName=TABLE, Key=item)
        for url in (self.dead, self.handed, self.queue, self.notices):
            # SQS purges a queue once a minute only, moto too.
            self.sqs.delete_queue(QueueUrl=url)
        self._queues()
        self.gate.reset()
        self.outlets.empty()

    def _queues(self) -> list[str]:
        attributes = {"VisibilityTimeout": "1"}
        names = ("dead-letters", "handed-over", "triggers", "notices")
        return [str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]) for name in names]

    def _make_table(self) -> None:
        create_ledger_table(self.dynamodb, TABLE)

    def _make_bus(self) -> None:
        # The pattern is that of ML cube's documentation: by prefix.
        pattern = (
            '{"source": [{"prefix": "ml3_platform"}], "detail-type": [{"prefix": "retrain_trigger"}, "retrain_sweep"]}'
        )
        self.events.create_event_bus(Name=BUS)
        self.events.put_rule(Name="triggers", EventBusName=BUS, EventPattern=pattern)
        self.events.put_targets(
            Rule="triggers", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": self._arn(self.queue)}]
        )

    def _make_topic(self) -> str:
        arn = str(self.sns.create_topic(Name=TOPIC)["TopicArn"])
        self.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=self._arn(self.notices))
        return arn

    def _arn(self, queue: str) -> str:
        named = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(named["Attributes"]["QueueArn"])

    def _configured(self) -> Path:
        text = configuration(
            "aws",
            works=f'{{ kind = "sagemaker", pipeline = "{PIPELINE}" }}',
            broken='{ kind = "sagemaker", pipeline = "no-such-pipeline" }',
            channel=self._topic,
            handed=f'{{ kind = "sqs", queue_url = "{self.handed}" }}',
        )
        path = self._folder / "retrain.toml"
        path.write_text(text, encoding="utf-8")
        return path
