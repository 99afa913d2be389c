"""The faults of Vertex AI that a test can order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emulators.faults import KindOrder
from emulators.loopback import Answer
from emulators.vertex.errors import ApiError

CREATE: Final = "pipelineJobs.create"
GET: Final = "pipelineJobs.get"
TRAINER: Final = "trainer@acme.iam.gserviceaccount.com"
# python-aiplatform #1073.
_MAY_NOT_ACT: Final = "You do not have permission to act as service_account"


class FaultKind(StrEnum):
    """Ways for a request to fail."""

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
    MAY_NOT_ACT = "may_not_act"
    """400, as for an invalid request; nothing was done, since the caller may not act as the job's account."""
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
    FaultKind.MAY_NOT_ACT: (400, f"{_MAY_NOT_ACT}: {TRAINER}. (or it may not exist)."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(KindOrder):
    """An order for a fault."""

    kind: FaultKind
    operation: str = CREATE

    def refusal(self) -> Answer | None:
        """Return the error answer of this kind; None for the kinds that stay silent."""
        return ApiError(*_ERRORS[self.kind]).answer() if self.kind in _ERRORS else None
