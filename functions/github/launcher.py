"""GitHub workflows as targets: the training is handed over to them."""

from typing import Final

from functions.github.client import GitHubClient
from functions.github.payload import MOST_NAMES
from shared.config.targets import GitHubTarget
from shared.errors import TargetRefusedError
from shared.fields import format_time
from shared.ports import LaunchRequest, Run, RunResult, RunStatus

# The names in `github.event.client_payload`, besides `parameters` and others: GitHub accepts at most ten.
_OF_TRIGGER: Final = ("model_id", "trigger_id", "origin", "reason", "severity", "requested_by", "evidence")


class GitHubLauncher:
    """A `shared.ports.Launcher` that sends `{"token", "parameters", fields of the trigger...}`.

    GitHub returns no id for a dispatch, so the token identifies the run. A workflow can use it in its `run-name`, to
    make the run easy to find, and as its concurrency group, so that a repeat does not run beside the first run.

    Args:
        client: sends the events.
        target: the repository and the event type.

    """

    def __init__(self, client: GitHubClient, target: GitHubTarget) -> None:
        self._client = client
        self._target = target

    def start(self, request: LaunchRequest, *, again: bool) -> Run:  # noqa: ARG002 - events cannot be searched
        """Send the event; see the port."""
        self._client.dispatch(self._target.repository, self._target.event_type, client_payload(request))
        return Run(run_id=request.token, url=self._client.address.runs(self._target.repository), handed_over=True)

    def status(self, run_id: str) -> RunStatus:  # noqa: ARG002 - the port's form
        """Return that the run has ended: GitHub cannot report the status of a run that was handed over."""
        return RunStatus(result=RunResult.STOPPED)

    def cancel(self, run_id: str) -> None:  # noqa: ARG002 - the port's form
        """Refuse: which workflow run a dispatch became is not known."""
        raise TargetRefusedError(
            f"a training that was handed over to {self._target.repository} cannot be cancelled from here; cancel the"
            " workflow run on GitHub"
        )


def client_payload(request: LaunchRequest) -> dict[str, object]:
    """Return the payload for the workflow; empty fields of the trigger are left out.

    A trace context is in `traceparent`; in `evidence` if all of the names that GitHub accepts are taken.
    """
    fields = request.trigger.to_fields()
    payload: dict[str, object] = {
        "token": request.token,
        "parameters": dict(request.parameters),
        "requested_at": format_time(request.trigger.requested_at),
        **{name: fields[name] for name in _OF_TRIGGER if name in fields},
    }
    traceparent = request.trigger.traceparent
    if traceparent is None:
        return payload
    if len(payload) < MOST_NAMES:
        return payload | {"traceparent": traceparent}
    return payload | {"evidence": {**request.trigger.evidence, "traceparent": traceparent}}
