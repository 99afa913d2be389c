"""Calls to the REST APIs of Azure without azure-core, whose import takes longer than a call."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from functions.azure.failures import AnswerError
from functions.http_session import NO_RETRY, CallLimits, Credentials, HttpAnswer, HttpSession

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class RestClient:
    """Calls services with one identity; any number of threads may use it.

    Each call is one attempt, and one more with another token if the service refuses the first one;
    `functions.azure.errors.call` repeats it.

    Args:
        credentials: the identity; none for a stand-in on this machine.
        limits: how long a call may take.

    """

    def __init__(self, limits: CallLimits, credentials: Credentials | None = None) -> None:
        self._http = HttpSession(NO_RETRY, credentials=credentials, limits=limits)

    def request(self, method: str, url: str, content: object = None, headers: Mapping[str, str] = _NONE) -> Any:  # noqa: ANN401 - JSON
        """Send *content* as JSON, unless it is None, and return the JSON of the answer; None if that is empty.

        Raises:
            AnswerError: as in `send`, or the answer is not JSON.
            NoAnswerError: as in `send`.

        """
        sent, body = {"accept": "application/json", **headers}, None
        if content is not None:
            sent["content-type"] = "application/json"
            body = json.dumps(content, separators=(",", ":")).encode()
        return self.json_of(self.send(method, url, sent, body))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """Send a request and return the answer.

        Raises:
            AnswerError: the service answered with an error, or with a redirect, which is never followed.
            NoAnswerError: the service could not be reached, was silent, or its answer is not complete.
            CredentialsError: there is no token; azure-identity raises errors of azure-core instead.

        """
        answer = self._http.request(method, url, headers, body)
        if answer.status not in range(200, 300):
            raise AnswerError(answer)
        return answer

    def json_of(self, answer: HttpAnswer) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON in *answer*; None if it is empty.

        Raises:
            AnswerError: it is not JSON.

        """
        try:
            return json.loads(answer.data) if answer.data else None
        except (ValueError, RecursionError) as error:
            raise AnswerError(answer, "the answer is not JSON") from error

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()
