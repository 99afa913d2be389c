"""Azure Machine Learning as training service: one job for each token, through Azure Resource Manager."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Protocol

from functions.azure.errors import STANDARD, Persistence, RefusalError, call
from functions.azure.job import TOKEN_TAG, job_document, studio_url
from shared.config.targets import AzureMlTarget
from shared.errors import TargetRefusedError, UnavailableError
from shared.ports import LaunchRequest, Run, RunResult, RunStatus
from shared.trigger import run_name
from shared.wire.eventgrid_runs import run_result
from shared.wire.reading import time

PUBLIC: Final = "https://management.azure.com"
API_VERSION: Final = "2024-10-01"
# Only these mean that the job can never run. Missing permissions are not among them, because a role assignment takes
# minutes to take effect everywhere. Neither is 409, because two first requests at the same time may collide.
REFUSED: Final = frozenset({400, 404, 405, 413, 415, 422})
# A job with this name and other content exists (azure-sdk-for-python, pull request 47389): usually ours, since even an
# equal body may differ from what the service stored. The HTTP status of this error is not documented.
IMMUTABLE: Final = "JobPropertyImmutable"
UNKNOWN: Final = frozenset({400, 404, 405})
NOT_CANCELLED: Final[frozenset[str | int]] = UNKNOWN | {409, "Conflict"}
CANCEL_REQUESTED: Final = "CancelRequested"

# A job's resource id, or its name alone (REST API, Jobs - Get: the pattern of `id`).
_RUN: Final = r"(?:(?P<workspace>/subscriptions/[^?#]+)/jobs/)?(?P<name>[a-zA-Z0-9][a-zA-Z0-9_-]{0,254})"


class ArmClient(Protocol):
    """The method of `functions.rest.RestClient` that is used."""

    def request(self, method: str, url: str, content: object = None) -> Any:  # noqa: ANN401 - JSON
        """Send *content* as JSON, unless it is None, and return the JSON of the answer; None if that is empty."""


class AzureMlLauncher:
    """A `shared.ports.Launcher`.

    The name of a job is its idempotency token: it is derived from ours and unique in a workspace, permanently.

    Args:
        client: returns the client of Azure Resource Manager.
        target: the component.
        endpoint: the base URL of Azure Resource Manager.
        persistence: how to repeat a request; a repeated PUT creates no second job.

    """

    def __init__(
        self,
        client: Callable[[], ArmClient],
        target: AzureMlTarget,
        endpoint: str = PUBLIC,
        *,
        persistence: Persistence = STANDARD,
    ) -> None:
        """Keep the arguments."""
        self._client = client
        self._target = target
        self._workspace = "/" + target.workspace.strip("/")
        self._endpoint = endpoint.rstrip("/")
        self._persistence = persistence

    def start(self, request: LaunchRequest, *, again: bool) -> Run:
        """Start a job; see the port. A repeat looks first: a PUT may be refused although the job runs."""
        name = run_name(request.token)
        found = self._find(name, request.token) if again else None
        job = found if found is not None else self._create(name, request)
        return Run(run_id=self._path(name), url=studio_url(job, name, self._workspace))

    def status(self, run_id: str) -> RunStatus:
        """Return the status of a job; see the port."""
        job = self._job(run_id)
        if job is None:
            return RunStatus(result=RunResult.STOPPED)
        result = run_result(str(_object(job, "properties").get("status")))
        if result is RunResult.RUNNING:
            return RunStatus(result=result)
        # There is no field for the end; only the tags of a job change after it.
        ended_at = time(_object(job, "systemData").get("lastModifiedAt"))
        error = self._error(job, run_id.rpartition("/")[2]) if result is RunResult.FAILED else ""
        return RunStatus(result=result, ended_at=ended_at, error=error)

    def _error(self, job: Mapping[str, Any], name: str) -> str:
        """Return why a job failed: Azure Resource Manager does not know it, the workspace's run history does."""
        from functions.azure.history import error_message, history_address

        address = history_address(job, name, self._endpoint)
        if address is None:
            return ""
        try:
            details = self._send_to(address, "GET", f"look up why the job {name} failed", {*UNKNOWN, 401, 403})
        except (RefusalError, UnavailableError):
            # The end is recorded all the same; the page of the job shows the error.
            return ""
        return error_message(details) if isinstance(details, Mapping) else ""

    def cancel(self, run_id: str) -> None:
        """Cancel a job; see the port."""
        path, action = self._path_of(run_id), f"cancel the job {run_id}"
        if path is None:
            return
        try:
            # Accepted with 202; how the job ends is reported like any other end, so the operation is not followed.
            self._send("POST", f"{path}/cancel", action, NOT_CANCELLED)
        except RefusalError as refusal:
            # The service does not document how it answers for a job that is over, or is being cancelled.
            job = self._job(run_id)
            status = str(_object(job or {}, "properties").get("status"))
            if job is not None and status != CANCEL_REQUESTED and run_result(status) is RunResult.RUNNING:
                raise UnavailableError("Azure ML", action, str(refusal)) from refusal

    def _job(self, run_id: str) -> Mapping[str, Any] | None:
        """Return the job of a run id; None if Azure ML reports that there is none."""
        path = self._path_of(run_id)
        if path is None:
            return None
        try:
            return self._request("GET", path, f"look up the job {run_id}", UNKNOWN)
        except RefusalError:
            return None

    def _path_of(self, run_id: str) -> str | None:
        run = re.fullmatch(_RUN, run_id)
        return None if run is None else f"{run['workspace'] or self._workspace}/jobs/{run['name']}"

    def _create(self, name: str, request: LaunchRequest) -> Mapping[str, Any]:
        """Create the job, or return the one that exists."""
        action = f"start the job {name} in {self._workspace}"
        try:
            return self._request(
                "PUT", self._path(name), action, {*REFUSED, IMMUTABLE}, job_document(self._target, request)
            )
        except RefusalError as refusal:
            if IMMUTABLE not in refusal.codes:
                raise TargetRefusedError(f"Azure ML refuses to {action}: {refusal}") from refusal
            found = self._find(name, request.token)
            if found is None:
                action = f"look up the job {name} in {self._workspace}, which exists"
                raise UnavailableError("Azure ML", action, str(refusal)) from refusal
            return found

    def _find(self, name: str, token: str) -> Mapping[str, Any] | None:
        """Return the job of that name; none if Azure ML reports that there is none.

        Raises:
            TargetRefusedError: it was not created for *token*, so that ours can never start.
            UnavailableError: it cannot be read now.

        """
        try:
            job = self._request("GET", self._path(name), f"look up the job {name} in {self._workspace}", {404})
        except RefusalError:
            return None
        if _object(_object(job, "properties"), "tags").get(TOKEN_TAG) != token:
            raise TargetRefusedError(f"{self._workspace} already has a job {name}, started by another trigger")
        return job

    def _path(self, name: str) -> str:
        return f"{self._workspace}/jobs/{name}"

    def _request(
        self, method: str, path: str, action: str, judged: Collection[str | int] = (), body: object = None
    ) -> Mapping[str, Any]:
        answer = self._send(method, path, action, judged, body)
        if not isinstance(answer, Mapping):
            raise UnavailableError("Azure ML", action, "the answer is not a JSON object")
        return answer

    def _send(
        self, method: str, path: str, action: str, judged: Collection[str | int] = (), body: object = None
    ) -> object:
        """Send a request and return the JSON of the answer; None if that is empty."""
        return self._send_to(f"{self._endpoint}{path}?api-version={API_VERSION}", method, action, judged, body)

    def _send_to(
        self, url: str, method: str, action: str, judged: Collection[str | int] = (), body: object = None
    ) -> object:
        def send() -> object:
            return self._client().request(method, url, body)

        return call(send, service="Azure ML", action=action, judged=judged, persistence=self._persistence)


def _object(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}
