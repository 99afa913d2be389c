"""The faults of SageMaker that a test can order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from emulators.aws_json import aws_error
from emulators.faults import KindOrder
from emulators.loopback import Answer


class FaultKind(StrEnum):
    """Ways for a request to fail."""

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
class Fault(KindOrder):
    """An order for a fault."""

    kind: FaultKind
    operation: str = "StartPipelineExecution"

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

    def refusal(self) -> Answer | None:
        """Return the error answer of this kind; None for the kinds that stay silent."""
        return aws_error(*_ERRORS[self.kind]) if self.kind in _ERRORS else None
