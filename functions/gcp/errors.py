"""The one place where the errors of Google Cloud become errors of this project."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from functions.gcp.exchange import FAILURES
from shared.errors import UnavailableError

_LONGEST: Final = 300


class RefusalError(Exception):
    """Google answered with a code that the calling adapter judges itself; no adapter lets it out.

    Attributes:
        code: the canonical code, such as `ALREADY_EXISTS` (google.rpc.Code).
        message: what Google says about it, one line.

    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message


class AnswerError(Exception):
    """A service answered a REST call with an error.

    Attributes:
        status: the HTTP status.
        code: the canonical code; `HTTP 502` where the answer is not Google's JSON, so that nobody judges by it.
        message: what the answer says about it, one line.

    """

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep all three."""
        super().__init__(f"{code}: {message}" if message else code)
        self.status = status
        self.code = code
        self.message = message


class CredentialsError(Exception):
    """There are no credentials, or they could not be refreshed."""


@contextmanager
def translated(service: str, action: str, judged: Collection[str] = ()) -> Iterator[None]:
    """Translate whatever a REST call inside raises.

    Only the caller knows which answers mean that the request can never succeed; it names their codes. Everything else
    is repaired by time or by an operator and not by another event: quotas, 5xx, timeouts, and just as well missing
    rights, credentials, databases and topics.

    Args:
        service: the service's name, for people.
        action: what is tried, for people: "start the pipeline ...".
        judged: the codes that the caller judges itself.

    Raises:
        RefusalError: the answer is one of *judged*.
        UnavailableError: any other failure.

    """
    try:
        yield
    except AnswerError as error:
        if error.code in judged:
            raise RefusalError(error.code, error.message) from error
        raise UnavailableError(service, action, str(error)) from error
    except CredentialsError as error:
        raise UnavailableError(service, action, str(error)) from error
    except FAILURES as error:
        # Its text may quote what was sent; its kind tells enough.
        raise UnavailableError(service, action, type(error).__name__) from error


@contextmanager
def publisher_made(service: str, action: str) -> Iterator[None]:
    """Translate what making the Pub/Sub client raises where there are no credentials; arguments as in `translated`.

    Raises:
        UnavailableError: there are none.

    """
    try:
        yield
    except Exception as error:
        # Not at the top: a service that answers must not cost the import. The client has done it by now.
        from google.auth.exceptions import GoogleAuthError

        if isinstance(error, GoogleAuthError):
            raise UnavailableError(service, action, type(error).__name__) from error
        raise


def code_and_message(error: Exception) -> tuple[str, str]:
    """Return the canonical code of what the Pub/Sub client raised or set on a future, and its first line."""
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    # It tried until the time was up: the last answer tells why.
    last = error.cause if isinstance(error, RetryError) and error.cause else error
    if isinstance(last, GoogleAPICallError):
        code = last.grpc_status_code.name if last.grpc_status_code else type(last).__name__
        return code, one_line(last.message)
    return type(last).__name__, ""


def one_line(text: object) -> str:
    """Return the first line of *text*, cut to what fits into a message."""
    return str(text or "").strip().partition("\n")[0][:_LONGEST]
