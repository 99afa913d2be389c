"""A GitHub workflow as target: the training is handed over to it."""

from typing import Final

from functions.github.client import GitHubClient
from shared.config.targets import GitHubTarget
from shared.fields import format_time
from shared.ports import LaunchRequest, Run, RunResult, RunStatus

# What a workflow finds at `github.event.client_payload`, beside `parameters`: ten names are all that GitHub takes.
_OF_TRIGGER: Final = ("model_id", "trigger_id", "origin", "reason", "severity", "requested_by", "evidence")


class GitHubLauncher:
    """A `shared.ports.Launcher` that sends `{"token", "parameters": filled in, trigger fields...}`.

    A dispatch has no id that GitHub tells: the run is known by the token, which a workflow can take into its
    `run-name` to be found by, and as its concurrency group, so that a repeat does not run beside the first.

    Args:
        client: sends it.
        target: the repository and the event type.

    """

    def __init__(self, client: GitHubClient, target: GitHubTarget) -> None:
        """Send nothing yet."""
        self._client = client
        self._target = target

    @property
    def idempotent(self) -> bool:
        """No: GitHub starts a run for every event."""
        return False

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - events cannot be searched
        """Send the event; see the port."""
        self._client.dispatch(self._target.repository, self._target.event_type, client_payload(request))
        return Run(run_id=request.token, url=self._client.address.runs(self._target.repository), handed_over=True)

    def status(self, run_id: str) -> RunStatus:  # noqa: ARG002 - the port's form
        """Answer that it is over: what was handed over is no longer ours to ask after."""
        return RunStatus(result=RunResult.STOPPED)


def client_payload(request: LaunchRequest) -> dict[str, object]:
    """Return what the workflow gets; empty fields of the trigger are left out."""
    fields = request.trigger.to_fields()
    return {
        "token": request.token,
        "parameters": dict(request.parameters),
        "requested_at": format_time(request.trigger.requested_at),
        **{name: fields[name] for name in _OF_TRIGGER if name in fields},
    }
