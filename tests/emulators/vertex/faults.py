"""The faults that a test or the demo orders from the stand-in, each consumed by the requests that it meets."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from tests.emulators.vertex.errors import ApiError

CREATE: Final = "pipelineJobs.create"
GET: Final = "pipelineJobs.get"


class FaultKind(StrEnum):
    """What goes wrong with a request."""

    THROTTLE = "throttle"
    """429; nothing was done."""
    INTERNAL = "internal"
    """500; nothing was done."""
    UNAVAILABLE = "unavailable"
    """503; nothing was done."""
    FORBIDDEN = "forbidden"
    """403; nothing was done."""
    REFUSE = "refuse"
    """400; nothing was done."""
    HANG = "hang"
    """The connection stays silent for `seconds`, then closes; nothing was done."""
    LOST_ANSWER = "lost_answer"
    """The work is done; after `seconds` the connection closes without an answer."""
    SLOW = "slow"
    """The work is done and answered only after `seconds`, when the caller may have given up."""


_ERRORS: Final[Mapping[FaultKind, tuple[int, str]]] = {
    FaultKind.THROTTLE: (429, "Quota exceeded for aiplatform.googleapis.com/pipeline_job_create_requests."),
    FaultKind.INTERNAL: (500, "Internal error encountered."),
    FaultKind.UNAVAILABLE: (503, "The service is currently unavailable."),
    FaultKind.FORBIDDEN: (403, "Permission 'aiplatform.pipelineJobs.create' denied on resource."),
    FaultKind.REFUSE: (400, "List of found errors: 1. The pipeline specification is invalid."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An order for a fault.

    Attributes:
        kind: what goes wrong.
        operation: the operation that it hits, or `*` for any.
        seconds: how long the silence lasts, for the kinds that have one.
        times: how many requests it hits.

    """

    kind: FaultKind
    operation: str = CREATE
    seconds: float = 0.0
    times: int = 1

    def error(self) -> ApiError | None:
        """Return the error answer of this kind, or none where there is none."""
        return ApiError(*_ERRORS[self.kind]) if self.kind in _ERRORS else None


class Faults:
    """The queue of ordered faults. Safe to use from several threads."""

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put an order at the end of the queue."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the first fault that hits a request of this operation, and use it up once."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.operation in {operation, "*"}:
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None

    def clear(self) -> None:
        """Forget every order."""
        with self._lock:
            self._waiting.clear()
