"""Whether a topic of Event Grid answers, and takes events from us; an empty list of events publishes nothing."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.azure.clients import CallLimits
from functions.azure.errors import Persistence, call
from functions.azure.failures import failure_of
from functions.cli.doctor.check import Check, CheckFailedError, CheckSkippedError, explained
from shared.errors import UnavailableError

API_VERSION: Final = "2018-01-01"
AUDIENCE: Final = "https://eventgrid.azure.net"

_AWAY: Final = "ServiceRequestError"
_UNCLEAR: Final = "not checked: the topic does not tell our rights without an event; `emit` uses them"


class Topic:
    """A topic.

    Args:
        client: makes what sends a request to the topic with our login.
        key: the key of the topic; empty: the login counts.
        endpoint: returns the topic's endpoint.
        excuses: why a check that fails for want of a login is skipped, by code.
        persistence: how often to try.

    """

    def __init__(
        self,
        client: Callable[[str, str], Callable[[], Any]],
        key: str,
        endpoint: Callable[[], str],
        excuses: Mapping[str, Exception],
        persistence: Persistence,
    ) -> None:
        """Send nothing yet."""
        self._client = client
        self._key = key
        self._endpoint = endpoint
        self._excuses = excuses
        self._persistence = persistence

    def checks(self) -> list[Check]:
        """Return the checks of the topic."""
        return [
            Check(name="topic", about="the topic answers", run=self._there),
            Check(name="publishing", about="the topic took an empty list of events from us", run=self._publishing),
        ]

    def _there(self) -> None:
        endpoint = self._endpoint()
        gone = CheckFailedError(f"there is no topic at {endpoint}: deploy, or correct RETRAIN_BUS")
        try:
            with explained(codes_of, {**self._excuses, "404": gone, _AWAY: gone}):
                self._send_nothing(endpoint)
        except UnavailableError as error:
            # Whatever else it answers, it is there.
            if not codes_of(error) & {"400", "401", "403", "405", "429"}:
                raise

    def _publishing(self) -> None:
        """Send an empty list. In which order a topic looks at rights and content is documented nowhere."""
        gone, unclear = CheckSkippedError("not checked: the topic is not there"), CheckSkippedError(_UNCLEAR)
        lacking = CheckFailedError(
            "the topic takes nothing from us: grant the role EventGrid Data Sender, or correct RETRAIN_EVENT_GRID_KEY"
        )
        meanings = {"404": gone, _AWAY: gone, "401": lacking, "403": lacking, "400": unclear, "405": unclear}
        with explained(codes_of, {**self._excuses, **meanings}):
            self._send_nothing(self._endpoint())

    def _send_nothing(self, endpoint: str) -> None:
        # azure-eventgrid itself can send no empty list to a topic (4.22: IndexError, AttributeError).
        def send() -> None:
            from azure.core import PipelineClient
            from azure.core.rest import HttpRequest

            request = HttpRequest("POST", f"{endpoint}?api-version={API_VERSION}", json=[])
            if not self._key:
                self._client(endpoint, AUDIENCE)().send_request(request).raise_for_status()
                return
            request.headers["aeg-sas-key"] = self._key
            with PipelineClient(endpoint, policies=[], **CallLimits().options) as client:
                client.send_request(request).raise_for_status()

        call(send, service="Event Grid", action=f"take nothing at {endpoint}", persistence=self._persistence)


def codes_of(error: UnavailableError) -> set[str]:
    """Return what led to an error of Azure: the service's codes, and the HTTP status."""
    cause = error.__cause__
    if not isinstance(cause, Exception):
        return set()
    failure = failure_of(cause)
    return {*failure.codes} | ({str(failure.status)} if failure.status else set())
