"""GitHub workflows that follow a training."""

from functions.github.client import GitHubClient
from shared.ports import Dispatch


class GitHubDispatcher:
    """A `shared.ports.Dispatcher`.

    Args:
        client: sends the events.

    """

    def __init__(self, client: GitHubClient) -> None:
        self._client = client

    def dispatch(self, dispatch: Dispatch) -> None:
        """Send *dispatch*; see the port."""
        self._client.dispatch(dispatch.repository, dispatch.event_type, dispatch.payload)
