"""Calls to the REST APIs of Google Cloud: JSON in, JSON out, with time limits that fit into a function."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from functions.gcp.errors import AnswerError, one_line
from functions.http_session import STANDARD_LIMITS, CallLimits, Credentials, HttpAnswer, HttpSession, RetryTransient
from shared.backoff import Backoff

# Used-up quotas seldom recover within seconds, but Google's clients retry them, too.
TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
# A silent service is given up after 30 s, or 33 in the middle of a handshake, well inside a function of 60 s.
THREE_TIMES: Final = Backoff(attempts=3)


class Session:
    """Calls services with one identity; any number of threads may use it.

    Every call is retried when the service fails or is silent, so it must be safe to repeat: reads, writes with a
    precondition, creations under an id of our own, messages that may arrive twice.

    Args:
        credentials: the identity; none for emulators.
        limits: how long a call may take.
        backoff: how often a call is tried, and the pauses.

    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        limits: CallLimits = STANDARD_LIMITS,
        backoff: Backoff = THREE_TIMES,
    ) -> None:
        retry = RetryTransient(statuses=TRANSIENT, backoff=backoff)
        self._http = HttpSession(retry, credentials=credentials, limits=limits)

    def get(self, url: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return the content of *url*.

        Raises:
            AnswerError: the service answered with an error.
            CredentialsError: there are no credentials.
            NoAnswerError: the service could not be reached, was silent, or its answer is not complete.

        """
        return self._call("GET", url, query, None)

    def post(self, url: str, content: object, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send *content* to *url* and return the answer; errors as in `get`."""
        return self._call("POST", url, query, json.dumps(content, separators=(",", ":")).encode())

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _call(self, method: str, url: str, query: Mapping[str, str] | None, body: bytes | None) -> object:
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        answer = self._http.request(method, f"{url}?{urlencode(query)}" if query else url, headers, body)
        if answer.status not in range(200, 300):
            raise _error(answer)
        try:
            return json.loads(answer.data or b"{}")
        except (ValueError, RecursionError) as error:
            raise AnswerError(answer.status, "not JSON", one_line(answer.headers.get("content-type"))) from error


def _error(answer: HttpAnswer) -> AnswerError:
    """Return the error in *answer*: Google's JSON, or the page of a proxy in between."""
    try:
        read = json.loads(answer.data)
        # An operation that answers with a list, such as a query, also has its error in a list.
        content = (read[0] if isinstance(read, list) else read)["error"]
        code, message = str(content["status"]), one_line(content.get("message"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        code, message = f"HTTP {answer.status}", ""
    return AnswerError(answer.status, code, message)
