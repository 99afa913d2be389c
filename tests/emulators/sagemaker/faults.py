"""The faults that a test or the demo orders from a stand-in, each consumed by the requests it meets."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Self

from tests.emulators.sagemaker.model import ApiError


class FaultKind(StrEnum):
    """What goes wrong with a request."""

    THROTTLE = "throttle"
    """`ThrottlingException`, 400; nothing was done. botocore retries it by itself."""
    RESOURCE_LIMIT = "resource_limit"
    """`ResourceLimitExceeded`, 400; nothing was done."""
    INTERNAL = "internal"
    """`InternalFailure`, 500; nothing was done. botocore retries it by itself."""
    UNAVAILABLE = "unavailable"
    """`ServiceUnavailable`, 503; nothing was done. botocore retries it by itself."""
    REFUSE = "refuse"
    """`ValidationException`, 400; nothing was done."""
    HANG = "hang"
    """The connection stays silent for `seconds`, then closes; nothing was done."""
    LOST_ANSWER = "lost_answer"
    """The work is done; after `seconds` the connection closes without an answer. botocore retries it by itself."""
    SLOW = "slow"
    """The work is done and answered only after `seconds`, when the caller may have given up."""


_ERRORS: Mapping[FaultKind, tuple[str, str, int]] = {
    FaultKind.THROTTLE: ("ThrottlingException", "Rate exceeded", 400),
    FaultKind.RESOURCE_LIMIT: (
        "ResourceLimitExceeded",
        "The account-level service limit for concurrent pipeline executions is exceeded.",
        400,
    ),
    FaultKind.INTERNAL: ("InternalFailure", "The request processing has failed because of an unknown error.", 500),
    FaultKind.UNAVAILABLE: ("ServiceUnavailable", "The request has failed due to a temporary failure.", 503),
    FaultKind.REFUSE: ("ValidationException", "The pipeline definition cannot be executed.", 400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An order for a fault.

    Attributes:
        kind: what goes wrong.
        operation: the operation that it hits, or `*` for any.
        seconds: how long the silence lasts, for the kinds that have one.
        times: how many requests it hits. With botocore's own retries on, one call of a client is several requests.
    """

    kind: FaultKind
    operation: str = "StartPipelineExecution"
    seconds: float = 0.0
    times: int = 1

    @classmethod
    def parse(cls, order: Mapping[str, object]) -> Self:
        """Read an order in its JSON form.

        Raises:
            ValueError: a field is unknown, missing or wrong.
        """
        unknown = order.keys() - {"kind", "operation", "seconds", "times"}
        if unknown or "kind" not in order:
            detail = f"unknown: {', '.join(sorted(unknown))}" if unknown else "kind is missing"
            raise ValueError(f"a fault has kind, operation, seconds and times; {detail}")
        return cls(
            kind=FaultKind(str(order["kind"])),
            operation=str(order.get("operation", "StartPipelineExecution")),
            seconds=float(str(order.get("seconds", 0))),
            times=int(str(order.get("times", 1))),
        )

    def error(self) -> ApiError | None:
        """Return the error answer of this kind, or None where there is none."""
        if self.kind not in _ERRORS:
            return None
        code, message, status = _ERRORS[self.kind]
        return ApiError(code, message, status=status)


class Faults:
    """The queue of ordered faults. Safe to use from several threads."""

    def __init__(self) -> None:
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

    def waiting(self) -> list[dict[str, object]]:
        """Return what is still ordered, in its JSON form."""
        with self._lock:
            return [asdict(fault) for fault in self._waiting]
