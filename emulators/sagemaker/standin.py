"""The stand-in for SageMaker: one HTTP server for the service's operations and for orders of tests and the demo."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from emulators.aws_json import aws_answer, aws_error
from emulators.endings import Ending, Endings, Work
from emulators.loopback import Answer, Request
from emulators.sagemaker import admin
from emulators.sagemaker.events import status_event
from emulators.sagemaker.executions import UNFINISHED, Execution, Executions, Pipeline
from emulators.sagemaker.faults import Fault, FaultKind
from emulators.sagemaker.model import ApiError
from emulators.sagemaker.operations import Operations
from emulators.standin import FaultyStandIn, utc_now

FINAL = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


@dataclass(kw_only=True, eq=False)
class SageMakerStandIn(FaultyStandIn[Fault]):
    """A SageMaker that keeps pipeline executions and their tokens as the service promises, and fails on demand.

    `url` is the endpoint, for `AWS_ENDPOINT_URL_SAGEMAKER`.

    Attributes:
        pipelines: the pipelines that exist, by name.
        on_end: called with the EventBridge event of each execution that ends, without holding a lock; in the thread
            that calls `end`, or in a thread of the stand-in.
        event_copies: how many events report one end: the service "may send multiple events for each status change".
        region: the region in ARNs and events.
        account: the account in ARNs and events.
        clock: returns the time, aware.
    """

    pipelines: Mapping[str, Pipeline]
    on_end: Callable[[dict[str, object]], None] | None = None
    event_copies: int = 1
    region: str = "eu-west-3"
    account: str = "123456789012"
    clock: Callable[[], datetime] = utc_now

    def __post_init__(self) -> None:
        super().__post_init__()
        self._executions = Executions(self.pipelines, (self.region, self.account), self.clock)
        self._endings = Endings(self._ended)
        self._operations = Operations(self._executions, self._begin, self._endings.stop)

    def add_fault(self, kind: FaultKind | str, **details: object) -> None:
        """Order a fault: `add_fault("throttle", operation="*", times=3)`; see `Fault`.

        Raises:
            ValueError: a field of the order is unknown or invalid.
        """
        self.faults.add(Fault.parse({"kind": kind, **details}))

    def executions(self) -> list[Execution]:
        """Return every execution, oldest first."""
        return self._executions.all()

    def forget_tokens(self) -> None:
        """Forget every token, as the service does after a time that it does not document."""
        self._executions.forget_tokens()

    def end(self, which: str, status: str = "Succeeded", reason: str | None = None) -> list[str]:
        """End the unfinished executions whose ARN, display name or pipeline is *which*; return their ARNs.

        Raises:
            LookupError: there is no such execution.
            ValueError: the status is not final.
        """
        if status not in FINAL:
            raise ValueError(f"an execution ends as one of {', '.join(sorted(FINAL))}, not {status!r}")
        named = [
            execution.arn
            for execution in self._executions.all()
            if execution.status in UNFINISHED and which in {execution.arn, execution.display_name, execution.pipeline}
        ]
        if not named:
            raise LookupError(f"no unfinished execution of {which!r}")
        for arn in named:
            self._finish(arn, status, reason)
        return named

    def _end_work(self) -> None:
        self._endings.close()

    def _begin(self, execution: Execution) -> None:
        pipeline = self._executions.pipelines[execution.pipeline]
        work = Work(
            name=execution.arn,
            parameters=execution.parameters,
            command=pipeline.command,
            duration=pipeline.duration,
        )
        self._endings.begin(work)

    def _ended(self, arn: str, ending: Ending) -> None:
        # An execution that is being stopped becomes Stopped whatever status is passed here.
        self._finish(arn, "Failed" if ending.error else "Succeeded", ending.error or None)

    def _finish(self, arn: str, status: str, reason: str | None) -> None:
        ended = self._executions.change(arn, status, reason)
        if ended and self.on_end:
            for _ in range(self.event_copies):
                self.on_end(status_event(ended))

    def _respond(self, request: Request) -> Answer | None:
        if request.path.startswith(admin.PREFIX):
            return admin.answer(self, request)
        operation = request.headers.get("x-amz-target", "").removeprefix("SageMaker.")
        return self._answer(operation, lambda: self._work(operation, request.body))

    def _work(self, operation: str, body: bytes) -> Answer:
        try:
            return aws_answer(200, self._operations.call(operation, json.loads(body)))
        except ApiError as error:
            return aws_error(error.code, str(error), error.status)
