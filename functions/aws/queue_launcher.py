"""SQS as target: hands a training over to whoever reads the queue."""

from collections.abc import Callable
from typing import Final

from functions.aws.errors import INVALID_REQUEST, RefusalError, translated
from functions.aws.queues import SqsClient, is_fifo, send
from shared.config.targets import SqsTarget
from shared.errors import TargetRefusedError
from shared.json_text import compact
from shared.ports import LaunchRequest, Run, RunResult, RunStatus

# Service model of sqs; the queue that is not there by its older name too, which the service still sends along.
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

    Only a FIFO queue knows the token, and only for five minutes; who reads the queue may need to look at it.

    Args:
        client: makes the client of `sqs`.
        target: the queue.

    """

    def __init__(self, client: Callable[[], SqsClient], target: SqsTarget) -> None:
        """Send nothing yet."""
        self._client = client
        self._queue_url = target.queue_url

    @property
    def idempotent(self) -> bool:
        """Whether it is a FIFO queue."""
        return is_fifo(self._queue_url)

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - a queue cannot be searched
        """Send the message; see the port."""
        trigger = request.trigger
        content = trigger.to_fields() | {"parameters": dict(request.parameters), "token": request.token}
        try:
            with translated("SQS", f"take a message for {self._queue_url}", REFUSED):
                message_id = send(
                    self._client(),
                    self._queue_url,
                    compact(content),
                    group=trigger.model_id,
                    deduplication_id=request.token,
                )
        except RefusalError as refusal:
            raise TargetRefusedError(f"SQS refuses a message for {self._queue_url}: {refusal}") from refusal
        return Run(run_id=message_id, handed_over=True)

    def status(self, run_id: str) -> RunStatus:  # noqa: ARG002 - the port's form
        """Answer that it is over: what was handed over is no longer ours to ask after."""
        return RunStatus(result=RunResult.STOPPED)
