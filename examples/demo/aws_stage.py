"""AWS as a stage: the built bundle under the real Lambda runtime, moto's services, and a stand-in for SageMaker."""

import json
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emulators.event_source import SqsEventSource
from emulators.lambda_runtime import LambdaFunction
from emulators.moto_server import CREDENTIALS, moto_server
from emulators.sagemaker import Pipeline, SageMakerStandIn
from examples.demo.aws_account import BUS, TABLE, Account
from examples.demo.models import MODELS, configuration, signal_of, train_first
from examples.demo.outside import Outside, outside
from examples.demo.stage import Json, Stage
from examples.demo.waiting import wait
from shared.fields import format_time

ROOT = Path(__file__).parents[2]
SIGNAL = signal_of("s3-object")
CALLER = "arn:aws:iam::123456789012:user/ada"


@dataclass(kw_only=True, eq=False)
class Ends:
    """Like the rule for the service's own events: delivers each to `receive`, twice, since the service may repeat them.

    Attributes:
        receive: the function.
        pending: the number of events that it has not finished.

    """

    receive: LambdaFunction
    pending: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def deliver(self, event: Json) -> None:
        """Deliver *event*."""
        self._count(1)
        try:
            for _ in range(2):
                self.receive.invoke_async(event)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._lock:
            self.pending += more


@contextmanager
def aws_stage(home: Path) -> Iterator[Stage]:
    """Run the account and both functions until the story ends."""
    train_first(home)
    targets = {model_id: f'aws = {{ kind = "sagemaker", pipeline = "{model_id}" }}' for model_id in MODELS}
    # moto logs every request; the table at the end of the story is enough.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as running:
        account = Account(running.enter_context(moto_server()))
        around = running.enter_context(outside())
        (home / "retrain.toml").write_text(configuration(targets, signal=SIGNAL, channel=account.topic))
        sagemaker = running.enter_context(
            SageMakerStandIn(pipelines={model_id: _pipeline(home, model_id) for model_id in MODELS})
        )
        environment = _environment(home, account, sagemaker, around)
        emit, receive = (running.enter_context(_function(name, environment)) for name in ("emit", "receive"))
        ends = Ends(receive=receive)
        sagemaker.on_end = ends.deliver
        running.enter_context(
            SqsEventSource(client=account.sqs, queue_url=account.triggers, function=receive.invoke, concurrency=2)
        )
        yield _stage(home, account, sagemaker, around, emit, ends)
        (home / "functions.log").write_text(emit.logs() + receive.logs())


def _pipeline(home: Path, model_id: str) -> Pipeline:
    command = (sys.executable, "-m", "examples.demo.pipeline", str(home), model_id)
    return Pipeline(parameters=("until", "max_iter", "trigger_id"), command=command)


def _function(name: str, environment: Mapping[str, str]) -> LambdaFunction:
    handler = f"functions.aws.handler.{name}"
    bundle = ROOT / "dist" / "aws"
    return LambdaFunction(bundle=bundle, handler=handler, python=sys.executable, concurrency=2, environment=environment)


def _environment(home: Path, account: Account, sagemaker: SageMakerStandIn, around: Outside) -> Mapping[str, str]:
    return {
        **CREDENTIALS,
        **around.variables(),
        # Not the token itself, but the secret that contains it.
        "RETRAIN_GITHUB_TOKEN": account.keep_secret(around.token),
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ENDPOINT_URL_SAGEMAKER": sagemaker.url,
        "RETRAIN_CONFIG": str(home / "retrain.toml"),
        "RETRAIN_BUS": BUS,
        "RETRAIN_LEDGER": TABLE,
        "RETRAIN_DEAD_LETTERS": account.letters,
    }


def _stage(
    home: Path, account: Account, sagemaker: SageMakerStandIn, around: Outside, emit: LambdaFunction, ends: Ends
) -> Stage:
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
        title="The AWS bundle on the Lambda runtime; moto for EventBridge, S3, DynamoDB, SNS; a SageMaker stand-in",
        home=home,
        request=request,
        deliver=deliver,
        tick=tick,
        new_file=account.put_file,
        signal=SIGNAL,
        messages=account.messages,
        notified_by="by SNS",
        dispatched=around.github.dispatched,
        settle=lambda: wait(lambda: ends.pending == 0),
        dead_letters=account.dead_letters,
        services=sagemaker.all_calls,
    )


def _url_event(method: str, path: str, body: Json | None) -> Json:
    """Return a request as a function URL passes it to the function."""
    split = urlsplit(path)
    return {
        "version": "2.0",
        "rawPath": split.path,
        "rawQueryString": split.query,
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "stage": "$default",
            "http": {"method": method, "path": split.path},
            "authorizer": {"iam": {"userArn": CALLER}},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
