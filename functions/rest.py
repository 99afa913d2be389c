"""Calls to REST APIs over the HTTP session: JSON out, JSON in, and any other answer as an error of the service."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from functions.http_session import HttpAnswer, HttpSession
from shared.json_text import compact, parse_json

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class RestClient:
    """Calls services with one identity; any number of threads may use it.

    Args:
        session: sends the requests; its retry policy decides what is sent again.
        error_of: makes an error of an answer that is no success; its second argument is what is wrong with a success
            that is not valid, and empty otherwise.

    """

    def __init__(self, session: HttpSession, error_of: Callable[[HttpAnswer, str], Exception]) -> None:
        self._session = session
        self._error_of = error_of

    def request(self, method: str, url: str, content: object = None, headers: Mapping[str, str] = _NONE) -> Any:  # noqa: ANN401 - JSON
        """Send *content* as JSON, unless it is None, and return the JSON of the answer; None if that is empty.

        Raises:
            Exception: as in `send`, or the answer is not JSON.

        """
        sent, body = {"accept": "application/json", **headers}, None
        if content is not None:
            sent["content-type"] = "application/json"
            body = compact(content).encode()
        return self.json_of(self.send(method, url, sent, body))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """Send a request and return the answer.

        Raises:
            NoAnswerError: the service could not be reached, was silent, or its answer is not complete.
            Exception: the error of the service, if it answers with an error or with a redirect, which is never
                followed; or that of the credentials, if there are none.

        """
        answer = self._session.request(method, url, headers, body)
        if not answer.is_success:
            raise self._error_of(answer, "")
        return answer

    def json_of(self, answer: HttpAnswer) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON in *answer*; None if it is empty.

        Raises:
            Exception: the error of the service: it is not JSON.

        """
        try:
            return parse_json(answer.data) if answer.data else None
        except ValueError as error:
            raise self._error_of(answer, "the answer is not JSON") from error

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._session.close()
