"""Sends `repository_dispatch` events to GitHub: to the repositories of the configuration and to nothing else."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final

from functions.github.address import GitHubAddress
from functions.github.errors import ACCEPTED, error_of, pause_of, read_answer
from functions.github.payload import LONGEST_EVENT_TYPE, fitted
from functions.github.token import GitHubToken
from functions.machine import now
from shared.errors import TargetRefusedError, UnavailableError
from shared.frozen import dataclass
from shared.json_text import compact
from shared.ports import Clock

# The session imports urllib3, which only a function that sends something shall pay for.
if TYPE_CHECKING:
    from functions.http_session import HttpAnswer, HttpSession, NoAnswerError

# Nothing that leads elsewhere in the path of a URL: `..` is another resource. Names of repositories are ASCII.
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")
# Of the body of an error, in bytes; the message is one line of it.
_ANSWER_SIZE: Final = 65_536
_HEADERS: Final = {
    # No X-GitHub-Api-Version: 204 without a body is the answer in all versions, an Enterprise Server has other
    # versions than github.com, and one that was withdrawn (2022-11-28 in March 2028) is 400.
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchLimits:
    """How long a dispatch may take, all of it well inside a function of 60 s.

    Attributes:
        connect_timeout: seconds to connect.
        read_timeout: seconds until the headers of an answer are complete, and as many for its body.
        total: seconds in all, pauses included; a longer pause is left to the next delivery of the event.
        attempts: how often to try in all.
        sleep: waits so many seconds.
        monotonic: returns a time in seconds that only grows.
        clock: returns the time.

    """

    connect_timeout: float = 3
    read_timeout: float = 10
    total: float = 25
    attempts: int = 3
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    clock: Clock = now

    @property
    def attempt(self) -> float:
        """How long an attempt takes whose answer never comes."""
        return self.connect_timeout + self.read_timeout

    def wait(self, outcome: "HttpAnswer | NoAnswerError", attempt: int, left: float) -> bool:
        """Wait if the event is to be sent again; see `functions.http_session.RetryPolicy`."""
        if isinstance(outcome, Exception):
            pause = None if outcome.may_have_arrived else float(attempt)
        else:
            pause = pause_of(read_answer(outcome.status, outcome.headers, outcome.data, ""), self.clock())
        if pause is None or attempt >= self.attempts or pause + self.attempt > left:
            return False
        self.sleep(pause)
        return True


STANDARD: Final = DispatchLimits()


class GitHubClient:
    """Sends events.

    GitHub has no idempotency key. So an event is sent again only where GitHub cannot have taken it: no connection, a
    rate limit, a refused token. After a lost answer or a 5xx the caller has to decide whether to risk a second run.

    Args:
        address: which GitHub.
        token: identifies the caller.
        repositories: the allow-list, `OWNER/NAME` each.
        limits: how long to try.

    """

    def __init__(
        self,
        address: GitHubAddress,
        token: GitHubToken,
        repositories: Collection[str],
        *,
        limits: DispatchLimits = STANDARD,
    ) -> None:
        self.address = address
        self._token = token
        self._repositories = frozenset(repositories)
        self._limits = limits

    def dispatch(self, repository: str, event_type: str, payload: Mapping[str, object]) -> None:
        """Send one event.

        Args:
            repository: `OWNER/NAME`.
            event_type: the name in the `types` of the workflow.
            payload: the `client_payload`.

        Raises:
            TargetRefusedError: the repository is not allowed, or GitHub refuses the event.
            UnavailableError: GitHub cannot be reached, limits us or refuses the token, or its answer was lost.

        """
        from functions.http_session import NoAnswerError

        self._check(repository, event_type)
        body = compact({"event_type": event_type, "client_payload": fitted(payload)}).encode()
        url, action = self.address.dispatches(repository), f"take the event {event_type!r} for {repository}"
        bearer = _Bearer(self._token)
        session = self._session(bearer)
        try:
            received = session.request("POST", url, _HEADERS, body)
        except NoAnswerError as error:
            reason = f"no answer, {error}" if error.may_have_arrived else str(error)
            raise UnavailableError("GitHub", action, reason) from error
        finally:
            # A function may be frozen between two dispatches; a connection that died then looks like a lost answer.
            session.close()
        answer = read_answer(received.status, received.headers, received.data, bearer.token)
        if answer.status != ACCEPTED:
            raise error_of(answer, action)

    def _session(self, bearer: "_Bearer") -> "HttpSession":
        from functions.http_session import CallLimits, HttpSession, Network

        limits = CallLimits(
            connect_timeout=self._limits.connect_timeout,
            read_timeout=self._limits.read_timeout,
            total=self._limits.total,
            answer_size=_ANSWER_SIZE,
            # The status alone decides.
            cut_answers=True,
        )
        network = Network(monotonic=self._limits.monotonic)
        return HttpSession(self._limits, credentials=bearer, limits=limits, network=network)

    def _check(self, repository: str, event_type: str) -> None:
        if repository not in self._repositories or not _REPOSITORY.fullmatch(repository):
            raise TargetRefusedError(f"{repository!r} is not in github.repositories of the configuration")
        if not 1 <= len(event_type) <= LONGEST_EVENT_TYPE:
            raise TargetRefusedError(
                f"event_type: GitHub accepts 1 to {LONGEST_EVENT_TYPE} characters, not {len(event_type)}"
            )


class _Bearer:
    """The credentials of one dispatch; a `functions.http_session.Credentials`."""

    def __init__(self, token: GitHubToken) -> None:
        self._source = token
        self.token = ""

    def headers(self) -> Mapping[str, str]:
        self.token = self._source.current()
        # A stand-in needs no token.
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def renew(self, refusal: "HttpAnswer") -> bool:  # noqa: ARG002 - the protocol
        return self._source.renew(self.token)
