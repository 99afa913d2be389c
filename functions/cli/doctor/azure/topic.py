"""Checks that an Event Grid topic answers and accepts events, by sending an empty list, which publishes nothing."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Final

from functions.azure.clients import CallLimits, rest_client
from functions.azure.errors import Persistence, call
from functions.azure.failures import failure_of
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError, explained
from functions.rest import RestClient
from shared.errors import UnavailableError

API_VERSION: Final = "2018-01-01"
AUDIENCE: Final = "https://eventgrid.azure.net"

# There is no such host, or nothing listens there.
_NO_CONNECTION: Final = ("gaierror", "ConnectionRefusedError")
_UNCLEAR: Final = "not checked: this topic does not reveal the permission without an event"


class Topic:
    """A topic.

    Args:
        client: makes the client that sends a request to the topic with the caller's login.
        key: the key of the topic; if empty, the login is used.
        endpoint: returns the topic's endpoint.
        skip_reasons: the reason to skip a check without a login, by error code.
        persistence: how often to retry.

    """

    def __init__(
        self,
        client: Callable[[str, str], Callable[[], RestClient]],
        key: str,
        endpoint: Callable[[], str],
        skip_reasons: Mapping[str, Exception],
        persistence: Persistence,
    ) -> None:
        """Make no call yet."""
        self._client = client
        self._key = key
        self._endpoint = endpoint
        self._skip_reasons = skip_reasons
        self._persistence = persistence

    def checks(self) -> list[Check]:
        """Return the checks of the topic."""
        return [
            Check(name="topic", about="the topic answers", run=self._exists),
            Check(name="publishing", about="the topic accepted an empty list of events", run=self._publishing),
        ]

    def _exists(self) -> None:
        endpoint = self._endpoint()
        missing = CheckFailedError(f"there is no topic at {endpoint}; deploy, or correct RETRAIN_BUS")
        try:
            with explained(codes_of, {**self._skip_reasons, **dict.fromkeys(("404", *_NO_CONNECTION), missing)}):
                self._send_nothing(endpoint)
        except UnavailableError as error:
            # Any other answer shows that the topic exists.
            if not codes_of(error) & {"400", "401", "403", "405", "429"}:
                raise

    def _publishing(self) -> None:
        """Send an empty list. Whether a topic checks the permission or the content first is not documented."""
        missing, unclear = CheckSkippedError("not checked: the topic does not exist"), CheckSkippedError(_UNCLEAR)
        lacking = CheckFailedError(
            "the topic refuses events; grant the role EventGrid Data Sender, or correct RETRAIN_EVENT_GRID_KEY"
        )
        meanings = {
            **dict.fromkeys(("404", *_NO_CONNECTION), missing),
            "401": lacking,
            "403": lacking,
            "400": unclear,
            "405": unclear,
        }
        with explained(codes_of, {**self._skip_reasons, **meanings}):
            self._send_nothing(self._endpoint())

    def _send_nothing(self, endpoint: str) -> None:
        # azure-eventgrid itself cannot send an empty list to a topic (4.22: IndexError, AttributeError).
        def send() -> None:
            url = f"{endpoint}?api-version={API_VERSION}"
            if not self._key:
                self._client(endpoint, AUDIENCE)().request("POST", url, [])
                return
            with closing(rest_client(CallLimits().of_session)) as client:
                client.request("POST", url, [], {"aeg-sas-key": self._key})

        call(send, service="Event Grid", action=f"accept an empty list at {endpoint}", persistence=self._persistence)


def codes_of(error: UnavailableError) -> set[str]:
    """Return the cause of an error of Azure: the service's codes and the HTTP status."""
    cause = error.__cause__
    if not isinstance(cause, Exception):
        return set()
    failure = failure_of(cause)
    if failure is None:
        return set()
    return {*failure.codes} | ({str(failure.status)} if failure.status else set())
