"""The stand-in itself: one HTTP server for the service's operations and for the orders of tests and demo."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from emulators.faults import Faults
from emulators.loopback import Answer, LoopbackServer, Request
from emulators.sagemaker import admin
from emulators.sagemaker.endings import Endings
from emulators.sagemaker.events import status_event
from emulators.sagemaker.executions import UNFINISHED, Execution, Executions, Pipeline
from emulators.sagemaker.faults import Fault, FaultKind
from emulators.sagemaker.model import ApiError
from emulators.sagemaker.operations import Operations

FINAL = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(kw_only=True, eq=False)
class SageMakerStandIn:
    """A SageMaker that keeps pipeline executions, their tokens and its promises, and fails on demand.

    Attributes:
        pipelines: the pipelines that exist, by name.
        on_end: called with the EventBridge event of each execution that ends, outside of any lock; in the thread of
            `end`, else in one of the stand-in's own.
        event_copies: how many events report one end: the service "may send multiple events for each status change".
        region: as in ARNs and events.
        account: as in ARNs and events.
        port: to listen on; 0 takes a free one.
        clock: returns the time, aware.
    """

    pipelines: Mapping[str, Pipeline]
    on_end: Callable[[dict[str, object]], None] | None = None
    event_copies: int = 1
    region: str = "eu-west-3"
    account: str = "123456789012"
    port: int = 0
    clock: Callable[[], datetime] = _now
    faults: Faults[Fault] = field(init=False, default_factory=Faults)

    def __post_init__(self) -> None:
        self._executions = Executions(self.pipelines, (self.region, self.account), self.clock)
        self._endings = Endings(self._finish)
        self._operations = Operations(self._executions, self._begin, self._endings.stop)
        self._calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._server = LoopbackServer(self._respond, port=self.port)

    @property
    def url(self) -> str:
        """The endpoint, for `AWS_ENDPOINT_URL_SAGEMAKER`."""
        return self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._endings.close()
        self._server.close()

    def add_fault(self, kind: FaultKind | str, **details: object) -> None:
        """Order a fault: `add_fault("throttle", operation="*", times=3)`; see `Fault`.

        Raises:
            ValueError: there is no such fault.
        """
        self.faults.add(Fault.parse({"kind": kind, **details}))

    def executions(self) -> list[Execution]:
        """Return every execution, oldest first."""
        return self._executions.all()

    def calls(self, operation: str) -> int:
        """Return the number of requests for an operation, those that met a fault included."""
        return self._calls[operation]

    def all_calls(self) -> Mapping[str, int]:
        """Return the number of requests by operation."""
        return dict(self._calls)

    def forget_tokens(self) -> None:
        """Forget every token, as the service does after a time that it documents nowhere."""
        self._executions.forget_tokens()

    def end(self, which: str, status: str = "Succeeded", reason: str | None = None) -> list[str]:
        """End the unfinished executions whose ARN, display name or pipeline is *which*; return their ARNs.

        Raises:
            LookupError: there is none.
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

    def _begin(self, execution: Execution) -> None:
        self._endings.begin(execution, self._executions.pipelines[execution.pipeline])

    def _finish(self, arn: str, status: str, reason: str | None) -> None:
        ended = self._executions.change(arn, status, reason)
        if ended and self.on_end:
            for _ in range(self.event_copies):
                self.on_end(status_event(ended))

    def _respond(self, request: Request) -> Answer | None:
        if request.path.startswith(admin.PREFIX):
            return admin.answer(self, request)
        operation = request.headers.get("x-amz-target", "").removeprefix("SageMaker.")
        with self._counting:
            self._calls[operation] += 1
        fault = self.faults.take(operation)
        if fault is None:
            return self._work(operation, request.body)
        if error := fault.error():
            return _error(error)
        if fault.kind is FaultKind.LOST_ANSWER:
            self._work(operation, request.body)
        self._closing.wait(fault.seconds)
        return self._work(operation, request.body) if fault.kind is FaultKind.SLOW else None

    def _work(self, operation: str, body: bytes) -> Answer:
        try:
            return _answer(200, self._operations.call(operation, json.loads(body)))
        except ApiError as error:
            return _error(error)


def _answer(status: int, body: Mapping[str, Any]) -> Answer:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid4())}
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)


def _error(error: ApiError) -> Answer:
    return _answer(error.status, {"__type": error.code, "message": str(error)})
