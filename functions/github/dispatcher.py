"""A GitHub workflow as what follows a training."""

from functions.github.client import GitHubClient
from shared.ports import Dispatch


class GitHubDispatcher:
    """A `shared.ports.Dispatcher`.

    Args:
        client: sends it.

    """

    def __init__(self, client: GitHubClient) -> None:
        """Send nothing yet."""
        self._client = client

    def dispatch(self, dispatch: Dispatch) -> None:
        """Send *dispatch*; see the port."""
        self._client.dispatch(dispatch.repository, dispatch.event_type, dispatch.payload)
