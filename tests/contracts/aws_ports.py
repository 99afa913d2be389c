"""The adapters of AWS for the suite, each of their calls a single attempt through the gate."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, Final

import pytest

from emulators.loopback import Answer
from emulators.sagemaker import FaultKind, SageMakerStandIn
from functions.aws.bus import EventBridgeBus
from functions.aws.dead_letters import SqsDeadLetters
from functions.aws.launcher import SageMakerLauncher
from functions.aws.ledger import DynamoLedger
from functions.aws.letters import SqsLetters
from shared.config.targets import SageMakerTarget
from shared.errors import UnavailableError
from shared.ports import LaunchRequest
from shared.training.letters import REJECTED
from shared.trigger import run_name
from shared.wire.eventbridge import decode
from shared.wire.incoming import Incoming
from tests.contracts.aws_account import BUS, PIPELINE, TABLE, Account
from tests.contracts.gate import body_with, refusal
from tests.contracts.messages import Json, Notice
from tests.contracts.ports import Ports
from tests.contracts.programs import won_by_processes
from tests.contracts.training_folder import until
from tests.contracts.triggers import WHY, a_trigger

SOURCE: Final = "ml3_platform"
# Of a service that speaks the query protocol.
DENIED: Final = Answer(
    status=403,
    body=b"<ErrorResponse><Error><Code>AuthorizationError</Code><Message>ordered by a test</Message></Error>"
    b"</ErrorResponse>",
    headers={"Content-Type": "text/xml"},
)


class AmazonPorts(Ports):
    """An account with nothing in it, and a training service of its own."""

    name: ClassVar[str] = "aws"

    def __init__(self, account: Account, sagemaker: SageMakerStandIn, ended: list[Json]) -> None:
        """Use an *account*, and a *sagemaker* that writes its events to *ended*."""
        self.account = account
        self.outlets = account.outlets
        self._notices: list[Notice] = []
        self.sagemaker = sagemaker
        self._ended = ended
        clients = account.clients
        self.ledger = DynamoLedger(clients.factory("dynamodb"), TABLE)
        self.bus = EventBridgeBus(clients.factory("events"), BUS, SOURCE)
        self.launcher = SageMakerLauncher(clients.factory("sagemaker"), SageMakerTarget(pipeline=PIPELINE))
        self.refused = SageMakerLauncher(clients.factory("sagemaker"), SageMakerTarget(pipeline="no-such-pipeline"))
        self.dead_letters = SqsDeadLetters(clients.factory("sqs"), account.dead)
        self.letter_box = SqsLetters(clients.factory("sqs"), account.dead, REJECTED)

    def race(self, rounds: int) -> int:
        """See the base."""
        return won_by_processes(self.account.variables, "aws", rounds)

    def traffic(self) -> list[str]:
        """Return the operations that were called."""
        return list(self.account.gate.calls)

    def decode(self, event: object) -> Incoming:
        """See the base."""
        return decode(event, SOURCE)

    def arrived(self) -> list[object]:
        """See the base."""
        return [json.loads(body) for body in self.taken(self.account.queue)]

    def letters(self) -> list[str]:
        """See the base."""
        return self.taken(self.account.dead)

    def taken(self, url: str) -> list[str]:
        """Take all messages out of a queue and return their texts."""
        texts: list[str] = []
        while messages := self.account.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                texts.append(message["Body"])
                self.account.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return texts

    def trainings(self) -> list[str]:
        """See the base."""
        tags: list[Any] = [json.loads(execution.description or "{}") for execution in self.sagemaker.executions()]
        return [provenance["trigger_id"] for provenance in tags]

    def end(self, trigger_id: str, *, well: bool = True) -> object:
        """See the base."""
        named = [
            execution.arn
            for execution in self.sagemaker.executions()
            if json.loads(execution.description or "{}")["trigger_id"] == trigger_id
        ]
        self.sagemaker.end(named[-1], "Succeeded" if well else "Failed", None if well else WHY)
        return self._ended[-1]

    def stopped(self, trigger_id: str) -> object:
        """See the base."""
        (execution,) = [
            execution
            for execution in self.sagemaker.executions()
            if json.loads(execution.description or "{}")["trigger_id"] == trigger_id
        ]
        assert execution.status in ("Stopping", "Stopped")
        until(lambda: self._ended and self._ended[-1]["detail"]["pipelineExecutionArn"] == execution.arn)
        return self._ended[-1]

    def forget_tokens(self) -> None:
        """See the base."""
        self.sagemaker.forget_tokens()

    def lose_answer(self, request: LaunchRequest) -> None:
        """Cut the connection when the work is done."""
        self.sagemaker.add_fault(FaultKind.LOST_ANSWER)
        with pytest.raises(UnavailableError):
            self.launcher.start(request, again=False)
        assert run_name(request.token) == self.sagemaker.executions()[-1].display_name

    @contextmanager
    def training_away(self) -> Iterator[None]:
        """Throttle every call to SageMaker, and the queue that trainings are handed to."""
        gate, throttled = self.account.gate, refusal("ThrottlingException")
        with (
            gate.failing("SageMaker.", throttled),
            gate.failing("SendMessage", refusal("RequestThrottled", 403), body_with(self.account.handed)),
        ):
            yield

    def ledger_away(self) -> AbstractContextManager[None]:
        """Close every connection."""
        return self.account.gate.failing("DynamoDB_20120810.", None)

    def bus_away(self) -> AbstractContextManager[None]:
        """Close every connection."""
        return self.account.gate.failing("AWSEvents.", None)

    def bus_refuses(self) -> AbstractContextManager[None]:
        """Find fault with the one entry of a call."""
        refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "no"}]}
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        answer = Answer(status=200, body=json.dumps(refused).encode(), headers=headers)
        return self.account.gate.failing("PutEvents", answer)

    def handed_over(self) -> list[str]:
        """See the base."""
        return [json.loads(text)["token"] for text in self.taken(self.account.handed)]

    def notices(self) -> list[Notice]:
        """Return what the topic has put into the queue that is subscribed to it."""
        for text in self.taken(self.account.notices):
            arrived = json.loads(text)
            notice = json.loads(arrived["Message"])
            self._notices.append(Notice(title=arrived["Subject"], trigger_id=notice["trigger_id"]))
        return list(self._notices)

    def channel_away(self) -> AbstractContextManager[None]:
        """Let an operator have taken the right to publish."""
        return self.account.gate.failing("Publish", DENIED)

    def dead_letters_away(self) -> AbstractContextManager[None]:
        """Fail every message, in a way that is not worth another attempt."""
        denied = refusal("AccessDeniedException", 403)
        return self.account.gate.failing("SendMessage", denied, body_with(self.account.dead))

    def contended(self) -> AbstractContextManager[None]:
        """Fail every condition."""
        return self.account.gate.failing("PutItem", refusal("ConditionalCheckFailedException"))


def token_of(trigger_id: str) -> str:
    """Return the idempotency token of a trigger of the first model."""
    return a_trigger(trigger_id).token
