"""The one place where the errors of AWS become errors of this project."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from shared.errors import UnavailableError

MISSING_RIGHT: Final = frozenset({"AccessDenied", "AccessDeniedException"})
# What botocore itself finds wrong with a request, before it sends it.
INVALID_REQUEST: Final = "ParamValidationError"

_LONGEST: Final = 300


class RefusalError(Exception):
    """AWS answered with a code that the calling adapter judges itself; no adapter lets it out.

    Attributes:
        code: the error code, such as `ValidationException`.
        message: what AWS says about it, one line.

    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message


@contextmanager
def translated(service: str, action: str, judged: Collection[str] = ()) -> Iterator[None]:
    """Translate whatever botocore raises inside.

    Only the caller knows which answers mean that the request can never succeed; it names their codes. Everything else
    is repaired by time or by an operator and not by another event: throttling, 5xx, timeouts, conflicts and quotas,
    and just as well missing rights, credentials, regions, tables and queues.

    Args:
        service: the service's name, for people.
        action: what is tried, for people: "start the pipeline ...".
        judged: the codes that the caller judges itself.

    Raises:
        RefusalError: the answer is one of *judged*.
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
    """Return code and message; what botocore itself finds wrong may quote the request, so only its address is told."""
    answer = getattr(error, "response", None)
    if answer is None:
        return type(error).__name__, str(getattr(error, "kwargs", {}).get("endpoint_url") or "")
    told = answer.get("Error", {})
    # A signature error goes on with the signed request, headers and all, from the second line.
    first_line = str(told.get("Message") or "").strip().partition("\n")[0]
    return str(told.get("Code") or "Unknown"), first_line[:_LONGEST]
