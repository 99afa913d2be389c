"""Calls to the REST interfaces of Google Cloud: JSON in, JSON out, with time limits that fit into a function."""

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from functions.gcp.connections import Connections
from functions.gcp.credentials import Credentials
from functions.gcp.errors import AnswerError, one_line
from functions.gcp.exchange import FAILURES, STANDARD_LIMITS, CallLimits, HttpAnswer
from shared.backoff import Backoff

# What passes by itself. A quota that is used up seldom does, but asking three times is what Google's clients do, too.
_PASSING: Final = frozenset({429, 500, 502, 503, 504})
# A service that is silent is given up after 30 s, or 33 in the middle of a handshake, well inside a function of 60 s.
THREE_TIMES: Final = Backoff(attempts=3)


class Session:
    """Calls services with one identity; any number of threads may use it.

    Every call is repeated when the service fails or is silent, so what is called must bear it: reads, writes with a
    precondition, creations under a name of our own, messages that may come twice.

    Args:
        credentials: whose identity; none against emulators.
        limits: how long a call may take.
        backoff: how often a call is tried, and after which pauses.

    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        limits: CallLimits = STANDARD_LIMITS,
        backoff: Backoff = THREE_TIMES,
    ) -> None:
        """Connect to nothing yet."""
        self._credentials = credentials
        self._connections = Connections(limits)
        self._total = limits.total
        self._backoff = backoff

    def get(self, url: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return what is at *url*.

        Raises:
            AnswerError: the service answered with an error.
            CredentialsError: there are no credentials.
            OSError: it could not be reached, or was silent.
            http.client.HTTPException: what it sent is no answer.

        """
        return self._call("GET", url, query, None)

    def post(self, url: str, content: object, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send *content* to *url* and return the answer; errors as in `get`."""
        return self._call("POST", url, query, json.dumps(content, separators=(",", ":")).encode())

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._connections.close()

    def _call(self, method: str, url: str, query: Mapping[str, str] | None, body: bytes | None) -> object:
        full = f"{url}?{urlencode(query)}" if query else url
        ends = time.monotonic() + self._total
        answer = self._answer(method, full, body, ends)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._credentials is not None:
            # A token may end before its time, when a key is revoked or an account changes; nothing was done with it.
            self._credentials.forget()
            answer = self._answer(method, full, body, ends)
        if answer.status not in range(200, 300):
            raise _error(answer)
        try:
            return json.loads(answer.data or b"{}")
        except (ValueError, RecursionError) as error:
            raise AnswerError(answer.status, "no JSON", one_line(answer.headers.get("content-type"))) from error

    def _answer(self, method: str, url: str, body: bytes | None, ends: float) -> HttpAnswer:
        """Return the first answer that does not pass by itself, or the last one; nothing is asked after *ends*."""
        last = self._backoff.attempts - 1
        for attempt in range(last):
            self._backoff.pause(attempt)
            try:
                answer = self._ask(method, url, body, ends)
            except FAILURES:
                continue
            if answer.status not in _PASSING:
                return answer
        self._backoff.pause(last)
        return self._ask(method, url, body, ends)

    def _ask(self, method: str, url: str, body: bytes | None, ends: float) -> HttpAnswer:
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self._credentials is not None:
            headers |= self._credentials.headers()
        return self._connections.request(method, url, headers, body, ends=ends)


def _error(answer: HttpAnswer) -> AnswerError:
    """Return the error that *answer* tells: Google's JSON, or the page of whatever stands in between."""
    try:
        told = json.loads(answer.data)["error"]
        code, message = str(told["status"]), one_line(told.get("message"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        code, message = f"HTTP {answer.status}", ""
    return AnswerError(answer.status, code, message)
