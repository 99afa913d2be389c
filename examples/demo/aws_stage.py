"""AWS as a stage: the built bundle under the real Lambda runtime, moto's services, and a stand-in for SageMaker."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from examples.demo.stage import MODELS, Json, Stage, configuration, train_first
from shared.fields import format_time
from tests.aws.calls import client
from tests.emulators.event_source import SqsEventSource
from tests.emulators.lambda_runtime import LambdaFunction
from tests.emulators.moto_server import CREDENTIALS, moto_server
from tests.emulators.sagemaker import Pipeline, SageMakerStandIn

ROOT = Path(__file__).parents[2]
BUS, TABLE = "retraining", "retrain-state"
# The rule pattern that the documentation of ML cube Platform asks for.
PATTERN = {"source": [{"prefix": "ml3_platform"}], "detail-type": [{"prefix": "retrain_trigger"}]}


class Account:
    """An AWS account on loopback.

    Attributes:
        url: where its services are.
        triggers: the queue behind the bus that `receive` works on.
        letters: the queue of the dead letters.

    """

    def __init__(self, url: str) -> None:
        """Make the bus with its rule, the queues and the table."""
        self.url = url
        self.events, self.sqs, dynamodb = (client(name, url) for name in ("events", "sqs", "dynamodb"))
        self.triggers, self._copies, self.letters = (
            self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("triggers", "copies", "dead-letters")
        )
        self._found: list[Json] = []
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "model_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "model_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.events.create_event_bus(Name=BUS)
        self.events.put_rule(Name="triggers", EventBusName=BUS, EventPattern=json.dumps(PATTERN))
        targets = [
            {"Id": f"queue-{n}", "Arn": self._arn(queue)} for n, queue in enumerate((self.triggers, self._copies))
        ]
        self.events.put_targets(Rule="triggers", EventBusName=BUS, Targets=targets)

    def send(self, event: Json) -> Json:
        """Put *event* on the bus as its sender would, and return it as the bus delivers it."""
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        sent = self.events.put_events(Entries=[{**entry, "EventBusName": BUS}])["Entries"][0]["EventId"]
        while True:
            for delivered in self._take(self._copies):
                if delivered["id"] == sent:
                    return delivered

    def redeliver(self, event: Json, times: int) -> None:
        """Deliver *event* again, as a bus may that promises at least once."""
        for _ in range(times):
            self.sqs.send_message(QueueUrl=self.triggers, MessageBody=json.dumps(event))

    def dead_letters(self) -> list[Json]:
        """Return every dead letter so far."""
        self._found += self._take(self.letters)
        return self._found

    def _take(self, queue: str) -> list[Json]:
        messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def _arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])


@contextmanager
def aws_stage(home: Path) -> Iterator[Stage]:
    """Run the account and both functions until the story is over."""
    train_first(home)
    targets = {model_id: f'aws = {{ kind = "sagemaker", pipeline = "{model_id}" }}' for model_id in MODELS}
    (home / "retrain.toml").write_text(configuration(targets))
    # moto tells every request; what the story needs is in the table at its end.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as running:
        account = Account(running.enter_context(moto_server()))
        sagemaker = SageMakerStandIn(
            pipelines={model_id: _pipeline(home, model_id) for model_id in MODELS}, event_copies=2
        )
        running.enter_context(sagemaker)
        emit, receive = (
            running.enter_context(_function(name, home, account, sagemaker)) for name in ("emit", "receive")
        )
        # As the rule for the service's own events: each is delivered to `receive`, and the service may send several.
        sagemaker.on_end = receive.invoke_async
        running.enter_context(
            SqsEventSource(client=account.sqs, queue_url=account.triggers, function=receive.invoke, concurrency=2)
        )
        yield _stage(home, account, sagemaker, emit)
        (home / "functions.log").write_text(emit.logs() + receive.logs())


def _pipeline(home: Path, model_id: str) -> Pipeline:
    command = (sys.executable, "-m", "examples.demo.pipeline", str(home), model_id)
    return Pipeline(parameters=("until", "max_iter", "trigger_id"), command=command)


def _function(name: str, home: Path, account: Account, sagemaker: SageMakerStandIn) -> LambdaFunction:
    return LambdaFunction(
        bundle=ROOT / "dist" / "aws",
        handler=f"functions.aws.handler.{name}",
        python=sys.executable,
        concurrency=2,
        environment={
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": account.url,
            "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url,
            "RETRAIN_CONFIG": str(home / "retrain.toml"),
            "RETRAIN_BUS": BUS,
            "RETRAIN_LEDGER": TABLE,
            "RETRAIN_DEAD_LETTERS": account.letters,
        },
    )


def _stage(home: Path, account: Account, sagemaker: SageMakerStandIn, emit: LambdaFunction) -> Stage:
    sent: dict[str, Json] = {}

    def deliver(event: Json, times: int) -> str:
        if event["id"] not in sent:
            sent[event["id"]] = account.send(event)
            times -= 1
        account.redeliver(sent[event["id"]], times)
        return f"ml3_platform:{sent[event['id']]['id']}"

    def request(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        answer: Any = emit.invoke(_url_event(method, path, body))
        return answer["statusCode"], json.loads(answer["body"])

    def tick(at: datetime) -> None:
        emit.invoke({"source": "aws.scheduler", "detail-type": "Scheduled Event", "time": format_time(at)})

    return Stage(
        title="The AWS bundle under the Lambda runtime; EventBridge, SQS and DynamoDB by moto; a SageMaker stand-in",
        home=home,
        request=request,
        deliver=deliver,
        tick=tick,
        dead_letters=account.dead_letters,
        services=sagemaker.all_calls,
    )


def _url_event(method: str, path: str, body: Json | None) -> Json:
    """Return a request as a function URL hands it over."""
    split = urlsplit(path)
    return {
        "version": "2.0",
        "rawPath": split.path,
        "rawQueryString": split.query,
        "headers": {"content-type": "application/json"},
        "requestContext": {"stage": "$default", "http": {"method": method, "path": split.path}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
