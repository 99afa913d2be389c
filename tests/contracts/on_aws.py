"""AWS for the suite: the functions of the built bundle under the real runtime client."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from emulators.event_source import SqsEventSource, failures
from emulators.lambda_runtime import LambdaError, LambdaFunction
from emulators.sagemaker import FaultKind, Pipeline, SageMakerStandIn
from tests.contracts.aws_account import PIPELINE, Account
from tests.contracts.aws_ports import AmazonPorts, token_of
from tests.contracts.aws_requests import CALLER, function_url_event
from tests.contracts.clouds import Cloud
from tests.contracts.gate import body_with, refusal
from tests.contracts.messages import Delivery, HttpRequest, Json, Reply, bus_event, detail_of
from tests.contracts.together import together
from tests.contracts.training_folder import until


class Amazon(AmazonPorts, Cloud):
    """The two functions over an empty account."""

    caller: ClassVar[str] = CALLER
    content_field: ClassVar[str] = "detail"
    launch_calls: ClassVar[Sequence[str]] = ("GetItem", "PutItem", "StartPipelineExecution", "PutItem")
    duplicate_calls: ClassVar[Sequence[str]] = ("GetItem",)

    def event(self, content: object, **envelope: object) -> Json:
        """See the base."""
        place = {"account": "123456789012", "region": "eu-west-3", "resources": []}
        return bus_event(content) | place | envelope

    def fields(self, event: object) -> Json:
        """See the base."""
        return detail_of(event)

    def unreadable(self) -> object:
        """Return a body that is not valid JSON."""
        return b'{"detail": '

    def deliver(self, event: object) -> Delivery:
        """See the base; a body that is not valid JSON comes as a JSON string, for Lambda takes nothing else."""
        return _delivered(self.account.receive, event.decode() if isinstance(event, bytes) else event)

    def deliver_concurrently(self, events: Sequence[object]) -> list[Delivery]:
        """See the base."""
        self.account.receive.warm()
        return together(self.deliver, events)

    def round(self, events: Sequence[object]) -> list[bool]:
        """Invoke the function with one batch."""
        bodies = [event.decode() if isinstance(event, bytes) else json.dumps(event) for event in events]
        batch = sqs_batch(bodies)
        try:
            result = self.account.receive.invoke(batch)
        except LambdaError:
            return [False] * len(events)
        identifiers = [record["messageId"] for record in batch["Records"]]
        failed = failures(result, set(identifiers))
        return [identifier not in failed for identifier in identifiers]

    def put(self, event: object) -> None:
        """See the base."""
        self.account.sqs.send_message(QueueUrl=self.account.queue, MessageBody=json.dumps(event))

    def drain(self, seconds: float = 20) -> None:
        """See the base."""
        source = SqsEventSource(
            client=self.account.sqs, queue_url=self.account.queue, function=self.account.receive.invoke
        )
        source.drain(seconds)

    def crash(self, event: object, *, started: bool) -> None:
        """Kill a function that waits for SageMaker's answer."""
        kind = FaultKind.LOST_ANSWER if started else FaultKind.HANG
        self.sagemaker.add_fault(kind, seconds=60)
        with self.account.function("receive") as function, ThreadPoolExecutor(1) as pool:
            dying = pool.submit(function.invoke, event)
            until(lambda: self.sagemaker.calls("StartPipelineExecution"))
            until(lambda: len(self.sagemaker.executions()) == int(started))
            function.kill()
            assert isinstance(dying.exception(10), LambdaError)

    def marks(self, trigger_id: str) -> str:
        """See the base."""
        texts = [execution.description or "" for execution in self.sagemaker.executions()]
        return next(text for text in texts if json.loads(text)["trigger_id"] == trigger_id)

    def sweep(self) -> Delivery:
        """See the base."""
        return self.deliver({"sweep": True})

    def send(self, request: HttpRequest) -> Reply:
        """See the base."""
        return self.answered(function_url_event(request))

    def answered(self, event: Json) -> Reply:
        """Hand an HTTP request, as the platform gives it, to `emit`."""
        answer: Any = self.account.emit.invoke(event)
        return Reply.of(answer["statusCode"], answer["headers"], answer["body"])

    def tick(self, at: str) -> list[Json]:
        """Let a rule's schedule come due."""
        event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": at, "id": "tick", "detail": {}}
        answer: Any = self.account.emit.invoke(event)
        accepted: list[Json] = answer["accepted"]
        return accepted

    def evaluate_schedules(self) -> list[Json]:
        """See the base."""
        answer: Any = self.account.emit.invoke({"schedules": True})
        accepted: list[Json] = answer["accepted"]
        return accepted

    def logs(self) -> str:
        """See the base."""
        return self.account.receive.logs()

    def turned_away(self, trigger_id: str) -> AbstractContextManager[None]:
        """Let the account be full for one execution."""
        full = refusal("ResourceLimitExceeded")
        return self.account.gate.failing("StartPipelineExecution", full, body_with(token_of(trigger_id)))

    def deliver_without_dead_letters(self, event: object) -> Delivery:
        """See the base."""
        with self.account.function("receive", RETRAIN_DEAD_LETTERS="") as function:
            return _delivered(function, event)

    def deliver_misconfigured(self, event: object) -> Delivery:
        """See the base."""
        with self.account.function("receive", RETRAIN_LEDGER="") as function:
            return _delivered(function, event)


def sqs_batch(bodies: Sequence[str], groups: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Return a batch as the event source mapping of a queue delivers it; with message groups, of a FIFO queue."""
    return {
        "Records": [
            {
                "messageId": f"m-{place}",
                "receiptHandle": f"r-{place}",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1"} | ({"MessageGroupId": groups[place]} if groups else {}),
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:eu-west-3:123456789012:triggers{'.fifo' if groups else ''}",
                "awsRegion": "eu-west-3",
            }
            for place, body in enumerate(bodies)
        ]
    }


def _delivered(function: LambdaFunction, event: object) -> Delivery:
    try:
        outcome: Any = function.invoke(event)
    except LambdaError as error:
        return Delivery(acknowledged=False, error=str(error))
    return Delivery(acknowledged=True, outcome=outcome)


@contextmanager
def amazon(folder: Path) -> Iterator[Callable[[Path], AbstractContextManager[Amazon]]]:
    """Open an account; the result empties it for a test, and points the environment at it."""
    with Account(folder) as account:

        @contextmanager
        def emptied(_folder: Path) -> Iterator[Amazon]:
            account.empty()
            ended: list[Json] = []
            pipeline = Pipeline(parameters=("epochs", "note"))
            with (
                SageMakerStandIn(pipelines={PIPELINE: pipeline}, on_end=ended.append) as sagemaker,
                pytest.MonkeyPatch.context() as environment,
            ):
                account.gate.sagemaker = sagemaker.url
                for name, value in account.variables.items():
                    environment.setenv(name, value)
                yield Amazon(account, sagemaker, ended)

        yield emptied
