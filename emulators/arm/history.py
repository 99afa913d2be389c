"""The run history of a workspace: the data plane that says why a job failed, served at the same address here."""

import re
from typing import Final

from emulators.arm.identity import Identity
from emulators.arm.jobs import Job
from emulators.arm.problems import ArmError, Json
from emulators.arm.requests import RESOURCE
from emulators.loopback import Request

_DETAILS: Final = re.compile(r"/history/v1\.0/subscriptions/.+/workspaces/[^/]+/runs/(?P<name>[^/?]+)/details")


def run_of(request: Request, identity: Identity | None) -> str | None:
    """Return the name of the run whose details are requested; None for any other request.

    Raises:
        ArmError: the token is invalid.

    """
    matched = _DETAILS.fullmatch(request.path) if request.method == "GET" else None
    if matched and identity and not identity.allows(request.headers.get("authorization", ""), RESOURCE):
        raise ArmError(401, "UserError", "Bearer token not provided or invalid.")
    return matched["name"] if matched else None


def run_details(job: Job) -> Json:
    """Return the details of a run, with the error of one that failed."""
    error = {"error": {"code": "UserError", "message": job.error, "details": []}, "time": job.modified.isoformat()}
    return {
        "runId": job.name,
        "status": job.status,
        "startTimeUtc": job.started.isoformat(),
        "error": error if job.error else None,
        "warnings": [],
    }
