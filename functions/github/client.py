"""Sends `repository_dispatch` events to GitHub: to the repositories of the configuration and to nothing else."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from functions.github.address import GitHubAddress
from functions.github.answers import NO_CONNECTION, TAKEN, UNAUTHORIZED, Answer, error_of, pause_of
from functions.github.exchange import STANDARD_TIMEOUTS, Timeouts, post
from functions.github.payload import LONGEST_EVENT_TYPE, fitted
from functions.github.token import GitHubToken
from functions.machine import now
from shared.errors import TargetRefusedError
from shared.frozen import dataclass
from shared.json_text import compact
from shared.ports import Clock

# Nothing that leads elsewhere in a URL's path: `..` is another resource, and what is not ASCII is no repository.
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a dispatch may take, all of it well inside a function of 60 s.

    Attributes:
        timeouts: of one request.
        total: seconds in all, pauses included; what would take longer is left to the next delivery of the event.
        attempts: how often it is tried in all.
        sleep: waits so many seconds.
        monotonic: tells the seconds since whenever.
        clock: tells the time.

    """

    timeouts: Timeouts = STANDARD_TIMEOUTS
    total: float = 25
    attempts: int = 3
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    clock: Clock = now


STANDARD: Final = Patience()


class GitHubClient:
    """Sends events.

    GitHub knows no idempotency key. So an event is sent again only where GitHub cannot have taken it: no connection, a
    rate limit, a token that was refused. After a lost answer or a 5xx only the caller knows whether twice is too often.

    Args:
        address: which GitHub.
        token: what it is asked with.
        repositories: the allow-list, `OWNER/NAME` each.
        patience: how long to try.

    """

    def __init__(
        self,
        address: GitHubAddress,
        token: GitHubToken,
        repositories: Collection[str],
        *,
        patience: Patience = STANDARD,
    ) -> None:
        """Ask nothing yet."""
        self.address = address
        self._token = token
        self._repositories = frozenset(repositories)
        self._patience = patience

    def dispatch(self, repository: str, event_type: str, payload: Mapping[str, object]) -> None:
        """Send one event.

        Args:
            repository: `OWNER/NAME`.
            event_type: what the workflow's `types` names.
            payload: the `client_payload`.

        Raises:
            TargetRefusedError: the repository is not allowed, or GitHub will not take this.
            UnavailableError: GitHub is away, limits us, does not know the token, or its answer was lost.

        """
        self._check(repository, event_type)
        body = compact({"event_type": event_type, "client_payload": fitted(payload)}).encode()
        url, action = self.address.dispatches(repository), f"take the event {event_type!r} for {repository}"
        token = self._token.current()
        ends = self._patience.monotonic() + self._patience.total
        answer = self._send(url, body, token, action, ends)
        if answer.status == UNAUTHORIZED and self._token.renew(token):
            answer = self._send(url, body, self._token.current(), action, ends)
        if answer.status != TAKEN:
            raise error_of(answer, action)

    def _check(self, repository: str, event_type: str) -> None:
        if repository not in self._repositories or not _REPOSITORY.fullmatch(repository):
            raise TargetRefusedError(f"{repository!r} is not a repository of github.repositories")
        if not 1 <= len(event_type) <= LONGEST_EVENT_TYPE:
            raise TargetRefusedError(
                f"event_type: GitHub takes 1 to {LONGEST_EVENT_TYPE} characters, not {len(event_type)}"
            )

    def _send(self, url: str, body: bytes, token: str, action: str, ends: float) -> Answer:
        """Return the last answer: of so many attempts as there may be until *ends*."""
        attempt = 1
        while True:
            answer = post(url, body, token, action, self._patience.timeouts)
            pause = self._pause(answer, attempt, ends)
            if pause is None:
                return answer
            self._patience.sleep(pause)
            attempt += 1

    def _pause(self, answer: Answer, attempt: int, ends: float) -> float | None:
        """Return how long to wait before it is sent again; none: it is not."""
        patience = self._patience
        pause = float(attempt) if answer.status == NO_CONNECTION else pause_of(answer, patience.clock())
        if pause is None or attempt >= patience.attempts:
            return None
        fits = patience.monotonic() + pause + patience.timeouts.longest <= ends
        return pause if fits else None
