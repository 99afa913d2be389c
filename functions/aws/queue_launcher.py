"""SQS as target: hands a training over to the readers of a queue."""

from collections.abc import Callable
from typing import Final

from functions.aws.errors import INVALID_REQUEST, RefusalError, translated
from functions.aws.queues import SqsClient, send
from shared.config.targets import SqsTarget
from shared.errors import TargetRefusedError
from shared.json_text import compact
from shared.ports import LaunchRequest, Run, RunResult, RunStatus

# Service model of sqs, and the older code of a missing queue, which the service still sends.
REFUSED: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "InvalidAddress",
        "InvalidMessageContents",
        "InvalidParameterValue",
        "UnsupportedOperation",
        INVALID_REQUEST,
    }
)


class SqsLauncher:
    """A `shared.ports.Launcher` that sends `{trigger fields..., "parameters": filled in, "token": ...}`.

    Only a FIFO queue deduplicates by the token, and only for five minutes; a reader of the queue may have to check it.

    Args:
        client: returns the `sqs` client; that of a standard queue must make one attempt, as each is one more training.
        target: the queue.

    """

    def __init__(self, client: Callable[[], SqsClient], target: SqsTarget) -> None:
        """Keep the arguments."""
        self._client = client
        self._queue_url = target.queue_url

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - a queue cannot be searched
        """Send the message; see the port."""
        trigger = request.trigger
        content = trigger.to_fields() | {"parameters": dict(request.parameters), "token": request.token}
        try:
            with translated("SQS", f"take a message for {self._queue_url}", REFUSED):
                message_id = self._send(compact(content), trigger.model_id, request.token)
        except RefusalError as refusal:
            raise TargetRefusedError(f"SQS refuses a message for {self._queue_url}: {refusal}") from refusal
        return Run(run_id=message_id, handed_over=True)

    def _send(self, body: str, model_id: str, token: str) -> str:
        client = self._client()
        try:
            return send(client, self._queue_url, body, group=model_id, deduplication_id=token)
        finally:
            # A function may be frozen between two hand-overs; a connection that died then looks like a lost answer.
            client.close()

    def status(self, run_id: str) -> RunStatus:  # noqa: ARG002 - the port's form
        """Return `stopped`: the status of a training that was handed over cannot be queried."""
        return RunStatus(result=RunResult.STOPPED)

    def cancel(self, run_id: str) -> None:  # noqa: ARG002 - the port's form
        """Refuse: a message that was sent cannot be taken back."""
        raise TargetRefusedError(
            f"a training that was handed over to the queue {self._queue_url} cannot be cancelled from here; stop it"
            " where it runs"
        )
