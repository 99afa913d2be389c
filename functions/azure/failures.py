"""Reads a failed call to Azure: the codes of the service, its message, whether another attempt may succeed.

Our own REST client raises the errors below and `functions.http_session.NoAnswerError`, the SDKs those of azure-core.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.errors import first_line
from shared.frozen import dataclass
from shared.json_text import parse_json

# The session imports urllib3, and not every function calls a service.
if TYPE_CHECKING:
    from functions.http_session import HttpAnswer

# The statuses that azure-core's own retry policy repeats.
BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})


class CredentialsError(Exception):
    """There is no token of our identity; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A call that failed.

    Attributes:
        status: the HTTP status; none if there was no answer.
        codes: the error codes, from the outermost to the innermost; never empty.
        message: the message, one line.
        busy: whether the same call may succeed in a moment.
        wait: how many seconds the service requests to wait.

    """

    status: int | None
    codes: tuple[str, ...]
    message: str
    busy: bool
    wait: float = 0

    def __str__(self) -> str:
        return ": ".join(text for text in (self.codes[0], self.message) if text)


class AnswerError(Exception):
    """A service answered a REST call with an error, or with something else than what was requested.

    Attributes:
        failure: what the answer says.

    """

    def __init__(self, answer: "HttpAnswer", problem: str = "") -> None:
        """Read *answer*; *problem* is what is wrong with one that is not an error document."""
        self.failure = _answered(answer.status, answer.headers, _document(answer.data), problem)
        super().__init__(str(self.failure))


def failure_of(error: Exception) -> Failure | None:
    """Read an error of a call to Azure; None if it is not one.

    Args:
        error: what was raised by our own client, by azure-core, or by MSAL within azure-identity.

    """
    from functions.http_session import NoAnswerError

    match error:
        case AnswerError():
            return error.failure
        case NoAnswerError():
            return Failure(status=None, codes=(str(error),), message="", busy=True)
        # MSAL raises JSONDecodeError if the identity endpoint answers with something else than JSON.
        case CredentialsError() | json.JSONDecodeError():
            text = first_line(error) if isinstance(error, CredentialsError) else ""
            return Failure(status=None, codes=(type(error).__name__,), message=text, busy=False)
    # Where azure-core is not imported nothing can raise an error of it.
    return _sdk_failure(error) if "azure.core.exceptions" in sys.modules else None


def _sdk_failure(error: Exception) -> Failure | None:
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if not isinstance(error, AzureError):
        return None
    # For a missing topic azure-eventgrid raises an error of its own, which has the answer only as its cause.
    for link in (error, error.__cause__, error.__context__):
        if isinstance(link, HttpResponseError) and link.response is not None:
            return _answered_sdk(link.response)
    # Only the type of an error without an answer, since its text may quote a signed address.
    inner = error.inner_exception
    text = first_line(error) if isinstance(error, ClientAuthenticationError) else ""
    return Failure(
        status=None,
        codes=(type(error).__name__,),
        message=text or ("" if inner is None else type(inner).__name__),
        busy=isinstance(error, ServiceRequestError | ServiceResponseError),
    )


def _answered_sdk(response: Any) -> Failure:  # noqa: ANN401 - azure-core has two classes of answers, alike in these
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        document = _document(response.text())
    except Exception:  # noqa: BLE001 - an answer that cannot be read must not hide the failure that it reports
        document = None
    return _answered(response.status_code, headers, document)


def _answered(status: int | None, headers: Mapping[str, str], document: object, problem: str = "") -> Failure:
    codes = dict.fromkeys(filter(None, (headers.get("x-ms-error-code"), *_codes(document))))
    return Failure(
        status=status,
        codes=tuple(codes) or (f"HTTP {status}",),
        message=problem or _message(document),
        busy=status in BUSY,
        wait=_wait(headers.get("retry-after")),
    )


def _document(text: str | bytes) -> object:
    try:
        return parse_json(text)
    except ValueError:
        return None


def _codes(document: object) -> Iterator[str]:
    """Yield every `code` of an error document, from the outermost to the innermost."""
    if isinstance(document, dict):
        if isinstance(document.get("code"), str):
            # In a transaction, the number of the write that failed may be before it.
            yield document["code"].lstrip("0123456789").removeprefix(":") or document["code"]
        for item in document.values():
            yield from _codes(item)
    elif isinstance(document, list):
        for item in document:
            yield from _codes(item)


def _message(document: object) -> str:
    """Return the outermost `message`; the table service has its text in `value`."""
    if not isinstance(document, dict):
        return ""
    message = document.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(message, str):
        return first_line(message)
    return next(filter(None, map(_message, document.values())), "")


def _wait(retry_after: str | None) -> float:
    # HTTP allows a date, too; these services send seconds.
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0
