"""One request to GitHub and its answer, over HTTP."""

import json
import time
from typing import TYPE_CHECKING, Final

from functions.github.answers import NO_CONNECTION, TAKEN, Answer
from shared.errors import UnavailableError
from shared.frozen import dataclass

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

# Of an error's body, of which one line is told.
MOST_READ: Final = 65_536
_LONGEST_LINE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one request may take.

    Attributes:
        connect: seconds to connect.
        read: seconds without a byte; a body that trickles in is read no longer than that either.

    """

    connect: float = 3
    read: float = 10

    @property
    def longest(self) -> float:
        """How long a request takes whose answer never comes."""
        return self.connect + self.read


STANDARD_TIMEOUTS: Final = Timeouts()


def post(url: str, body: bytes, token: str, action: str, timeouts: Timeouts) -> Answer:
    """Send *body* and return what is answered.

    The connection lives for this request only: a function may be frozen between two, and a connection that died in the
    meantime would look like a lost answer.

    Args:
        url: where to.
        body: JSON.
        token: whom we are; empty for a stand-in that does not ask.
        action: what is tried, for people.
        timeouts: how long it may take.

    Raises:
        UnavailableError: there is no answer, though the request may have arrived.

    """
    import urllib3
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

    timeout = urllib3.Timeout(connect=timeouts.connect, read=timeouts.read)
    # No redirect is followed: it would take the token, and the event, to where the configuration does not say.
    with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
        try:
            response = pool.request(
                "POST", url, body=body, headers=_headers(token), redirect=False, preload_content=False
            )
            try:
                return _answer(response, token, timeouts.read)
            finally:
                response.close()
        except (NewConnectionError, ConnectTimeoutError) as error:
            return Answer(status=NO_CONNECTION, headers={}, message=type(error).__name__)
        except HTTPError as error:
            # Its text may hold the address that was asked, but neither headers nor body.
            raise UnavailableError("GitHub", action, f"no answer, {type(error).__name__}") from error


def _headers(token: str) -> dict[str, str]:
    # No X-GitHub-Api-Version: 204 without a body is the answer in all of them, an Enterprise Server knows other
    # versions than github.com, and one that is withdrawn (2022-11-28 in March 2028) is 400.
    headers = {
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        # GitHub refuses requests without one.
        "User-Agent": "retrain-trigger",
    }
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _answer(response: "BaseHTTPResponse", token: str, seconds: float) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    message = "" if response.status == TAKEN else _message(_content(response, seconds))
    # Whatever stands between GitHub and us may quote a request.
    return Answer(status=response.status, headers=headers, message=message.replace(token, "***") if token else message)


def _content(response: "BaseHTTPResponse", seconds: float) -> bytes:
    ends, content = time.monotonic() + seconds, b""
    while len(content) < MOST_READ and time.monotonic() < ends:
        piece = response.read1(MOST_READ - len(content))
        if not piece:
            break
        content += piece
    return content


def _message(content: bytes) -> str:
    """Return what an error's body says, one line."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    text = told.get("message") if isinstance(told, dict) else None
    return " ".join(str(text or "").split())[:_LONGEST_LINE] or "no explanation"
