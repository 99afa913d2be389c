"""The one place where errors of Google Cloud become errors of this project."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from functions.http_session import HttpAnswer, NoAnswerError
from shared.errors import UnavailableError, first_line
from shared.json_text import parse_json


class RefusalError(Exception):
    """Google answered with a code that the calling adapter handles itself; it never leaves the adapter.

    Attributes:
        code: the canonical code, such as `ALREADY_EXISTS` (google.rpc.Code).
        message: Google's explanation, one line.

    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message


class AnswerError(Exception):
    """A service answered a REST call with an error, or with something else than JSON.

    Attributes:
        status: the HTTP status.
        code: the canonical code; if the answer is not Google's JSON, `HTTP 502`, `not JSON` or similar, which no
            adapter handles.
        message: the explanation in the answer, one line.

    """

    def __init__(self, answer: HttpAnswer, problem: str = "") -> None:
        """Read *answer*; with a *problem* it is a success whose content cannot be read."""
        self.status = answer.status
        self.code, self.message = _unreadable(answer) if problem else _stated(answer)
        super().__init__(f"{self.code}: {self.message}" if self.message else self.code)


# The advice to a person; a function always has credentials.
SIGN_IN: Final = "sign in with `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"


class CredentialsError(Exception):
    """There are no credentials, or they could not be refreshed."""


@contextmanager
def translated(service: str, action: str, handled: Collection[str] = ()) -> Iterator[None]:
    """Translate the errors of a REST call inside.

    Only the caller knows which answers mean that the request can never succeed; it names their codes. Everything else
    is repaired by time or by an operator, not by another event: quotas, 5xx, timeouts, and also missing rights,
    credentials, databases and topics.

    Args:
        service: the service's name, for people.
        action: the call, for people: "start the pipeline ...".
        handled: the codes that the caller handles itself.

    Raises:
        RefusalError: the code of the answer is one of *handled*.
        UnavailableError: any other failure.

    """
    try:
        yield
    except AnswerError as error:
        if error.code in handled:
            raise RefusalError(error.code, error.message) from error
        raise UnavailableError(service, action, str(error)) from error
    except (CredentialsError, NoAnswerError) as error:
        raise UnavailableError(service, action, str(error)) from error


@contextmanager
def publisher_made(service: str, action: str) -> Iterator[None]:
    """Translate the error of making the Pub/Sub client without credentials; arguments as in `translated`.

    Raises:
        UnavailableError: there are no credentials.

    """
    try:
        yield
    except Exception as error:
        # Not at the top of the module: only emitting needs it, and by now the client has imported it.
        from google.auth.exceptions import GoogleAuthError

        if isinstance(error, GoogleAuthError):
            raise UnavailableError(service, action, named(error)) from error
        raise


def named(error: Exception) -> str:
    """Return the name of an *error* of google-auth, whose text may quote a file; with advice if nothing was found."""
    name = type(error).__name__
    return f"{name}: {SIGN_IN}" if name == "DefaultCredentialsError" else name


def code_and_message(error: Exception) -> tuple[str, str]:
    """Return the canonical code and the first line of an error that the Pub/Sub client raised or set on a future."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    # It retried until the time was up: the last answer is the reason.
    last = error.cause if isinstance(error, RetryError) and error.cause else error
    if isinstance(last, GoogleAPICallError):
        code = last.grpc_status_code.name if last.grpc_status_code else type(last).__name__
        return code, first_line(last.message)
    return type(last).__name__, ""


def _unreadable(answer: HttpAnswer) -> tuple[str, str]:
    """Return code and message; the content is not shown: it may be the page of a login or of a proxy."""
    return "not JSON", first_line(answer.headers.get("content-type"))


def _stated(answer: HttpAnswer) -> tuple[str, str]:
    """Return code and message of Google's JSON; only the status of the page of a proxy in between."""
    try:
        read: Any = parse_json(answer.data)
        # An operation that answers with a list, such as a query, also has its error in a list.
        content = (read[0] if isinstance(read, list) else read)["error"]
        return str(content["status"]), first_line(content.get("message"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"HTTP {answer.status}", ""
