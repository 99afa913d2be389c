"""The one place where calls to Azure are repeated, and where its errors become errors of this project."""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import field
from typing import Final, TypeVar

from functions.azure.failures import Failure, failure_of
from shared.backoff import Backoff
from shared.errors import UnavailableError
from shared.frozen import dataclass

T = TypeVar("T")

# Codes of Azure Resource Manager and Azure ML for what an operator, or time, repairs, whatever status they come with;
# a more precise code that the caller judges counts all the same.
REPAIRABLE: Final = frozenset(
    {"TooManyRequests", "OperationThrottled", "QuotaExceeded", "ServerBusy", "ServerTimeout", "Conflict"}
)


class RefusalError(Exception):
    """Azure answered with a code or a status that the calling adapter judges itself; no adapter lets it out.

    Attributes:
        codes: the error codes, from the outermost to the innermost: `("UserError", "JobPropertyImmutable")`.
        message: what Azure says about it, one line.

    """

    def __init__(self, failure: Failure) -> None:
        """Keep what the answer tells."""
        super().__init__(str(failure))
        self.codes = failure.codes
        self.message = failure.message

    @property
    def code(self) -> str:
        """The outermost code."""
        return self.codes[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How long a service that is too busy, or silent, is asked again.

    The clients repeat nothing themselves: they would sleep for as long as `Retry-After` says, which is no function's
    time to spend. With the defaults a silent service is given up after 27 s at most (two tries of 3 s to connect and
    10 s to read, and a pause): before Event Grid stops waiting for an answer, at 30 s. If several services are silent
    in one delivery it takes longer: Event Grid delivers again, and the claim and the job's name make that harmless.

    Attributes:
        backoff: how often, and after which pauses.
        seconds: no try begins later than this after the first.
        longest_wait: a service that asks for a longer pause than this, in seconds, is not asked again.
        clock: tells the seconds that have passed since whenever.

    """

    backoff: Backoff = field(default_factory=lambda: Backoff(attempts=4, base=0.4))
    seconds: float = 15
    longest_wait: float = 3
    clock: Callable[[], float] = time.monotonic


STANDARD: Final = Persistence()


def call(
    work: Callable[[], T],
    *,
    service: str,
    action: str,
    judged: Collection[str | int] = (),
    persistence: Persistence = STANDARD,
) -> T:
    """Do *work*, again if Azure is too busy, and translate whatever azure-core raises in it.

    Only the caller knows which answers mean that the request can never succeed; it names their codes or HTTP statuses.
    Everything else is repaired by time or by an operator and not by another event: throttling, 5xx, timeouts, conflicts
    and quotas, and just as well missing rights, credentials, tables and containers.

    Args:
        work: the call; it may run more than once.
        service: the service's name, for people.
        action: what is tried, for people: "start the job ...".
        judged: the codes and statuses that the caller judges itself.
        persistence: how often to try.

    Raises:
        RefusalError: the answer is one of *judged*.
        UnavailableError: any other failure.

    """
    # Not at the top: importing an adapter must not load azure-core.
    from azure.core.exceptions import AzureError

    begun, attempt = persistence.clock(), 0
    while True:
        try:
            return work()
        # What should be JSON and is not: MSAL lets that out when the identity endpoint answers something else.
        except (AzureError, json.JSONDecodeError) as error:
            failure = failure_of(error)
            if _is_judged(failure, judged):
                raise RefusalError(failure) from error
            attempt += 1
            spent = persistence.clock() - begun
            if attempt >= persistence.backoff.attempts or _is_hopeless(failure, spent, persistence):
                raise UnavailableError(service, action, str(failure)) from error
        if failure.wait:
            persistence.backoff.sleep(failure.wait)
        else:
            persistence.backoff.pause(attempt)


def _is_judged(failure: Failure, judged: Collection[str | int]) -> bool:
    if failure.status is None:
        return False
    # A code that the caller names says more than the status, or the `Conflict`, around it.
    if not set(failure.codes).isdisjoint(judged):
        return True
    return failure.status in judged and REPAIRABLE.isdisjoint(failure.codes)


def _is_hopeless(failure: Failure, spent: float, persistence: Persistence) -> bool:
    late = spent + failure.wait > persistence.seconds
    return not failure.busy or late or failure.wait > persistence.longest_wait
