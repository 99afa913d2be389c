"""The one place where errors of AWS are translated into errors of this project."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from shared.errors import UnavailableError, first_line

MISSING_RIGHT: Final = frozenset({"AccessDenied", "AccessDeniedException"})
# Raised by botocore for a request that is not valid, before it is sent.
INVALID_REQUEST: Final = "ParamValidationError"
# The advice to a person about errors of botocore that never reach AWS; a function always has a region and a role.
_SIGN_IN: Final = "sign in with `aws configure` or `aws sso login`, or set AWS_PROFILE"
_ADVICE: Final[Mapping[str, str]] = {
    "NoRegionError": "set AWS_DEFAULT_REGION",
    "NoCredentialsError": _SIGN_IN,
    "PartialCredentialsError": _SIGN_IN,
    "ProfileNotFound": _SIGN_IN,
    "SSOTokenLoadError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
}


class RefusalError(Exception):
    """AWS answered with a code that the calling adapter handles itself; it never leaves an adapter.

    Attributes:
        code: the error code, such as `ValidationException`.
        message: the message of AWS, one line.

    """

    def __init__(self, code: str, message: str) -> None:
        """Store both; together they are the text of the error."""
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message


@contextmanager
def translated(service: str, action: str, judged: Collection[str] = ()) -> Iterator[None]:
    """Translate the errors that botocore raises inside.

    Only the caller knows which answers mean that the request can never succeed; it names their codes. All other errors
    can be fixed by time or by an operator, but not by another event: throttling, 5xx, timeouts, conflicts and quotas,
    and also missing rights, credentials, regions, tables and queues.

    Args:
        service: the name of the service, for the message.
        action: what is attempted, for the message: "start the pipeline ...".
        judged: the codes that the caller handles itself.

    Raises:
        RefusalError: the code is one of *judged*.
        UnavailableError: any other failure.

    """
    # Not at the top: importing an adapter must not load botocore.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code, message = _named(error)
        if code in judged:
            raise RefusalError(code, message) from error
        raise UnavailableError(service, action, f"{code}: {message}" if message else code) from error


def _named(error: Exception) -> tuple[str, str]:
    """Return code and message; botocore's own errors may quote the request, so only its address is returned."""
    answer = getattr(error, "response", None)
    if answer is None:
        code = type(error).__name__
        return code, _ADVICE.get(code) or str(getattr(error, "kwargs", {}).get("endpoint_url") or "")
    error_fields = answer.get("Error", {})
    # A signature error shows the signed request, including headers, from the second line on.
    return str(error_fields.get("Code") or "Unknown"), first_line(error_fields.get("Message"))
